import { hiddenText, Secret } from './secret.ts';
import { secretForms } from './secret-forms.ts';

/** Replaces secrets by `********` in texts, in every form in which {@link secretForms} expects them. */
export interface Masker {
  /** Makes a secret that is looked for from now on, as is everything that is derived from it. */
  secret(text: string): Secret;
  /** Looks for a secret from now on; for the lines of a longer text too, unless it was made of another secret. */
  add(secret: Secret, isDerived?: boolean): void;
  /** A text as it may be shown. */
  mask(text: string): string;
}

/** Makes a masker that knows no secret yet. Masking costs by the length of the text, hardly by the number of secrets. */
export function createMasker(): Masker {
  // By their first characters, the longest first, so that a form inside another one does not cut it up.
  const forms = new Map<string, string[]>();
  const known = new Set<string>();
  const beginnings = createBeginnings();

  function add(secret: Secret, isDerived = false): void {
    const text = secret.reveal();
    if (known.has(text)) return;
    known.add(text);
    for (const form of secretForms(text, { withLines: !isDerived })) index(form);
  }

  function index(form: string): void {
    const key = form.slice(0, keyLength);
    beginnings.add(form, 0);
    const others = forms.get(key) ?? [];
    if (others.includes(form)) return;
    others.push(form);
    others.sort((a, b) => b.length - a.length);
    forms.set(key, others);
  }

  function mask(text: string): string {
    if (forms.size === 0 || text.length < keyLength) return text;
    let masked = '';
    let shownUpTo = 0;
    for (let i = 0; i + keyLength <= text.length; i++) {
      if (!beginnings.mayHave(text, i)) continue;
      const form = forms.get(text.slice(i, i + keyLength))?.find((f) => text.startsWith(f, i));
      if (form === undefined) continue;
      // Forms may overlap or touch: what they cover together is hidden as one.
      if (i > shownUpTo || masked === '') masked += text.slice(shownUpTo, i) + hiddenText;
      shownUpTo = Math.max(shownUpTo, i + form.length);
    }
    return masked === '' ? text : masked + text.slice(shownUpTo);
  }

  function secret(text: string): Secret {
    const made = new Secret(text, add);
    add(made);
    return made;
  }

  return { add, mask, secret };
}

/** The first three characters of many texts, in 32 kB: says no for nearly all that are none of them. */
function createBeginnings() {
  const bits = new Uint32Array(8192);
  const hash = (text: string, at: number): number =>
    (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 6) ^ (text.charCodeAt(at + 2) << 12)) & 0x3ffff;
  return {
    add(text: string, at: number): void {
      const h = hash(text, at);
      bits[h >> 5] = (bits[h >> 5] ?? 0) | (1 << (h & 31));
    },
    mayHave(text: string, at: number): boolean {
      const h = hash(text, at);
      return ((bits[h >> 5] ?? 0) & (1 << (h & 31))) !== 0;
    },
  };
}

/** No form is shorter. */
const keyLength = 4;

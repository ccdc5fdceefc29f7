import { hiddenText, Secret } from './secret.ts';
import { secretForms } from './secret-forms.ts';

/** Replaces secrets by `********` in texts, in every form in which {@link secretForms} expects them. */
export interface Masker {
  /** Makes a secret that is looked for from now on, as is everything that is derived from it. */
  secret(text: string): Secret;
  /** Looks for a secret from now on. */
  add(secret: Secret): void;
  /** A text as it may be shown. */
  mask(text: string): string;
}

/** Makes a masker that knows no secret yet. Masking costs by the length of the text, hardly by the number of secrets. */
export function createMasker(): Masker {
  // By their first characters, the longest first, so that a form inside another one does not cut it up.
  const forms = new Map<string, string[]>();
  const known = new Set<string>();

  function add(secret: Secret): void {
    const text = secret.reveal();
    if (known.has(text)) return;
    known.add(text);
    for (const form of secretForms(text)) index(form);
  }

  function index(form: string): void {
    const key = form.slice(0, keyLength);
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
      const form = forms.get(text.slice(i, i + keyLength))?.find((f) => text.startsWith(f, i));
      if (form === undefined) continue;
      // Forms may overlap or touch: what they cover together is hidden as one.
      if (i > shownUpTo || masked === '') masked += text.slice(shownUpTo, i) + hiddenText;
      shownUpTo = Math.max(shownUpTo, i + form.length);
    }
    return masked === '' ? text : masked + text.slice(shownUpTo);
  }

  return { add, mask, secret: (text) => new Secret(text, add) };
}

/** No form is shorter. */
const keyLength = 4;

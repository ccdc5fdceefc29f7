import { quoteWord } from './sh.ts';

/** Texts that are shorter are not looked for: `ab` or `on` would be found in every other word. */
const shortestText = 4;
/** Texts of digits only, which clocks and sizes are made of. */
const shortestNumber = 6;
/** Lines of a longer text, looked for one by one. */
const shortestLine = 8;

/**
 * The forms in which a secret may come back in what a host or a library prints: as it is, `withLines` line by line, escaped
 * for JSON, a URL or a shell, in base64 (wherever it begins in what was encoded) and in hex. Empty for texts that are too short to
 * be looked for: those are hidden only where they are known to be secrets.
 */
export function secretForms(secret: string, { withLines }: { readonly withLines: boolean }): string[] {
  const texts = [secret, ...(withLines ? linesOf(secret) : [])].filter(isLongEnough);
  const forms = texts.flatMap((text) => [text, ...escapedForms(text), ...encodedForms(text)]);
  return [...new Set(forms)].filter(isLongEnough);
}

function isLongEnough(text: string): boolean {
  return text.length >= (/^\d+$/.test(text) ? shortestNumber : shortestText);
}

/** Output is shown line by line, and a diff puts its signs before each. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  if (lines.length === 1) return lines;
  // The first and the last line of a PEM file are no secret.
  return lines.filter((line) => line.length >= shortestLine && !/^-+(BEGIN|END) [A-Z ]+-+$/.test(line));
}

function escapedForms(text: string): string[] {
  const url = percentEncoded(text);
  const json = JSON.stringify(text).slice(1, -1);
  return [
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', '\\/'),
    url,
    url.replaceAll('%20', '+'),
    url.replace(/%../g, (byte) => byte.toLowerCase()),
    // Everything but letters, digits and -._~ is escaped, which encodeURIComponent does not do.
    url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    text.includes('\0') ? text : quoteWord(text).replace(/^'(.*)'$/s, '$1'),
    text.replaceAll("'", "''"),
    text.replace(/[&<>"']/g, (char) => htmlEscapes[char] ?? char),
  ];
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function percentEncoded(text: string): string {
  // By way of UTF-8, since half of a surrogate pair would raise an error.
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

function encodedForms(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((shift) => base64Forms(bytes, shift));
  return [hex, hex.toUpperCase(), ...base64, ...base64.map(urlSafe)];
}

/**
 * The characters of a base64 text that stand for these bytes alone, when `shift` bytes of a group of three come before
 * them; and the whole of it where nothing comes before. Encoders that break lines cut it, so that its pieces count too.
 */
function base64Forms(bytes: Buffer, shift: number): string[] {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const first = Math.ceil((shift * 8) / 6);
  const end = Math.floor(((shift + bytes.length) * 8) / 6);
  const whole = shift === 0 ? [encoded, encoded.replace(/=+$/, '')] : [];
  return [...whole, encoded.slice(first, end), ...piecesOf(encoded.slice(0, end), first)];
}

/** Every eight characters of a text that is long enough to be cut into lines, which happens after groups of four. */
function piecesOf(encoded: string, first: number): string[] {
  const pieces: string[] = [];
  if (encoded.length <= shortestLineOfBase64) return pieces;
  for (let i = Math.ceil(first / 4) * 4; i + 8 <= encoded.length; i += 4) pieces.push(encoded.slice(i, i + 8));
  return pieces;
}

/** Encoders for mail, PEM and the terminal break lines after 60, 64 and 76 characters. */
const shortestLineOfBase64 = 56;

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

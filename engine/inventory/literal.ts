/** The data that a text stands for. */
export interface Literal {
  readonly data: unknown;
  /** Set when the data would be printed differently from what was written: `1.20` is the number 1.2. */
  readonly printedAs?: string;
}

/**
 * Reads a value of an INI inventory: `true`, `True`, `null`, `None`, numbers, quoted strings, lists and maps in JSON or in
 * Python form, with an optional `# comment` after it. Anything else is no literal (undefined), but plain text; so are
 * numbers with leading zeros and numbers that JavaScript cannot hold exactly.
 */
export function parseLiteral(text: string): Literal | undefined {
  const cursor: Cursor = { text, at: 0, depth: 0 };
  const data = readValue(cursor);
  if (data === nothing) return undefined;
  const valueEnd = cursor.at;
  skipBlanks(cursor);
  if (cursor.at < text.length && text[cursor.at] !== '#') return undefined;
  const written = text.slice(0, valueEnd).trim();
  const isDecimal = typeof data === 'number' && /^-?[0-9.]+$/.test(written);
  return isDecimal && String(data) !== written ? { data, printedAs: String(data) } : { data };
}

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

/** Says that no literal was found; undefined and null would be values. */
const nothing = Symbol('nothing');

const keywords: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);

/** Deeper nesting than anyone writes by hand, and far from the end of the stack. */
const maximumDepth = 100;

function readValue(cursor: Cursor): unknown {
  skipBlanks(cursor);
  const char = cursor.text[cursor.at];
  if (char === '[') return nested(cursor, readList);
  if (char === '{') return nested(cursor, readMap);
  if (isString(cursor)) return readStrings(cursor);
  return readWord(cursor);
}

function nested(cursor: Cursor, read: (cursor: Cursor) => unknown): unknown {
  if (cursor.depth >= maximumDepth) return nothing;
  cursor.depth++;
  cursor.at++;
  const data = read(cursor);
  cursor.depth--;
  return data;
}

function readList(cursor: Cursor): unknown {
  const items: unknown[] = [];
  for (;;) {
    if (take(cursor, ']')) return items;
    const item = readValue(cursor);
    if (item === nothing) return nothing;
    items.push(item);
    if (!take(cursor, ',') && !isNext(cursor, ']')) return nothing;
  }
}

function readMap(cursor: Cursor): unknown {
  const entries: [string, unknown][] = [];
  for (;;) {
    // fromEntries defines own properties, so that a key such as __proto__ stays data.
    if (take(cursor, '}')) return Object.fromEntries(entries);
    const key = readValue(cursor);
    if (key === nothing || (typeof key !== 'string' && typeof key !== 'number') || !take(cursor, ':')) return nothing;
    const value = readValue(cursor);
    if (value === nothing) return nothing;
    entries.push([String(key), value]);
    if (!take(cursor, ',') && !isNext(cursor, '}')) return nothing;
  }
}

function readWord(cursor: Cursor): unknown {
  // Blanks may stand between a sign and its number.
  const word = /([+-]?[ \t]*)([A-Za-z0-9_.+-]*)/y;
  word.lastIndex = cursor.at;
  const [text = '', sign = '', rest = ''] = word.exec(cursor.text) ?? [];
  cursor.at += text.length;
  if (keywords.has(text)) return keywords.get(text);
  return readNumber(sign.trim() + rest);
}

const digits = '[0-9](?:_?[0-9])*';
const exponent = `[eE][+-]?${digits}`;
const forms = [
  '0[xX](?:_?[0-9a-fA-F])+',
  '0[oO](?:_?[0-7])+',
  '0[bB](?:_?[01])+',
  '0(?:_?0)*|[1-9](?:_?[0-9])*',
  `(?:${digits}\\.(?:${digits})?|\\.${digits})(?:${exponent})?`,
  `${digits}${exponent}`,
];
const numberForm = new RegExp(`^([+-]?)(${forms.join('|')})$`);

/** A number in Python's notation, which is JSON's and `+1`, `.5`, `1_000`, `0x1f`, `0o17`, `0b1`. */
function readNumber(text: string): unknown {
  const match = numberForm.exec(text);
  if (!match) return nothing;
  const written = (match[2] ?? '').replaceAll('_', '');
  const size = Number(written);
  const isWhole = !/[.eE]/.test(written) || /^0[xX]/.test(written);
  if (!Number.isFinite(size) || (isWhole && !Number.isSafeInteger(size))) return nothing;
  return match[1] === '-' && size !== 0 ? -size : size;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
  ['a', '\x07'],
  ['\\', '\\'],
  ['"', '"'],
  ["'", "'"],
]);

/** Strings that stand side by side are one, as in Python. */
function readStrings(cursor: Cursor): unknown {
  let data = '';
  do {
    const part = readString(cursor);
    if (part === nothing) return nothing;
    data += String(part);
    skipBlanks(cursor);
  } while (isString(cursor));
  return data;
}

/** Whether a string comes next. Python 2 wrote `u` before it, and lists that it printed are still around. */
function isString({ text, at }: Cursor): boolean {
  return /^[uU]?["']/.test(text.slice(at, at + 2));
}

function readString(cursor: Cursor): unknown {
  const { text } = cursor;
  if (/[uU]/.test(text[cursor.at] ?? '')) cursor.at++;
  const quote = text[cursor.at++];
  let data = '';
  while (cursor.at < text.length) {
    const char = text[cursor.at++] ?? '';
    if (char === quote) return data;
    const read = char === '\\' ? readEscape(cursor) : char;
    if (read === undefined) return nothing;
    data += read;
  }
  return nothing;
}

/** What an escape stands for; undefined when it is none, which is a mistake in Python too. */
function readEscape(cursor: Cursor): string | undefined {
  const code = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|([0-7]{1,3})/y;
  code.lastIndex = cursor.at;
  const match = code.exec(cursor.text);
  if (match) {
    cursor.at += match[0].length;
    const [, byte, unit, point, octal] = match;
    return String.fromCodePoint(octal ? Number.parseInt(octal, 8) : Number.parseInt(byte ?? unit ?? point ?? '', 16));
  }
  const char = cursor.text[cursor.at++] ?? '';
  if ('xuUN'.includes(char)) return undefined;
  return escapes.get(char) ?? `\\${char}`;
}

function take(cursor: Cursor, char: string): boolean {
  if (!isNext(cursor, char)) return false;
  cursor.at++;
  return true;
}

function isNext(cursor: Cursor, char: string): boolean {
  skipBlanks(cursor);
  return cursor.text[cursor.at] === char;
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ' || cursor.text[cursor.at] === '\t') cursor.at++;
}

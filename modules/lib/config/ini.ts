import { failure } from '../../../engine/index.ts';
import { type ConfigFormat, type Data, type Edit, SyntaxMistake } from './edit.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';

/**
 * INI as systemd and its kin write it: `[Section]`, `Key=value`, comments on lines of their own, `\` at a line's end
 * continues it, and a key may be there several times. Keys before the first section stand at the root.
 */
export const ini: ConfigFormat = {
  name: 'INI',
  read,
  normalise: (keys, value) => normalise(keys, value),
  rewrites: (text, edits) => [() => edits.reduce((result, edit) => editOne(result, edit), text)],
};

interface Entry {
  readonly section: string | null;
  readonly key: string;
  readonly value: string;
  /** First line, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

interface Parsed {
  readonly lines: readonly string[];
  readonly entries: readonly Entry[];
  /** Line of each section's header, in order; a section may have several. */
  readonly headers: readonly { readonly name: string; readonly line: number }[];
}

const keyLine = /^(\s*)([^\s=#;[][^=]*?)(\s*=[ \t]*)(.*)$/;

function parse(text: string): Parsed {
  const lines = text.split('\n');
  const entries: Entry[] = [];
  const headers: { name: string; line: number }[] = [];
  let section: string | null = null;
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(/\r$/, '');
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const header = /^\s*\[([^\]]*)\]\s*([#;].*)?$/.exec(line);
    if (header) {
      section = header[1] ?? '';
      headers.push({ name: section, line: at });
      continue;
    }
    const from = at;
    const key = keyLine.exec(line);
    if (!key && !/^\s*[\w.-]+\s*$/.test(line)) {
      throw new SyntaxMistake('neither a [section], a key=value nor a comment', at + 1, 1);
    }
    let value = key?.[4] ?? '';
    while (value.endsWith('\\') && at + 1 < lines.length) {
      at++;
      const next = (lines[at] ?? '').replace(/\r$/, '');
      // systemd skips comments between the lines of a value.
      if (/^\s*[#;]/.test(next)) continue;
      value = `${value.slice(0, -1).trimEnd()} ${next.trim()}`;
    }
    entries.push({ section, key: key?.[2] ?? line.trim(), value: value.trim(), from, to: at + 1 });
  }
  return { lines, entries, headers };
}

function read(text: string): Data {
  const { entries, headers } = parse(text);
  const root = new Map<string, string | string[]>();
  const sections = new Map<string, Map<string, string | string[]>>(headers.map(({ name }) => [name, new Map()]));
  for (const { section, key, value } of entries) {
    const map = section === null ? root : sections.get(section);
    const known = map?.get(key);
    map?.set(key, known === undefined ? value : [known, value].flat());
  }
  for (const name of sections.keys()) {
    if (root.has(name)) throw new SyntaxMistake(`"${name}" is both a key and a section`);
  }
  const inner = [...sections].map(([name, map]): [string, unknown] => [name, Object.fromEntries(map)]);
  return Object.fromEntries([...root, ...inner]);
}

function normalise(keys: KeyPath, value: unknown): string | string[] {
  if (keys.length > 2) throw failure(`${formatKeyPath(keys)}: an INI file has sections and keys, nothing deeper`);
  const list = Array.isArray(value) ? value : [value];
  const texts = list.map((item) => {
    if (typeof item === 'string' && /\n/.test(item)) throw failure(`${formatKeyPath(keys)}: an INI value is one line`);
    if (typeof item === 'string') return item.trim();
    if (typeof item === 'number' || typeof item === 'boolean') return String(item);
    throw failure(`${formatKeyPath(keys)}: an INI value is a text, a number, true or false, or a list of them`);
  });
  if (texts.length === 0) throw failure(`${formatKeyPath(keys)}: the list is empty; use "remove" to remove a key`);
  return texts.length === 1 ? (texts[0] ?? '') : texts;
}

function editOne(text: string, { keys, after }: Edit): string {
  const parsed = parse(text);
  const [first = '', second] = keys;
  if (second !== undefined) return setValues(parsed, first, second, listOf(after));
  const isSection = parsed.headers.some(({ name }) => name === first);
  if (after === undefined && isSection) return withoutSection(parsed, first);
  if (typeof after === 'object' && !Array.isArray(after)) return withSection(parsed, first, []);
  return setValues(parsed, null, first, listOf(after));
}

function listOf(after: unknown): string[] {
  if (after === undefined) return [];
  // `normalise` made texts of all values.
  return Array.isArray(after) ? (after as string[]) : [String(after)];
}

/** Rewrites the lines of a key in place; new ones follow the last of them, or end the section. */
function setValues(parsed: Parsed, section: string | null, key: string, values: readonly string[]): string {
  const lines: (string | undefined)[] = [...parsed.lines];
  const isCrLf = parsed.lines[0]?.endsWith('\r') ?? false;
  const found = parsed.entries.filter((entry) => entry.section === section && entry.key === key);
  for (const [i, entry] of found.entries()) {
    const value = values[i];
    for (let at = entry.from; at < entry.to; at++) lines[at] = undefined;
    if (value === undefined) continue;
    const isKept = value === entry.value;
    const own = keyLine.exec(parsed.lines[entry.from] ?? '');
    const prefix = own ? `${own[1]}${own[2]}${own[3]}` : `${key}=`;
    const eol = parsed.lines[entry.from]?.endsWith('\r') ? '\r' : '';
    if (!isKept) lines[entry.from] = `${prefix}${value}${eol}`;
    else for (let at = entry.from; at < entry.to; at++) lines[at] = parsed.lines[at];
  }
  const added = values.slice(found.length).map((value) => `${key}${separatorOf(parsed)}${value}`);
  if (added.length > 0) {
    const end = found.at(-1)?.to ?? endOfSection(parsed, section);
    if (end === undefined) return withSection(parsed, section ?? '', added);
    const withEol = added.map((line) => (isCrLf ? `${line}\r` : line));
    // The text after the last newline is an empty line here: it stays the last one.
    lines.splice(end, 0, ...withEol);
  }
  return lines.filter((line) => line !== undefined).join('\n');
}

/** Where a new line of a section goes: behind its last key, before the comments and blank lines of the next section. */
function endOfSection({ entries, headers }: Parsed, section: string | null): number | undefined {
  const last = entries.filter((entry) => entry.section === section).at(-1);
  if (last) return last.to;
  if (section === null) return 0;
  const header = headers.filter(({ name }) => name === section).at(-1);
  return header && header.line + 1;
}

function withSection({ lines }: Parsed, name: string, added: readonly string[]): string {
  const text = lines.join('\n');
  const eol = lines[0]?.endsWith('\r') ? '\r\n' : '\n';
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : `${eol}${eol}`;
  return `${text}${gap}${[`[${name}]`, ...added].join(eol)}${eol}`;
}

/** Without the comments behind its last key, which speak of what comes next. */
function withoutSection({ lines, headers, entries }: Parsed, name: string): string {
  const kept = [...lines];
  for (const [i, header] of [...headers.entries()].reverse()) {
    if (header.name !== name) continue;
    const next = headers[i + 1]?.line ?? lines.length;
    const last = entries.findLast(({ from }) => from > header.line && from < next);
    let end = last?.to ?? header.line + 1;
    // The empty text behind the last newline stays, or the file would end without one.
    while (end < lines.length - 1 && lines[end]?.trim() === '') end++;
    kept.splice(header.line, end - header.line);
  }
  return kept.join('\n');
}

/** `=` or ` = `, as most of the file has it. */
function separatorOf({ lines }: Parsed): string {
  const separators = lines.map((line) => keyLine.exec(line)?.[3]).filter((text) => text !== undefined);
  const spaced = separators.filter((text) => text.startsWith(' ') || text.startsWith('\t')).length;
  return spaced * 2 > separators.length ? ' = ' : '=';
}

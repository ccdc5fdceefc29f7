import { failure } from '../../../engine/index.ts';
import { type ConfigFormat, type Data, type Edit, SyntaxMistake } from './edit.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';

/**
 * Files of `NAME=value` as a shell sources them and systemd reads them (`EnvironmentFile=`): `export` in front, quotes,
 * and white space inside a value without quotes, which only systemd takes.
 */
export const env: ConfigFormat = {
  name: 'env',
  read,
  normalise: (keys, value) => normalise(keys, value),
  refuse,
  rewrites: (text, edits) => [() => edits.reduce((result, edit) => editOne(result, edit), text)],
};

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly line: number;
  /** The whole line or lines, the newline included. */
  readonly from: number;
  readonly to: number;
  readonly valueFrom: number;
  readonly valueTo: number;
  readonly quote: '"' | "'" | '';
  /** A `$` that a shell would expand. */
  readonly hasExpansion: boolean;
}

function parse(text: string): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const from = at;
    const rest = text.slice(at);
    const skipped = /^[ \t]*(?:[#;][^\n]*)?\r?(?:\n|$)/.exec(rest)?.[0];
    const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=[ \t]*/.exec(rest);
    if (skipped !== undefined && skipped !== '') {
      at += skipped.length;
    } else if (assignment) {
      const valueFrom = at + assignment[0].length;
      const value = readValue(text, valueFrom, line);
      const newline = text.indexOf('\n', value.end);
      at = newline < 0 ? text.length : newline + 1;
      entries.push({ name: assignment[1] ?? '', line, from, to: at, valueFrom, valueTo: value.end, ...value.read });
    } else {
      throw new SyntaxMistake('neither NAME=value nor a comment', line, 1);
    }
    line += text.slice(from, at).split('\n').length - 1;
  }
  return entries;
}

function readValue(
  text: string,
  start: number,
  line: number,
): { end: number; read: Pick<Entry, 'value' | 'quote' | 'hasExpansion'> } {
  let value = '';
  let hasExpansion = false;
  let at = start;
  const parts: string[] = [];
  while (at < text.length && !/[\r\n]/.test(text.charAt(at))) {
    const rest = text.slice(at);
    const space = /^[ \t]+/.exec(rest)?.[0];
    if (space !== undefined) {
      const after = text.slice(at + space.length);
      if (after === '' || /^[\r\n#]/.test(after)) break;
      value += space;
      at += space.length;
      parts.push(' ');
      continue;
    }
    const part = readPart(rest);
    if (part === undefined) throw new SyntaxMistake(`the quote ${rest.charAt(0)} is never closed`, line, 1);
    value += part.value;
    hasExpansion ||= part.hasExpansion;
    parts.push(part.quote);
    at += part.length;
  }
  const [first = ''] = parts;
  const quote = parts.length === 1 && (first === '"' || first === "'") ? first : '';
  return { end: at, read: { value, quote, hasExpansion } };
}

function readPart(rest: string): { value: string; length: number; quote: string; hasExpansion: boolean } | undefined {
  const first = rest.charAt(0);
  if (first === "'") {
    const end = rest.indexOf("'", 1);
    if (end < 0) return undefined;
    return { value: rest.slice(1, end), length: end + 1, quote: "'", hasExpansion: false };
  }
  if (first === '"') {
    const raw = /^"((?:[^"\\]|\\[^])*)"/.exec(rest);
    if (!raw) return undefined;
    const inner = raw[1] ?? '';
    const value = inner.replace(/\\([$`"\\\n])/g, (_, c: string) => (c === '\n' ? '' : c));
    return { value, length: raw[0].length, quote: '"', hasExpansion: /(^|[^\\])(\\\\)*[$`]/.test(inner) };
  }
  if (first === '\\' && rest.length > 1) {
    const escaped = rest.charAt(1);
    return { value: escaped === '\n' ? '' : escaped, length: 2, quote: '\\', hasExpansion: false };
  }
  return { value: first, length: 1, quote: 'plain', hasExpansion: first === '$' || first === '`' };
}

function read(text: string): Data {
  return Object.fromEntries(parse(text).map((entry) => [entry.name, entry.value]));
}

function refuse(text: string, { keys }: Pick<Edit, 'keys'>): void {
  const [first, second] = parse(text).filter((entry) => entry.name === keys[0]);
  if (!first || !second) return;
  // A shell takes the last one, a reader sees the first one: nobody could tell which one is meant.
  throw failure(`${first.name} is set more than once, in lines ${first.line} and ${second.line}; leave one of them`);
}

function normalise(keys: KeyPath, value: unknown): string {
  const name = keys[0] ?? '';
  if (keys.length > 1) throw failure(`${formatKeyPath(keys)}: an env file has names and values, nothing deeper`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw failure(`"${name}" is no name of an environment variable`);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw failure(`${name}: the value of a variable is a text, a number, true or false`);
}

function editOne(text: string, { keys, after }: Edit): string {
  const name = keys[0] ?? '';
  const entry = parse(text).find((candidate) => candidate.name === name);
  if (!entry) {
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${gap}${name}=${encode(String(after), '', false)}\n`;
  }
  if (after === undefined) return text.slice(0, entry.from) + text.slice(entry.to);
  const value = encode(String(after), entry.quote, entry.hasExpansion);
  return text.slice(0, entry.valueFrom) + value + text.slice(entry.valueTo);
}

/** In the quotes that were there; without quotes only what needs none. */
function encode(value: string, quote: Entry['quote'], hasExpansion: boolean): string {
  if (quote === '' && /^[A-Za-z0-9_@%+=:,./-]*$/.test(value)) return value;
  const isLiteral = !hasExpansion && /[$`"\\]/.test(value) && quote !== '"';
  if ((quote === "'" || isLiteral) && !value.includes("'")) return `'${value}'`;
  // What a shell expanded before it must expand afterwards too.
  const special = hasExpansion ? /["\\]/g : /["\\$`]/g;
  return `"${value.replace(special, '\\$&')}"`;
}

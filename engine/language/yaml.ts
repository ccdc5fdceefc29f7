import { Alias, isAlias, isMap, isScalar, isSeq, type Node as LibraryNode, parseDocument } from 'yaml';
import type { Diagnostic } from '../base/diagnostic.ts';
import { hiddenText, type Secret } from '../base/secret.ts';
import { positionAt, type Range, type Source } from '../base/source.ts';
import { foreignBytes } from './encoding.ts';
import { type OpenedSource, vaultKey, vaultTag } from './encrypted-files.ts';

/** A node of a YAML file: aliases and merge keys are resolved, every node knows its place. */
export type YamlNode = YamlScalar | YamlMap | YamlList;

/** A text, a number, a boolean or null. */
export interface YamlScalar {
  readonly kind: 'scalar';
  /** Asterisks for a secret, so that whoever forgets about them shows nothing. */
  readonly value: string | number | boolean | null;
  /** Set when the value stood encrypted in the file. */
  readonly secret?: Secret;
  /** Tagged `!expr`: the text is a CEL expression. */
  readonly isExpression: boolean;
  readonly range: Range;
}

/** A map; its keys are unique texts. */
export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  readonly range: Range;
}

/** A key of a map with its value. */
export interface YamlEntry {
  readonly key: string;
  readonly keyRange: Range;
  readonly value: YamlNode;
}

/** A list. */
export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly range: Range;
}

/** A parsed file. `root` is absent when the file is empty or cannot be read as YAML. */
export interface YamlFile {
  readonly source: Source;
  readonly root?: YamlNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** More nodes than anybody writes: what is bigger was blown up by aliases of aliases. */
const maxNodes = 500_000;
const knownTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((t) => `tag:yaml.org,2002:${t}`));

/** Reads one YAML 1.2 document. Never throws: what is wrong is in `diagnostics`. */
export function parseYaml(file: OpenedSource): YamlFile {
  const parsed = parseText(file);
  if (file.isSecret && parsed.root?.kind === 'list')
    return { source: parsed.source, diagnostics: [refuseList(parsed.root)] };
  return file.isSecret ? { ...parsed, diagnostics: parsed.diagnostics.map(withoutContent) } : parsed;
}

/** Plays or tasks, of which every text would be a secret: hosts, names of modules, commands. */
function refuseList({ range }: YamlNode): Diagnostic {
  const message = 'an encrypted file holds variables or an inventory, no plays and no tasks';
  return { severity: 'error', message, hint: 'encrypt the variables instead', range };
}

/** What the parser says may quote a part of a secret. */
function withoutContent(diagnostic: Diagnostic): Diagnostic {
  const hint = 'a value that begins with one of & * ! % @ ` { [ | > must be put in quotes';
  return { ...diagnostic, message: 'the text that is encrypted here is not valid YAML', hint };
}

function parseText(file: OpenedSource): YamlFile {
  // The package counts a byte order mark as a column, and then finds the first line indented.
  const source = file.text.startsWith('\uFEFF') ? { ...file, text: file.text.slice(1) } : file;
  const diagnostics: Diagnostic[] = [];
  const report = (range: Range, message: string, hint?: string): void => {
    diagnostics.push({ severity: 'error', message, range, ...(hint !== undefined && { hint }) });
  };
  const whole: Range = { source, start: 0, end: 1 };
  const foreign = foreignBytes(source);
  if (foreign) return { source, diagnostics: [foreign] };
  // The package's flow collections are recursive, and its regular expressions end the process when they are too deep.
  if (/(?:[[{]\s*){200}/.test(source.text)) {
    report(whole, 'the file is nested too deeply');
    return { source, diagnostics };
  }
  const document = parseDocument(source.text, {
    merge: true,
    // Own check below, which can say where the first one is.
    uniqueKeys: false,
    prettyErrors: false,
    // Not `silent`, which would hide a second document.
    logLevel: 'error',
    customTags: ['!expr', vaultTag].map((tag) => ({ tag, resolve: (text: string) => text })),
  });
  for (const [i, { code, message, pos }] of document.errors.entries()) {
    // After a mistake the parser stumbles over what follows, token by token.
    if (i > 0 && (code === 'UNEXPECTED_TOKEN' || pos[0] === document.errors[i - 1]?.pos[0])) continue;
    // What is missing at the end of the file is shown behind its last character.
    const start = Math.min(pos[0], source.text.trimEnd().length);
    const range = { source, start, end: Math.max(start + 1, pos[1]) };
    if (code === 'MULTIPLE_DOCS') {
      report({ ...range, end: start + 3 }, 'a file holds one YAML document', 'remove the second "---"');
    } else if (/call stack/.test(message)) report(range, 'the file is nested too deeply');
    else report(range, `not valid YAML: ${plain(message)}`, hintFor(code, source, pos[0]));
  }
  if (document.directives?.yaml.version === '1.1') report(whole, 'YAML 1.1 is not supported', 'remove the %YAML line');
  if (diagnostics.length > 0 || document.contents === null) return { source, diagnostics };
  const root = createConverter(source, report)(document.contents);
  return { source, diagnostics, ...(root && diagnostics.length === 0 && { root }) };
}

/** The entry of a map with this key. */
export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** What a node is, for error messages: `a list`, `a map`, `the number 5`. */
export function describeNode(node: YamlNode): string {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list';
  if (node.secret) return 'a secret';
  if (node.isExpression) return 'an expression';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the text ${JSON.stringify(shorten(node.value))}`;
  return typeof node.value === 'number' ? `the number ${node.value}` : String(node.value);
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

type Report = (range: Range, message: string, hint?: string) => void;

function createConverter(source: OpenedSource, report: Report): (node: LibraryNode) => YamlNode | undefined {
  let count = 0;
  const open = new Set<LibraryNode>();
  // Own bookkeeping: the package looks through the whole document for every alias.
  const anchors = new Map<string, LibraryNode>();
  const seen = new Set<LibraryNode>();
  const rangeOf = (node: LibraryNode): Range => {
    const [start, end] = node.range ?? [0, 0];
    const text = source.text.slice(start, end);
    return { source, start, end: start + text.trimEnd().length };
  };

  function convert(node: LibraryNode | null, place?: Range): YamlNode | undefined {
    if (node === null) return { kind: 'scalar', value: null, isExpression: false, range: place ?? rangeAt(source, 0) };
    if (++count > maxNodes) {
      if (count === maxNodes + 1) report(rangeOf(node), 'the aliases of this file expand to more than can be read');
      return undefined;
    }
    if (isAlias(node)) return convertAlias(node);
    if (node.tag === vaultTag) return convertVault(node);
    if (node.tag !== undefined && node.tag !== '!expr' && node.tag !== '!' && !knownTags.has(node.tag)) {
      const message = `unknown tag ${node.tag.replace('tag:yaml.org,2002:', '!!')}`;
      report(rangeOf(node), message, 'the only tags are !expr and !vault');
      return undefined;
    }
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined && !seen.has(node)) anchors.set(anchor, node);
    seen.add(node);
    open.add(node);
    try {
      if (isScalar(node)) return convertScalar(node, rangeOf(node));
      if (isMap(node)) return { kind: 'map', entries: convertEntries(node), range: rangeOf(node) };
      if (!isSeq(node)) return undefined;
      const items = node.items.flatMap((item) => convert(item as LibraryNode) ?? []);
      return { kind: 'list', items, range: rangeOf(node) };
    } finally {
      open.delete(node);
    }
  }

  function convertAlias(alias: Alias): YamlNode | undefined {
    const target = anchors.get(alias.source);
    if (target && !open.has(target)) return convert(target);
    if (target) report(rangeOf(alias), `the alias *${alias.source} stands inside its own anchor`);
    else report(rangeOf(alias), `no anchor &${alias.source} before this alias`);
    return undefined;
  }

  function convertVault(node: LibraryNode): YamlScalar | undefined {
    const range = rangeOf(node);
    const opened = isScalar(node) ? source.vaulted?.get(vaultKey(String(node.value))) : 'only a text can be encrypted';
    if (opened !== undefined && typeof opened !== 'string') return hidden(opened, range);
    // Of the value itself nobody learns anything but where it begins.
    const problem = opened ?? 'encrypted values cannot be read in this file';
    report({ ...range, end: range.start + 1 }, `this value cannot be read: ${problem}`);
    return undefined;
  }

  function hidden(secret: Secret, range: Range, isExpression = false): YamlScalar {
    return { kind: 'scalar', value: hiddenText, secret, isExpression, range };
  }

  function convertScalar(node: LibraryNode & { value: unknown }, range: Range): YamlNode | undefined {
    const { value } = node;
    const isExpression = node.tag === '!expr';
    if (source.seal) {
      if (typeof value === 'string' && value !== '') return hidden(source.seal(value), range, isExpression);
      // As it is written: a leading zero is a part of a password.
      if (typeof value === 'number') return hidden(source.seal(source.text.slice(range.start, range.end)), range);
    }
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', value, isExpression, range };
    }
    // A merge key as a value, the only other scalar of the core schema.
    return { kind: 'scalar', value: source.text.slice(range.start, range.end), isExpression, range };
  }

  function convertEntries(map: LibraryNode & { items: readonly { key: unknown; value: unknown }[] }): YamlEntry[] {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlEntry[] = [];
    for (const pair of map.items) {
      // The parser makes keys and values nodes; only an absent value is null.
      const key = pair.key as LibraryNode | null;
      const keyRange = key ? rangeOf(key) : rangeOf(map);
      const value = convert(pair.value as LibraryNode | null, { ...keyRange, start: keyRange.end });
      if (!key || !isScalar(key)) {
        report(keyRange, 'a key must be a text', templateHint(source, keyRange));
        continue;
      }
      if (!value) continue;
      if (typeof key.value === 'symbol') merged.push(...mergedEntries(value));
      else addEntry(entries, { key: keyText(key.value, source, keyRange), keyRange, value });
    }
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    return [...entries.values()];
  }

  function addEntry(entries: Map<string, YamlEntry>, entry: YamlEntry): void {
    const first = entries.get(entry.key);
    if (first) {
      const { line } = positionAt(source, first.keyRange.start);
      report(entry.keyRange, `"${entry.key}" stands twice in the same map`, `the first is in line ${line}`);
    } else if (entry.key === '__proto__') report(entry.keyRange, '"__proto__" cannot be a key');
    else entries.set(entry.key, entry);
  }

  function mergedEntries(value: YamlNode): readonly YamlEntry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'list') return value.items.flatMap(mergedEntries);
    report(value.range, '<< takes a map or a list of maps');
    return [];
  }

  return (node) => convert(node);
}

function keyText(value: unknown, source: Source, range: Range): string {
  // `1:` and `yes:` are keys as they are written, whatever YAML would read them as.
  return typeof value === 'string' ? value : source.text.slice(range.start, range.end);
}

function rangeAt(source: Source, offset: number): Range {
  return { source, start: offset, end: offset };
}

function plain(message: string): string {
  return message.replace(/\.$/, '').replace(/^./, (c) => c.toLowerCase());
}

function templateHint(source: Source, range: Range): string | undefined {
  const isTemplate = source.text.slice(Math.max(0, range.start - 1), range.start + 1) === '{{';
  return isTemplate ? bracesHint(lineAround(source, range.start)) : undefined;
}

function bracesHint(line: string): string {
  const isCondition = /^[\s-]*(when|until|changed_when|failed_when)\s*:/.test(line);
  return isCondition
    ? 'an expression is written without {{ }}'
    : 'a value that starts with {{ must be put in quotes: "{{ name }}"';
}

function lineAround(source: Source, offset: number): string {
  const start = source.text.lastIndexOf('\n', offset - 1) + 1;
  return source.text.slice(start).split('\n', 1)[0] ?? '';
}

function hintFor(code: string, source: Source, offset: number): string | undefined {
  const line = lineAround(source, offset);
  if (/:\s+\{\{/.test(line)) return bracesHint(line);
  if (code === 'TAB_AS_INDENT' || /^ *\t/.test(line)) return 'indent with spaces';
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && /:\s.*:\s/.test(line)) return 'a text with ": " in it must be put in quotes';
  return undefined;
}

import { didYouMean } from '../base/diagnostic.ts';
import type { Range, Source } from '../base/source.ts';
import { type DraftGroup, ensureGroup } from './draft.ts';
import { joinGroups, warnOfGroupName } from './groups.ts';
import { readGroupVariable, readHostLine } from './ini-lines.ts';
import type { ReadingContext } from './reading.ts';

/** A group that a line names before a section of its own declares it. */
interface Pending {
  readonly kind: 'children' | 'vars';
  readonly range: Range;
  readonly parents: { readonly name: string; readonly range: Range }[];
}

interface Reader extends ReadingContext {
  readonly source: Source;
  readonly pending: Map<string, Pending>;
  /** The section that the next line belongs to; undefined after a header that could not be read. */
  section: { readonly group: DraftGroup; readonly kind: Kind } | undefined;
}

type Kind = 'hosts' | 'children' | 'vars';
const kinds: readonly Kind[] = ['hosts', 'children', 'vars'];

/**
 * Reads an inventory in Ansible's INI format into a draft. The grammar is that of ansible-core's `ini.py`; where a mistake
 * ends Ansible's reading, it is reported here and the next line is read.
 */
export function readIni(source: Source, context: ReadingContext): void {
  const reader: Reader = {
    ...context,
    source,
    pending: new Map(),
    section: { group: ensureGroup(context.draft, 'ungrouped'), kind: 'hosts' },
  };
  for (const line of linesOf(source)) {
    if (line.start === line.end || /[;#]/.test(source.text[line.start] ?? '')) continue;
    readLine(reader, line);
  }
  reportPending(reader);
}

function readLine(reader: Reader, line: Range): void {
  const text = reader.source.text.slice(line.start, line.end);
  const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(text);
  if (header) return readHeader(reader, line, header[1] ?? '', header[2]);
  // A host line, too, may begin and end with a bracket: [2001:db8::1]:22 ports=[80]
  if (text.startsWith('[') && text.endsWith(']') && !/^\[[^\]]+\]:\d+\s/.test(text)) {
    reader.section = undefined;
    return reader.report({
      severity: 'error',
      message: 'a section is [group], [group:children] or [group:vars], without spaces',
      range: line,
    });
  }
  const { section } = reader;
  if (section?.kind === 'hosts') readHostLine(reader, section.group, line);
  else if (section?.kind === 'vars') readGroupVariable(reader, section.group, line);
  else if (section?.kind === 'children') readChildLine(reader, section.group, line, text);
}

function readHeader(reader: Reader, line: Range, name: string, kindText = 'hosts'): void {
  const nameRange = { ...line, start: line.start + 1, end: line.start + 1 + name.length };
  const kind = kinds.find((k) => k === kindText);
  if (!kind) {
    const start = nameRange.end + 1;
    const near = kinds.find((k) => k.startsWith(kindText.slice(0, 4)));
    reader.section = undefined;
    return reader.report({
      severity: 'error',
      message: `a section is of the kind hosts, children or vars, not "${kindText}"`,
      hint: didYouMean(near ?? kindText, kinds) ?? `for a group's hosts write [${name}]`,
      range: { ...line, start, end: start + kindText.length },
    });
  }
  const isNew = !reader.draft.groups.has(name);
  if (isNew && !reader.pending.has(name)) warnOfGroupName(reader, name, nameRange);
  reader.section = { group: ensureGroup(reader.draft, name, nameRange), kind };
  if (kind === 'vars') {
    if (isNew && !reader.pending.has(name)) reader.pending.set(name, { kind, range: nameRange, parents: [] });
    return;
  }
  // Children are joined where they are declared, not where they are named: that is Ansible's order of hosts.
  const pending = reader.pending.get(name);
  reader.pending.delete(name);
  for (const parent of pending?.parents ?? []) joinGroups(reader, parent.name, name, parent.range);
}

function readChildLine(reader: Reader, parent: DraftGroup, line: Range, text: string): void {
  const name = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(text)?.[1];
  if (name === undefined) {
    return reader.report({
      severity: 'error',
      message: `a line of [${parent.name}:children] is the name of one group`,
      ...(/^\S+\s+\S+=/.test(text) && { hint: `variables of groups stand in a section [NAME:vars]` }),
      range: line,
    });
  }
  const range = { ...line, end: line.start + name.length };
  if (reader.draft.groups.has(name)) return joinGroups(reader, parent.name, name, range);
  const pending = reader.pending.get(name);
  if (pending) pending.parents.push({ name: parent.name, range });
  else {
    warnOfGroupName(reader, name, range);
    reader.pending.set(name, { kind: 'children', range, parents: [{ name: parent.name, range }] });
  }
}

function reportPending(reader: Reader): void {
  const declared = [...reader.draft.groups.keys()].filter((name) => !reader.pending.has(name));
  for (const [name, { kind, range }] of reader.pending) {
    const isHost = reader.draft.hosts.has(name);
    const hint =
      kind === 'children' && isHost
        ? `"${name}" is a host: hosts stand in a section without ":children"`
        : (didYouMean(name, declared) ?? `declare it with a section [${name}], which may be empty`);
    reader.report({ severity: 'error', message: `there is no group "${name}"`, hint, range });
  }
}

/** The lines of a source as ranges, blanks at both ends left out. They end where Python's `splitlines` ends them. */
function* linesOf(source: Source): Generator<Range> {
  const { text } = source;
  for (let start = text.startsWith('\uFEFF') ? 1 : 0; start < text.length; ) {
    const lineBreak = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;
    lineBreak.lastIndex = start;
    const found = lineBreak.exec(text);
    const line = text.slice(start, found?.index);
    const lead = line.length - line.trimStart().length;
    const end = start + line.trimEnd().length;
    yield { source, start: Math.min(start + lead, end), end };
    start = found ? lineBreak.lastIndex : text.length;
  }
}

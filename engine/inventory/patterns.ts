import { readFileSync } from 'node:fs';
import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import { errorMessage, fileProblem } from '../base/errors.ts';
import type { Range } from '../base/source.ts';
import { compileGlob } from './glob.ts';
import type { Host, Inventory } from './inventory.ts';
import { type Subscript, splitPattern, type Term } from './pattern-terms.ts';

/**
 * The hosts that a pattern names, in the order of its terms and, within a term, of the inventory: terms first, then `&`,
 * then `!`. Of a list of patterns each is split into terms by itself. Raises a DiagnosticsError with every term that names
 * nothing; what `&` and `!` leave may be empty.
 */
export function matchHosts(inventory: Inventory, pattern: string | readonly string[], range?: Range): readonly Host[] {
  const patterns = typeof pattern === 'string' ? [pattern] : pattern;
  const whole = range ?? wholeOf('the host pattern', patterns.join(','));
  const terms = patterns.flatMap((one) => placedTerms(inventory, one, whole));
  return evaluate(inventory, terms, whole, []);
}

/**
 * Those of some hosts that a `--limit` names, too. `@FILE` in it stands for the patterns in that file, one a line.
 * Raises a DiagnosticsError as {@link matchHosts} does.
 */
export function limitHosts(
  inventory: Inventory,
  hosts: readonly Host[],
  limit: string,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): readonly Host[] {
  const whole = wholeOf('--limit', limit);
  const mistakes: Diagnostic[] = [];
  const terms = placedTerms(inventory, limit, whole).flatMap((term) =>
    term.text.startsWith('@') ? termsOfFile(inventory, term, readFile, mistakes) : [term],
  );
  return keep(hosts, evaluate(inventory, terms, whole, mistakes));
}

interface PlacedTerm extends Term {
  readonly range: Range;
}

function placedTerms(inventory: Inventory, pattern: string, whole: Range): PlacedTerm[] {
  const terms = splitPattern(pattern, (name) => inventory.hosts.has(name));
  return terms.map((term) => ({ ...term, range: placeOf(whole, pattern, term) }));
}

function evaluate(
  inventory: Inventory,
  terms: readonly PlacedTerm[],
  whole: Range,
  mistakes: Diagnostic[],
): readonly Host[] {
  if (terms.length === 0 && mistakes.length === 0) {
    mistakes.push({ severity: 'error', message: 'the host pattern is empty', range: whole });
  }
  const found = terms.map((term) => ({ term, hosts: matchTerm(inventory, term, mistakes) }));
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  const of = (kind: Term['kind']) => found.filter(({ term }) => term.kind === kind);
  // Ansible: only & and ! mean "of all hosts".
  const added = of('add').length > 0 ? of('add').flatMap(({ hosts }) => hosts) : hostsOfGroup(inventory, 'all');
  const kept = of('keep').reduce((hosts, term) => keep(hosts, term.hosts), distinct(added));
  const removed = new Set(of('remove').flatMap(({ hosts }) => hosts.map(identity)));
  return kept.filter((host) => !removed.has(identity(host)));
}

/** This machine is one host, whichever of its names a pattern uses. */
function identity(host: Host): string {
  return host.isImplicit ? 'localhost' : host.name;
}

function distinct(hosts: readonly Host[]): readonly Host[] {
  const first = new Map<string, Host>();
  for (const host of hosts) if (!first.has(identity(host))) first.set(identity(host), host);
  return [...first.values()];
}

function keep(hosts: readonly Host[], others: readonly Host[]): readonly Host[] {
  const kept = new Set(others.map(identity));
  return hosts.filter((host) => kept.has(identity(host)));
}

function termsOfFile(
  inventory: Inventory,
  { text: reference, range }: PlacedTerm,
  readFile: (path: string) => string,
  mistakes: Diagnostic[],
): PlacedTerm[] {
  const path = reference.slice(1);
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    mistakes.push({ severity: 'error', message: `cannot read ${path}: ${fileProblem(error)}`, range });
    return [];
  }
  const source = { path, text };
  return [...text.matchAll(/.+/g)].flatMap((line) =>
    placedTerms(inventory, line[0], { source, start: line.index, end: line.index + line[0].length }),
  );
}

function matchTerm(inventory: Inventory, term: PlacedTerm, mistakes: Diagnostic[]): readonly Host[] {
  const { name, range } = term;
  const fail = (message: string, hint?: string): readonly Host[] => {
    mistakes.push({ severity: 'error', message, ...(hint !== undefined && { hint }), range });
    return [];
  };
  const host = inventory.hosts.get(withoutMark(term));
  if (host) return [host];
  if (term.subscript?.hasDash) {
    const { text } = term.subscript;
    const slice = `${name}${text.replace('-', ':')}`;
    return fail(
      `"${text}" is no slice of a group`,
      `write ${slice} for some hosts of it, or ~${name}${text}$ for names`,
    );
  }
  if (name === '' || name === '~') return fail('a term of the host pattern is empty', term.hint);
  const test = compileName(name);
  if (typeof test === 'string') {
    return fail(
      `"${name.slice(1)}" is no regular expression: ${test}`,
      '"," ends a term, and so does ":" outside of []',
    );
  }
  const groups = [...inventory.groups.keys()].filter(test);
  const hosts = new Set(groups.flatMap((group) => hostsOfGroup(inventory, group)));
  if (groups.length === 0 || /^~|[.?*[]/.test(name)) {
    for (const [hostName, candidate] of inventory.hosts) if (test(hostName)) hosts.add(candidate);
  }
  const implicit = inventory.localhosts.get(name);
  if (hosts.size === 0 && implicit) hosts.add(implicit);
  if (hosts.size === 0) return failEmpty(inventory, term, groups, fail);
  return term.subscript ? applySubscript([...hosts], term, term.subscript, fail) : [...hosts];
}

type Fail = (message: string, hint?: string) => readonly Host[];

function failEmpty(inventory: Inventory, term: Term, groups: readonly string[], fail: Fail): readonly Host[] {
  const [group] = groups;
  if (inventory.hosts.size === 0)
    return fail('there is no inventory', 'name one with -i FILE, or hosts with -i n1,n2,');
  // To keep or to take away the hosts of an empty group is no mistake.
  if (group !== undefined && term.kind !== 'add') return [];
  if (group !== undefined) return fail(`the group "${group}" has no hosts`);
  const fileHint = term.name.startsWith('@') ? 'a file of patterns is named in --limit, and without a mark' : undefined;
  const hint = fileHint ?? term.hint ?? didYouMean(term.name, [...inventory.groups.keys(), ...inventory.hosts.keys()]);
  if (/^~|[*?[]/.test(term.name)) return fail(`no host and no group matches "${term.name}"`, hint);
  return fail(`there is no host and no group "${term.name}"`, hint);
}

function applySubscript(hosts: readonly Host[], term: Term, subscript: Subscript, fail: Fail): readonly Host[] {
  const { first, slice, text } = subscript;
  const picked = slice
    ? hosts.slice(first, slice.last === undefined ? undefined : slice.last + 1)
    : hosts.slice(first, first + 1 || undefined);
  // A negative index before the first host would otherwise count from there.
  if (picked.length > 0 && first >= -hosts.length) return picked;
  const count = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`;
  return fail(`"${term.name}" has ${count}, none of them at ${text}`);
}

/** A test of names, or what is wrong with the regular expression. */
function compileName(name: string): ((text: string) => boolean) | string {
  if (!name.startsWith('~')) return compileGlob(name);
  const ignoresCase = name.startsWith('~(?i)');
  try {
    const expression = new RegExp(`^(?:${fromPython(name.slice(ignoresCase ? 5 : 1))})`, ignoresCase ? 'i' : '');
    return (text) => expression.test(text);
  } catch (error) {
    return errorMessage(error).replace(/^.*: /, '').toLowerCase();
  }
}

/** What Python writes in another way than JavaScript, of what is common in patterns; `(?i)` is the caller's. */
function fromPython(expression: string): string {
  const spellings: Readonly<Record<string, string>> = { '\\A': '^', '\\Z': '$', '(?P<': '(?<' };
  return expression.replace(/\\.|\(\?P</g, (written) => spellings[written] ?? written);
}

function hostsOfGroup(inventory: Inventory, group: string): Host[] {
  return (inventory.groups.get(group)?.hosts ?? []).flatMap((name) => inventory.hosts.get(name) ?? []);
}

/** The term without `&` or `!`, subscript included: a host's own name may look like one. */
function withoutMark(term: Term): string {
  return term.kind === 'add' ? term.text : term.text.slice(1).trim();
}

function wholeOf(path: string, text: string): Range {
  return { source: { path, text }, start: 0, end: text.length };
}

/** Where a term stands; the whole range when the pattern was put together by a template. */
function placeOf(whole: Range, pattern: string, term: Term): Range {
  const first = whole.source.text.slice(whole.start, whole.end).indexOf(pattern);
  if (term.text === '' || first === -1) return whole;
  return { ...whole, start: whole.start + first + term.start, end: whole.start + first + term.end };
}

import { didYouMean } from '../../base/diagnostic.ts';
import { formatRange, type Range } from '../../base/source.ts';
import { celTypeNames } from '../expression/environment.ts';
import { foreignVariableHint } from '../foreign-variables.ts';
import type { Expression, Reference, Value } from '../value.ts';
import type { Findings } from './findings.ts';
import { guardedPaths, textsIn } from './guards.ts';
import { type Found, findName, namesAt, type Place, type PlayNames } from './names.ts';
import { describeShape, followPath, type PathEnd } from './shape.ts';

/** What reads names: a value, an expression, or a template file. */
export type Reader = Pick<Value, 'references'> & Partial<Pick<Value, 'written'> & Pick<Expression, 'text'>>;

/** A task or a clause of one, whose names are checked. */
export interface Reading extends Place {
  /** For messages: where the task stands that reads. */
  readonly range: Range;
  /** Under what name its own result will be known, and whether `--tags` leave it in. */
  readonly register?: string | undefined;
  readonly isSelected: boolean;
  /** It runs in any case, so that what some hosts lack will be missed there. */
  readonly isUnconditional: boolean;
  /** Texts whose guards hold for everything in it: conditions. */
  readonly guards: readonly string[];
}

/** Checks the names that parts of a playbook read: those of one play. */
export class ReferenceCheck {
  readonly #findings: Findings;
  readonly #names: PlayNames;
  readonly #references = new Map<Value, readonly Reference[]>();
  readonly #leaves = new Map<Value, readonly Leaf[]>();

  constructor(findings: Findings, names: PlayNames) {
    this.#findings = findings;
    this.#names = names;
  }

  /** Checks what is read at a place, and what the variables that it reads need in turn. */
  check(reading: Reading, reader: Reader): void {
    const seen = new Set<Value>();
    for (const reference of reader.references) this.#checkOne(reading, { reference, reader }, seen);
  }

  /** Checks variables that perhaps nothing reads: only what no task could mend, and only as a doubt. */
  doubt(place: Place, value: Value): void {
    for (const leaf of this.#leavesOf(place, value)) {
      if (leaf.trouble === 'undefined') this.#reportUndefined(place, leaf, 'warning');
      else if (leaf.trouble) this.#reportMember(leaf, leaf.trouble, 'warning');
    }
  }

  #checkOne(reading: Reading, leaf: Leaf, seen: Set<Value>): void {
    const { reference } = leaf;
    const [name = ''] = reference.path;
    // `type(x) == map`: a variable of such a name was refused when the expression was compiled.
    if (celTypeNames.has(name)) return;
    const found = findName(reading, name);
    if (!found) return this.#reportMissing(reading, leaf);
    this.#checkGiver(reading, leaf, found);
    if (name === 'facts' && !this.#names.hasFacts) return this.#reportNoFacts(reference);
    if (found.missingOn && reading.isUnconditional) this.#reportPartly(reading, leaf, found.missingOn());
    if (reference.path.length > 1) {
      const end = followPath(found.shape(), reference.path);
      if ('missing' in end && !this.#isGuarded(reading, leaf, end.missing)) this.#reportMember(leaf, end, 'error');
    }
    for (const value of found.values) this.#follow(reading, value, seen);
  }

  /** What a variable's value needs, wherever the value stands. */
  #follow(reading: Reading, value: Value, seen: Set<Value>): void {
    if (seen.has(value)) return;
    seen.add(value);
    for (const leaf of this.#leavesOf(reading, value)) {
      if (typeof leaf.trouble === 'object') this.#reportMember(leaf, leaf.trouble, 'error');
      else this.#checkOne(reading, leaf, seen);
    }
  }

  /**
   * What a value reads, at last, of names that differ from task to task, and what is wrong in it wherever it is read. Names
   * that mean the same in the whole play are followed here, once.
   */
  #leavesOf(place: Place, value: Value): readonly Leaf[] {
    const known = this.#leaves.get(value);
    if (known) return known;
    // A value that needs itself ends here; the run tells the chain.
    this.#leaves.set(value, []);
    const steady: Place = { names: this.#names, vars: [], defaults: place.defaults, locals: new Map() };
    const leaves = new Map<string, Leaf>();
    for (const reference of this.#referencesOf(value)) {
      for (const leaf of this.#leavesOfReference(steady, { reference, reader: value })) {
        leaves.set(`${leaf.reference.path.join('.')} ${typeof leaf.trouble}`, leaf);
      }
    }
    const all = [...leaves.values()];
    this.#leaves.set(value, all);
    return all;
  }

  #leavesOfReference(steady: Place, leaf: Leaf): readonly Leaf[] {
    const { path } = leaf.reference;
    const [name = ''] = path;
    if (this.#names.changing.has(name) || name === 'facts') return [leaf, ...this.#memberTrouble(steady, leaf)];
    if (celTypeNames.has(name)) return [];
    const found = findName(steady, name);
    if (!found) return this.#isGuarded(undefined, leaf, 0) ? [] : [{ ...leaf, trouble: 'undefined' }];
    return [...this.#memberTrouble(steady, leaf), ...found.values.flatMap((value) => this.#leavesOf(steady, value))];
  }

  #memberTrouble(steady: Place, leaf: Leaf): readonly Leaf[] {
    const { path } = leaf.reference;
    const [name = ''] = path;
    if (path.length === 1 || (this.#names.changing.has(name) && name !== 'facts')) return [];
    const end = followPath(findName(steady, name)?.shape(), path);
    return 'missing' in end && !this.#isGuarded(undefined, leaf, end.missing) ? [{ ...leaf, trouble: end }] : [];
  }

  #referencesOf(value: Value): readonly Reference[] {
    const known = this.#references.get(value) ?? value.references;
    this.#references.set(value, known);
    return known;
  }

  #isGuarded(reading: Reading | undefined, { reference, reader }: Leaf, last: number): boolean {
    const texts = [...(reading?.guards ?? []), ...(reader.text === undefined ? [] : [reader.text])];
    const guards = guardedPaths([...texts, ...textsIn(reader.written)]);
    return reference.path.some((_, i) => i >= last && guards.has(reference.path.slice(0, i + 1).join('.')));
  }

  #reportMissing(reading: Reading, leaf: Leaf): void {
    const [name = ''] = leaf.reference.path;
    const giver = this.#names.givers.get(name);
    if (!giver || this.#isGuarded(reading, leaf, 0)) return this.#reportUndefined(reading, leaf, 'error', reading);
    const { range } = leaf.reference;
    const severity = this.#names.world.hasInventory ? 'error' : 'warning';
    const at = formatRange(giver.range);
    if (reading.register === name && sameRange(giver.range, reading.range)) {
      const hint = 'until, changed_when and failed_when can read it, and the tasks after this one';
      const message = `"${name}" is the result of this task, which is not there before it has run`;
      return this.#findings.add(severity, 'used-too-early', range, message, hint);
    }
    const isHere = range.source === reading.range.source;
    const reader = isHere ? '' : ` The task that needs it is at ${formatRange(reading.range)}`;
    const message = `"${name}" is not there yet: it is ${giver.act} later, at ${at}.${reader}`.replace(/\.$/, '');
    this.#findings.add(severity, 'used-too-early', range, message, 'move the task that reads it behind that one');
  }

  #reportUndefined(place: Place, leaf: Leaf, severity: 'error' | 'warning', reading?: Reading): void {
    const { path, range } = leaf.reference;
    const [name = ''] = path;
    // That an input has no value is told where it is declared.
    if (this.#names.inputs.has(name) || this.#isGuarded(reading, leaf, 0)) return;
    const { hasInventory } = this.#names.world;
    const isKnown = this.#names.inventory !== undefined;
    const hint = hintForUndefined(name, place, leaf) ?? this.#elsewhere(name);
    if (isKnown && hasInventory) {
      return this.#findings.add(severity, 'undefined-name', range, `"${name}" is not defined`, hint);
    }
    // The hosts of the play are unknown, which is a mistake of its own.
    if (hasInventory) return;
    const message = `"${name}" is not defined in the playbook`;
    this.#findings.add(
      'warning',
      'undefined-name',
      range,
      message,
      hint ?? 'name the inventory with -i to look there, too',
    );
  }

  #elsewhere(name: string): string | undefined {
    const range = this.#names.definedAt(name);
    return range && `it is defined for other tasks only, at ${formatRange(range)}`;
  }

  #reportMember(
    { reference, reader }: Leaf,
    end: Extract<PathEnd, { missing: number }>,
    severity: 'error' | 'warning',
  ): void {
    const { path, range } = reference;
    const owner = path.slice(0, end.missing).join('.');
    const key = path[end.missing] ?? '';
    const isMap = end.owner.type === 'object' || end.owner.properties !== undefined;
    const what = isMap ? '' : ` is ${describeShape(end.owner)} and`;
    const list = end.owner.type === 'array' ? `its items are ${owner}[0], ${owner}[1], …` : undefined;
    const hint = didYouMean(key, end.known) ?? list ?? membersHint(owner, end.known, reader);
    this.#findings.add(severity, 'unknown-member', range, `"${owner}"${what} has no "${key}"`, hint);
  }

  #reportNoFacts({ range }: Reference): void {
    const message = 'this play gathers no facts, and none before it does';
    this.#findings.add('error', 'no-facts', range, message, 'remove gather_facts: false');
  }

  #checkGiver(reading: Reading, { reference }: Leaf, { given }: Found): void {
    if (!given?.leftOut || !reading.isSelected) return;
    const [name = ''] = reference.path;
    const at = formatRange(given.leftOut.range);
    const message = `"${name}" will not be there: the tags leave out the task at ${at} by which it is ${given.leftOut.act}`;
    this.#findings.add('warning', 'left-out', reference.range, message, 'give that task the tag, too, or "always"');
  }

  #reportPartly(reading: Reading, leaf: Leaf, missing: readonly string[]): void {
    if (missing.length === 0 || this.#isGuarded(reading, leaf, 0)) return;
    const [name = ''] = leaf.reference.path;
    if (this.#names.inputs.has(name)) return;
    const some = missing.slice(0, 3).join(', ');
    const hosts = missing.length > 3 ? `${some} and ${missing.length - 3} more` : some;
    const message = `"${name}" is not defined for every host of the play: ${hosts} ${missing.length === 1 ? 'has' : 'have'} none`;
    this.#findings.add('warning', 'partly-defined', leaf.reference.range, message, 'give it a value in group_vars/all');
  }
}

/** A name that is read, and what reads it. */
interface Leaf {
  readonly reference: Reference;
  readonly reader: Reader;
  /** What is wrong with it wherever it is read. */
  readonly trouble?: 'undefined' | Extract<PathEnd, { missing: number }>;
}

function hintForUndefined(name: string, place: Place, { reference }: Leaf): string | undefined {
  if (name === 'item') {
    const loop = [...place.locals.keys()].find((local) => local !== 'result');
    return loop === undefined ? 'there is an item only in a task with loop' : `the item is called "${loop}" here`;
  }
  const foreign = foreignVariableHint(name);
  if (foreign !== undefined) return foreign;
  const near = didYouMean(name, namesAt(place));
  if (near !== undefined) return near;
  // A text without quotes: when: os == debian.
  const { source, start } = reference.range;
  const isCompared = /[=!]=\s*$/.test(source.text.slice(Math.max(0, start - 4), start));
  return isCompared ? `a text stands in quotes: "${name}"` : undefined;
}

function membersHint(owner: string, known: readonly string[], reader: Reader): string | undefined {
  if (known.length === 0 || owner.startsWith('hostvars') || owner === 'groups') return undefined;
  if (known.length <= 20) return `it has: ${known.join(', ')}`;
  return reader.text === undefined ? undefined : 'has(x.y) asks whether it is there';
}

function sameRange(a: Range, b: Range): boolean {
  return a.source === b.source && a.start === b.start;
}

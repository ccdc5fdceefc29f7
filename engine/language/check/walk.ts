import { didYouMean } from '../../base/diagnostic.ts';
import type { Block, Include, LoopControl, Meta, Node, Task } from '../playbook.ts';
import type { Expression, Value, Variables } from '../value.ts';
import { checkArgumentShapes } from './arguments.ts';
import { checkConditions, checkExpressionsIn } from './conditions.ts';
import type { Findings } from './findings.ts';
import { checkRoleInputs } from './inputs.ts';
import { checkJinja, checkJinjaText } from './jinja.ts';
import { type Given, type Place, type PlayNames, shapeAt } from './names.ts';
import { type Reader, type Reading, ReferenceCheck } from './references.ts';
import { factsSetBy, resultOfOne, resultShape } from './result-shape.ts';
import { describeShape, type Shape } from './shape.ts';
import { checkWords } from './words.ts';

/** Walks through the nodes of a play in the order in which they run, and checks each with what is known by then. */
export class PlayWalk {
  readonly #findings: Findings;
  readonly #names: PlayNames;
  readonly #references: ReferenceCheck;
  /** Layers of variables whose own values were looked at. */
  readonly #seen = new Set<Variables>();

  constructor(findings: Findings, names: PlayNames) {
    this.#findings = findings;
    this.#names = names;
    this.#references = new ReferenceCheck(findings, names);
  }

  /** The whole play: its tasks, then its handlers, which see the results of all, and its health gate after them. */
  check(): void {
    const { play } = this.#names;
    this.#checkNodes(play.tasks, new Map());
    this.#checkNodes(play.handlers, new Map());
    this.#checkNodes(play.bake?.tasks ?? [], new Map());
    if (play.maxPerGroup) this.#check(this.#placeOfPlay(), [play.maxPerGroup.by]);
    for (const layer of [play.vars, play.defaults]) this.#checkLayer(layer);
  }

  #checkNodes(nodes: readonly Node[], locals: ReadonlyMap<string, Shape>): void {
    for (const node of nodes) {
      if (node.kind === 'task') this.#checkTask(node, locals);
      else if (node.kind === 'block') this.#checkBlock(node, locals);
      else if (node.kind === 'include') this.#checkInclude(node, locals);
      else this.#checkMeta(node, locals);
    }
  }

  #checkTask(task: Task, outer: ReadonlyMap<string, Shape>): void {
    const { world } = this.#names;
    const isSelected = world.isSelected(task);
    const around = this.#readingOf(task, outer, isSelected);
    if (task.loop) this.#checkLoop(around, task.loop);
    const place = { ...around, locals: withLoop(task, around, task.loop, outer) };
    const judged = { ...place, locals: new Map([...place.locals, [task.register ?? 'result', resultOfOne(task)]]) };
    const { nameTemplate, become, becomeUser, delegateTo, environment, args } = task;
    this.#checkConditions(place, 'when', task.when);
    this.#check(place, [args, nameTemplate, become, becomeUser, delegateTo, ...environment]);
    this.#check(place, [task.loopControl.label]);
    this.#checkConditions(judged, 'until', task.until);
    this.#checkConditions(judged, 'changed_when', task.changedWhen ?? []);
    this.#checkConditions(judged, 'failed_when', task.failedWhen ?? []);
    this.#check(judged, [task.ignoreErrors]);
    this.#checkDelegate(delegateTo);
    checkArgumentShapes(this.#findings, place, task);
    checkJinja(this.#findings, args);
    this.#checkTemplates(place, task);
    for (const layer of [...task.vars, ...task.defaults]) this.#checkLayer(layer);
    this.#give(task, isSelected);
  }

  #checkBlock(block: Block, locals: ReadonlyMap<string, Shape>): void {
    if (block.role) this.#checkRole(block.role, locals);
    if (block.lease) this.#checkTask(block.lease.task, locals);
    this.#checkNodes(block.body, locals);
    if (block.rescue.length > 0) {
      this.#names.given.set('failed_task', { shape: undefined });
      this.#names.given.set('failed_result', { shape: undefined });
    }
    this.#checkNodes(block.rescue, locals);
    this.#checkNodes(block.always, locals);
  }

  #checkRole(role: NonNullable<Block['role']>, locals: ReadonlyMap<string, Shape>): void {
    const place: Place = { names: this.#names, vars: role.vars, defaults: role.defaults, locals };
    checkRoleInputs(this.#findings, place, role);
  }

  #checkInclude(include: Include, outer: ReadonlyMap<string, Shape>): void {
    const around = this.#readingOf(include, outer, true);
    if (include.loop) this.#checkLoop(around, include.loop);
    const locals = withLoop(include, around, include.loop, outer);
    this.#checkConditions({ ...around, locals }, 'when', include.when);
    this.#check({ ...around, locals }, [include.file, include.loopControl.label]);
    // Which of the files it is differs from host to host: what one gives may be there after it.
    for (const nodes of include.files.values()) this.#checkNodes(nodes, locals);
  }

  #checkMeta(meta: Meta, locals: ReadonlyMap<string, Shape>): void {
    this.#checkConditions(this.#readingOf(meta, locals, true), 'when', meta.when);
  }

  #checkLoop(reading: Reading, loop: Value): void {
    this.#check(reading, [loop]);
    const shape = shapeAt(reading, loop);
    if (shape?.type === undefined || shape.type === 'array') return;
    const hint = shape.type === 'object' ? 'to go through a map, loop over a list of its keys' : undefined;
    this.#findings.add('error', 'argument-type', loop.range, `loop must be a list, not ${describeShape(shape)}`, hint);
  }

  #checkConditions(reading: Reading, keyword: string, conditions: readonly Expression[]): void {
    this.#check(reading, conditions);
    checkConditions(this.#findings, reading, keyword, conditions);
  }

  #check(reading: Reading, readers: readonly (Reader | undefined)[]): void {
    for (const reader of readers) {
      if (!reader) continue;
      this.#references.check(reading, reader);
      checkExpressionsIn(this.#findings, reading, reader);
    }
  }

  /** A task can be delegated to hosts of the inventory only. What a variable says may not be meant: a condition tells. */
  #checkDelegate(delegateTo: Value | undefined): void {
    const hosts = this.#names.provided.get('hostvars')?.properties;
    if (!hosts || !delegateTo?.isLiteral || typeof delegateTo.written !== 'string') return;
    const { written, range } = delegateTo;
    if (Object.hasOwn(hosts, written)) return;
    const hint = didYouMean(written, Object.keys(hosts));
    this.#findings.add('error', 'unknown-hosts', range, `delegate_to: the inventory has no host "${written}"`, hint);
  }

  /** The names of its template files, which see an argument `vars`, too. */
  #checkTemplates(reading: Reading, task: Task): void {
    const templates = this.#names.world.templatesOf(task);
    if (templates.length === 0) return;
    for (const { source } of templates) checkJinjaText(this.#findings, { source, start: 0, end: source.text.length });
    const { vars } = task.args.written as { readonly vars?: unknown };
    // What a template gives for `vars` is not known.
    if (vars !== undefined && (typeof vars !== 'object' || vars === null)) return;
    const locals = new Map([...reading.locals, ...Object.keys(vars ?? {}).map((name) => [name, undefined] as const)]);
    for (const { references, source } of templates) {
      this.#references.check({ ...reading, locals }, { references, written: source.text });
    }
  }

  #checkLayer(layer: Variables): void {
    if (this.#seen.has(layer)) return;
    this.#seen.add(layer);
    const place = this.#placeOfPlay();
    for (const [name, value] of layer) {
      checkWords(this.#findings, name, value);
      if (!Object.hasOwn(this.#names.world.extraVars, name)) this.#references.doubt(place, value);
    }
  }

  #give(task: Task, isSelected: boolean): void {
    const leftOut = (act: string): Pick<Given, 'leftOut'> =>
      isSelected ? {} : { leftOut: { range: task.range, act } };
    if (task.register !== undefined) this.#set(task.register, { shape: resultShape(task), ...leftOut('registered') });
    for (const [name, shape] of factsSetBy(task)) {
      if (task.module.name === 'set-fact') checkWordsOfFact(this.#findings, task, name);
      this.#set(name, { shape, ...leftOut('set') });
    }
  }

  /** A host may have what any of the tasks gave, so of two shapes nothing is known. */
  #set(name: string, given: Given): void {
    const before = this.#names.given.get(name);
    if (!before) this.#names.given.set(name, given);
    else if (before.leftOut && given.leftOut)
      this.#names.given.set(name, { shape: undefined, leftOut: before.leftOut });
    else this.#names.given.set(name, { shape: before.shape === given.shape ? given.shape : undefined });
  }

  #placeOfPlay(): Reading {
    const { play } = this.#names;
    return {
      names: this.#names,
      vars: [],
      defaults: [],
      locals: new Map(),
      range: play.range,
      isSelected: true,
      isUnconditional: false,
      guards: [],
    };
  }

  #readingOf(node: Task | Include | Meta, locals: ReadonlyMap<string, Shape>, isSelected: boolean): Reading {
    return {
      names: this.#names,
      vars: node.vars,
      defaults: node.defaults,
      locals,
      range: node.range,
      register: node.kind === 'task' ? node.register : undefined,
      isSelected,
      isUnconditional: node.when.length === 0 && isSelected,
      guards: node.when.map((condition) => condition.text),
    };
  }
}

function withLoop(
  { loopControl }: { readonly loopControl: LoopControl },
  place: Place,
  loop: Value | undefined,
  outer: ReadonlyMap<string, Shape>,
): ReadonlyMap<string, Shape> {
  if (!loop) return outer;
  const locals = new Map(outer);
  const items = shapeAt(place, loop)?.items;
  locals.set(loopControl.variable, items);
  if (loopControl.indexVariable !== undefined) locals.set(loopControl.indexVariable, { type: 'integer' });
  return locals;
}

function checkWordsOfFact(findings: Findings, task: Task, name: string): void {
  const { parts = [], written } = task.args;
  const value = parts[Object.keys(written as object).indexOf(name)];
  if (value) checkWords(findings, name, value);
}

import { RunbookError } from '../base/errors.ts';
import type { TaskResult } from '../base/events.ts';
import type { Change } from '../module/contract.ts';
import { changeViews } from './attempt.ts';
import { createTaskKeys, type Plan, type PlannedItem, type PlannedPart, type PlannedTask } from './plan.ts';
import { plannedChange, plannedInWords } from './plan-change.ts';
import { type ChangeDigests, digestsOf, readDigests, turnDigest } from './plan-digests.ts';
import type { BegunTask, PlanGate, TaskGate } from './plan-gate.ts';
import { type RunKey, valueDigest } from './run-key.ts';

/** Holds a run to a plan. */
export interface PlanCheck extends PlanGate {
  /** What was planned for hosts that are to be at their end, and was not come to, by host and task. */
  undone(hosts: readonly string[]): ReadonlyMap<string, readonly string[]>;
}

/** What the run itself did where tasks run: differences to the plan there are its own. */
interface Touched {
  readonly resources: Set<string>;
  /** Something was done of which nobody can say all that it changes: a command, a package, a unit. */
  isOpaque: boolean;
}

interface HostCheck {
  readonly keyOf: ReturnType<typeof createTaskKeys>;
  readonly tasks: ReadonlyMap<string, PlannedTask>;
  /** What was planned to change something, and was not come to yet. */
  readonly open: Set<PlannedPart>;
  /** Where the host left the plan. */
  movedAt?: string;
}

/** What may be done in a part of a run. */
interface Expected {
  readonly host: HostCheck;
  /** The host that it runs on. */
  readonly on: string;
  readonly name: string;
  /** Undefined: nothing is expected, everything may be. */
  readonly part?: PlannedPart;
}

/** Makes the gate of a plan whose digests were made with the key. */
export function createPlanCheck(plan: Plan, key: RunKey): PlanCheck {
  const hosts = new Map<string, HostCheck>();
  const touched = new Map<string, Touched>();
  const touchedOn = (name: string): Touched => {
    const known = touched.get(name) ?? { resources: new Set(), isOpaque: false };
    touched.set(name, known);
    return known;
  };
  const checkOf = (name: string): HostCheck => {
    const known = hosts.get(name) ?? hostCheckOf(plan.hosts[name]?.tasks ?? []);
    hosts.set(name, known);
    return known;
  };
  const context = { key, touchedOn };
  return {
    begin(task) {
      const host = checkOf(task.host);
      const planned = host.tasks.get(host.keyOf(task.id, turnDigest(task.turn, key)));
      const on = planned?.delegated_to ?? task.host;
      if (task.isUnwinding || planned?.is_rescue) return gateOf({ host, on, name: task.id }, context);
      if (!planned) return mayRun(task, host) ? gateOf({ host, on, name: task.id }, context) : closed(host, task.id);
      const gate = gateOf({ host, on, name: planned.name, part: planned }, context);
      return planned.items ? withItems(gate, { host, on, planned, items: planned.items }, context) : gate;
    },
    undone: (names) =>
      new Map(
        names.flatMap((name) => {
          const host = checkOf(name);
          const left = [...host.tasks.values()].filter((task) =>
            [task, ...(task.items ?? [])].some((p) => host.open.has(p)),
          );
          return left.length > 0 ? [[name, left.map((task) => task.name)] as const] : [];
        }),
      ),
  };
}

function hostCheckOf(tasks: readonly PlannedTask[]): HostCheck {
  const expected = tasks.filter((task) => !task.is_rescue);
  const parts = expected.flatMap((task): readonly PlannedPart[] => task.items ?? [task]);
  return {
    keyOf: createTaskKeys(),
    tasks: new Map(tasks.map((task) => [task.key, task])),
    open: new Set(parts.filter(isChange)),
  };
}

/** What no effect may follow from is not missed when it is left out. Leases, facts and the like have nothing pending. */
function isChange({ outcome, pending }: PlannedPart): boolean {
  return outcome === 'changed' && pending !== undefined;
}

/** A task that the plan does not have, because it called what leads to it unknown: an include, a handler. */
function mayRun({ id, turn }: BegunTask, { tasks }: HostCheck): boolean {
  const ways = new Set([id, ...includesAround(turn)]);
  return [...tasks.values()].some(({ key, outcome }) => outcome === 'unknown' && ways.has(key.split(' ')[0] ?? key));
}

/** The ids of the includes around a task. The key of a turn holds the key of the one around it. */
function includesAround(turn: string | undefined): string[] {
  if (turn === undefined || turn === '') return [];
  const [outer, id] = JSON.parse(turn) as [string, string];
  return [id, ...includesAround(outer)];
}

interface Checking {
  readonly key: RunKey;
  readonly touchedOn: (name: string) => Touched;
}

function gateOf(expected: Expected, checking: Checking): TaskGate {
  const { host, part } = expected;
  let lastFound: { readonly changes: readonly Change[]; readonly on: string } | undefined;
  const gate: TaskGate = {
    item: () => gateOf(expected, checking),
    decided: (unmet) => checkDecision(expected, unmet),
    found(diff, on) {
      if ('unknown' in diff) return;
      const isAfterLeases = lastFound !== undefined;
      lastFound = { changes: diff, on };
      checkFound(expected, diff, { ...checking, on: checking.touchedOn(on), isAfterLeases });
    },
    ended(result) {
      if (part && result.failure?.code !== 'state-moved') host.open.delete(part);
      if (lastFound && (result.outcome === 'changed' || result.failure)) noteTouched(checking, lastFound);
      // Done by a former process of the run: nobody knows any more what it touched.
      if (!lastFound && result.outcome === 'changed') checking.touchedOn(expected.on).isOpaque = true;
      return part?.outcome === 'unknown' ? tellUnknown(result) : result;
    },
  };
  return gate;
}

/** A loop's turns are as many as planned, and of the same. */
function withItems(
  gate: TaskGate,
  {
    host,
    on,
    planned,
    items,
  }: {
    readonly host: HostCheck;
    readonly on: string;
    readonly planned: PlannedTask;
    readonly items: readonly PlannedItem[];
  },
  checking: Checking,
): TaskGate {
  let isInHand = false;
  return {
    ...gate,
    ended(result) {
      // Replayed: a former process of the run did all of it.
      if (!isInHand && result.outcome !== 'skipped' && !result.failure)
        for (const item of items) host.open.delete(item);
      return gate.ended(result);
    },
    item(number, value) {
      isInHand = true;
      const item = items[number];
      if (planned.outcome === 'unknown' && !item) return gate;
      const isSame = item?.value === valueDigest(checking.key, 'item', value);
      const name = `${planned.name} (${item?.item ?? `item ${number + 1}`})`;
      if (item && isSame) return gateOf({ host, on, name, part: item }, checking);
      const found = item ? 'another item in its place' : 'an item that is not in the plan';
      return closed(host, name, { planned: item ? `the item ${item.item}` : `${items.length} items`, found });
    },
  };
}

/** Nothing may be done here. */
function closed(
  host: HostCheck,
  name: string,
  why = { planned: 'nothing: the task is not in the plan of this host', found: 'it is to be run' },
): TaskGate {
  const gate: TaskGate = {
    item: () => gate,
    decided(unmet) {
      if (unmet === undefined) throw moved(host, name, why);
    },
    found: () => undefined,
    ended: (result) => result,
  };
  return gate;
}

function checkDecision({ host, name, part }: Expected, unmet: string | undefined): void {
  if (!part) return;
  if (host.movedAt !== undefined && unmet === undefined) {
    throw new RunbookError('state-moved', `nothing more is done here: the host left the plan at "${host.movedAt}"`);
  }
  if (part.outcome === 'skipped' && unmet === undefined) {
    throw moved(host, name, { planned: `skipped (${part.why ?? 'a condition'})`, found: 'its conditions hold' });
  }
  if (isChange(part) && unmet !== undefined) {
    throw moved(host, name, { planned: plannedText(part), found: `skipped, because this does not hold: ${unmet}` });
  }
}

function checkFound(
  { host, name, part }: Expected,
  found: readonly Change[],
  { key, on, isAfterLeases }: { readonly key: RunKey; readonly on: Touched; readonly isAfterLeases: boolean },
): void {
  if (part?.pending === undefined || part.outcome === 'unknown') return;
  const planned = part.pending.map(readDigests);
  // What a lease brought about is the run's own doing.
  const isOpaque = on.isOpaque || isAfterLeases;
  const isSame = isAsPlanned(planned, found, { key, touched: on, isOpaque });
  if (isSame && (isAfterLeases || planned.length > 0 === found.length > 0)) return;
  throw moved(host, name, { planned: plannedText(part), found: foundText(found) });
}

function isAsPlanned(
  planned: readonly ChangeDigests[],
  found: readonly Change[],
  { key, touched, isOpaque }: { readonly key: RunKey; readonly touched: Touched; readonly isOpaque: boolean },
): boolean {
  const digests = found.map((change) => digestsOf(change, key));
  const isFound = ({ path }: ChangeDigests): boolean => digests.some((one) => one.path === path);
  const own = new Set(
    found.filter(({ resource }) => isTouched(touched, resource)).map((change) => digestsOf(change, key).resource),
  );
  const isExpected = (one: ChangeDigests): boolean => {
    if (own.has(one.resource)) return true;
    const was = planned.find(({ path }) => path === one.path);
    return was?.after === one.after && (isOpaque || was.before === one.before);
  };
  return digests.every(isExpected) && planned.every((one) => isOpaque || own.has(one.resource) || isFound(one));
}

/** What an earlier task of the run made or changed, or what is below it. */
function isTouched({ resources }: Touched, resource: string | undefined): boolean {
  if (resource === undefined) return false;
  return [...resources].some((one) => one === resource || resource.startsWith(`${one}/`));
}

function noteTouched(
  { touchedOn }: Checking,
  { changes, on }: { readonly changes: readonly Change[]; readonly on: string },
): void {
  const touched = touchedOn(on);
  for (const { resource, alias } of changes) {
    if (!resource?.startsWith('file:')) touched.isOpaque = true;
    for (const name of [resource, alias]) if (name !== undefined) touched.resources.add(name);
  }
}

function tellUnknown<R extends Omit<TaskResult, 'durationMs'>>(result: R): R {
  const told = '(was unknown in the plan)';
  return {
    ...result,
    message: result.message === undefined || result.message === '' ? told : `${result.message} ${told}`,
  };
}

function moved(host: HostCheck, name: string, { planned, found }: { planned: string; found: string }): RunbookError {
  host.movedAt ??= name;
  const said = (text: string): string => (text.startsWith('\n') ? text : ` ${text}`);
  const message = `the host is not as it was when the plan was made, and nothing is done:\nplanned:${said(planned)}\nfound:${said(found)}`;
  const hint = 'see what has changed on the host since, and plan again';
  return new RunbookError('state-moved', message, { hint });
}

function plannedText({ outcome, changes = [], pending, why }: PlannedPart): string {
  if (changes.length > 0) return plannedInWords(changes);
  if (pending?.length === 0) return 'nothing is to be done';
  return why ?? outcome;
}

function foundText(found: readonly Change[]): string {
  return found.length === 0 ? 'nothing is to be done' : plannedInWords(changeViews(found).map(plannedChange));
}

import { RunbookError } from '../base/errors.ts';
import type { ChangeView } from '../base/events.ts';
import { Secret } from '../base/secret.ts';
import { UnknownValueError } from '../base/unknown.ts';
import type { AnyAction, AnyResource, Change, Controller, Diff, InventoryAddition } from '../module/contract.ts';
import { expectAnything, type PredictedState } from './predicted.ts';
import type { StepRunner } from './step-runner.ts';

/** What one attempt at a task found or did. Failures are thrown. */
export interface AttemptResult {
  readonly outcome: 'ok' | 'changed' | 'unknown';
  readonly changes: readonly Change[];
  /** Values for `register`; in check mode only those that are known. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The attempt stopped before an effect: fields that are not in `values` are unknown, for this reason. */
  readonly unknownReason?: string;
  readonly message?: string;
  readonly unverified?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly adds?: InventoryAddition;
}

/** What an attempt works with. */
export interface AttemptContext {
  readonly isCheckMode: boolean;
  readonly steps: StepRunner;
  readonly controller: Controller;
  readonly predicted: PredictedState;
  /** Somebody goes by what is found: a condition about the result, or tasks to come. */
  readonly areValuesRead: boolean;
  /** Names the attempt on the host. */
  readonly id: string;
  /**
   * Called just before the first effect, with what is about to change: takes the leases around the task.
   * True when it took time or changed something, so that the host has to be probed again.
   */
  readonly beforeEffect: () => Promise<boolean>;
  /** Called with what is pending, before anything is done about it; see {@link TaskGate.found}. */
  readonly onFound: (diff: Diff) => unknown;
  /** Called when the first effect is about to be run: from here on a failure may have left changes. */
  readonly onEffect: (changes: readonly Change[]) => void;
  /** The effects that a former process of the run started for the task and that its host knows, by their ids. */
  readonly started?: ReadonlySet<string>;
}

/** desired → probe → diff; prepare when changes are pending; unless check mode stops there: apply → probe → diff → settle. */
export async function attemptResource(
  module: AnyResource,
  // Checked against the module's schema by the caller.
  args: never,
  context: AttemptContext,
): Promise<AttemptResult> {
  const { steps, predicted } = context;
  const desired = await module.desired?.(args, context.controller);
  const question = module.probe(args, desired);
  const ask = (isEnough?: (dated: unknown) => boolean): Promise<unknown> => steps.ask(question, isEnough);
  const compare = (current: unknown): Diff => module.diff(current, args, { desired, predicted });

  const isSatisfied = (dated: unknown): boolean => {
    const diff = compare(dated);
    return !('unknown' in diff) && diff.length === 0;
  };
  // A host that was put in order meanwhile is neither reported nor drained.
  let current = await ask(context.areValuesRead ? undefined : isSatisfied);
  let diff = compare(current);
  context.onFound(diff);
  if (context.isCheckMode) return predict(module, args, context, { desired, current, diff });
  let changes = pendingIn(diff);
  if (changes.length === 0) {
    const { started, id } = context;
    // That a command made its file does not say how it ended.
    const ending = started && module.unverifiable && module.apply({ args, desired, current, changes, id });
    const returned = (ending && (await steps.follow(ending, started))) ?? {};
    return settled(module, args, context, { outcome: 'ok', desired, current, changes, returned });
  }

  // Before the leases: what cannot be fetched must not cost the host a drain.
  const prepared = await module.prepare?.(args, { desired, current }, context.controller);
  const isHostChanged = await context.beforeEffect();
  if (isHostChanged) {
    current = await ask();
    diff = compare(current);
    context.onFound(diff);
    changes = pendingIn(diff);
    if (changes.length === 0) {
      return settled(module, args, context, { outcome: 'ok', desired, current, changes, returned: {} });
    }
  }
  context.onEffect(changes);
  const effects = module.apply({ args, desired: prepared?.desired ?? desired, current, changes, id: context.id });
  const returned = (await steps.drive(effects, question)) ?? {};
  const unverified = module.unverifiable?.(args);
  current = await ask();
  if (unverified === undefined) {
    const left = pendingIn(compare(current));
    if (left.length > 0) throw didNotConverge(left);
  }
  const result = await settled(module, args, context, { outcome: 'changed', desired, current, changes, returned });
  return unverified === undefined ? result : { ...result, unverified };
}

/** Runs an action. */
export async function attemptAction(
  module: AnyAction,
  args: never,
  context: AttemptContext & {
    readonly host: string;
    readonly clock: { now(): number };
    readonly action: Parameters<AnyAction['run']>[1];
  },
): Promise<AttemptResult> {
  const result = await module.run(args, context.action);
  return {
    outcome: result.unknown === undefined ? 'ok' : 'unknown',
    changes: [],
    values: result.values ?? {},
    ...(result.unknown !== undefined && { unknownReason: result.unknown, message: result.unknown }),
    ...(result.message !== undefined && { message: result.message }),
    ...(result.facts && { facts: result.facts }),
    ...(result.adds && { adds: result.adds }),
  };
}

interface Compared {
  readonly desired: unknown;
  readonly current: unknown;
  readonly diff: Diff;
}

async function predict(
  module: AnyResource,
  args: never,
  context: AttemptContext,
  { desired, current, diff }: Compared,
): Promise<AttemptResult> {
  if ('unknown' in diff) {
    // Whether it would have an effect is not known either: what is read after it may not stay so.
    if (diff.changesNothing !== true) {
      expectAnything(context.predicted, `a task with ${module.name}`, Object.values(args), diff.unknown);
    }
    return { outcome: 'unknown', changes: [], values: {}, unknownReason: diff.unknown, message: diff.unknown };
  }
  if (diff.length > 0) {
    const prepared = await module.prepare?.(args, { desired, current }, context.controller);
    await context.beforeEffect();
    context.predicted.record([...diff, ...(prepared?.implied ?? [])]);
    return {
      outcome: 'changed',
      changes: diff,
      values: {},
      unknownReason: 'it is a result of an effect that check mode does not run',
    };
  }
  const values = module.result?.(current, args, desired) ?? {};
  const wait = module.settle?.(args, current);
  if (wait) {
    const answer = wait.done(await context.steps.ask(wait.probe));
    if (answer !== true) {
      const reason = `would wait for ${wait.what}: ${answer}`;
      return { outcome: 'unknown', changes: [], values: {}, unknownReason: reason, message: reason };
    }
  }
  return { outcome: 'ok', changes: [], values };
}

async function settled(
  module: AnyResource,
  args: never,
  context: AttemptContext,
  done: {
    outcome: 'ok' | 'changed';
    desired: unknown;
    current: unknown;
    changes: readonly Change[];
    returned: Readonly<Record<string, unknown>>;
  },
): Promise<AttemptResult> {
  let { current } = done;
  const wait = module.settle?.(args, current);
  if (wait) {
    await context.steps.wait(wait);
    current = await context.steps.ask(module.probe(args, done.desired));
  }
  const values = { ...module.result?.(current, args, done.desired), ...done.returned };
  return { outcome: done.outcome, changes: done.changes, values };
}

function pendingIn(diff: Diff): readonly Change[] {
  // Outside check mode every earlier effect was run, so nothing can be unknown: the module could not tell.
  if ('unknown' in diff) throw new RunbookError('task-failed', `the state of the host cannot be told: ${diff.unknown}`);
  return diff;
}

function didNotConverge(left: readonly Change[]): RunbookError {
  const differences = left.map((c) => `${c.path}: is ${JSON.stringify(c.before)}, wanted ${JSON.stringify(c.after)}`);
  return new RunbookError('did-not-converge', `after apply the host still differs:\n${differences.join('\n')}`);
}

/** Changes as events show them; of secrets only that there is one. */
export function changeViews(changes: readonly Change[]): ChangeView[] {
  return changes.map(({ path, before, after }) => {
    if (!(before instanceof Secret || after instanceof Secret)) return { path, before, after };
    return {
      path,
      before: before === null ? null : '(secret)',
      after: before === null ? '(secret)' : '(secret, changed)',
    };
  });
}

/** The reason when an error only says that check mode cannot know, else undefined. */
export function unknownReasonOf(error: unknown): string | undefined {
  return error instanceof UnknownValueError ? error.message : undefined;
}

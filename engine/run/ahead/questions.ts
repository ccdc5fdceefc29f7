import { withResolvers } from '../../base/with-resolvers.ts';
import type { Include, Play, Task } from '../../language/playbook.ts';
import { becomeFor } from '../addressing.ts';
import type { RunContext } from '../context.ts';
import { controllerFor } from '../controller.ts';
import { factsQuestion, gathererFor } from '../facts/question.ts';
import type { FactNames } from '../facts/readers.ts';
import type { HostRun } from '../host-run.ts';
import { choicesOf, type Inclusion } from '../inclusion.ts';
import { taskKeyOf } from '../journal/task-key.ts';
import { itemsOf } from '../loop.ts';
import type { Place, Turn } from '../surroundings.ts';
import { environmentOf, renderArguments } from '../task-arguments.ts';
import { type AskingAhead, createQuestion, type Question } from './ask.ts';
import { defaultProbeTimeoutMs } from './asker.ts';
import type { ComingTask, OpenInclude } from './coming.ts';

/** How a host is asked ahead; undefined where each question goes by itself: a plan is held to each answer as it comes. */
export function askingAhead(
  context: RunContext,
  host: HostRun,
  play: Play,
  coming: (open: OpenInclude) => Iterable<ComingTask>,
): AskingAhead | undefined {
  const { isBatched = true, plan } = context.request;
  if (!isBatched || plan) return undefined;
  const open: OpenInclude = (include, turn) => inclusionsOf(context, host, { play, ...(turn && { turn }) }, include);
  return {
    answers: host.answers,
    clock: context.clock,
    coming: (atMost, isWanted) => questionsAhead(context, host, play, coming(open), { atMost, isWanted }),
  };
}

function* inclusionsOf(context: RunContext, host: HostRun, place: Place, include: Include): Generator<Inclusion> {
  try {
    for (const choice of choicesOf(context, include, host, place)) if (!('unmet' in choice)) yield choice;
  } catch {
    // It may wait for a result, or is a mistake: then the include fails, not who asks now.
  }
}

/**
 * What coming tasks would ask of a host, as things are now: those whose conditions and arguments are known, and of which
 * nothing goes to another host. Whether they ask just that is seen when they do.
 */
async function questionsAhead(
  context: RunContext,
  host: HostRun,
  play: Play,
  coming: Iterable<ComingTask>,
  { atMost, isWanted }: { readonly atMost: number; readonly isWanted: (question: Question) => boolean },
): Promise<readonly Question[]> {
  const found: Question[] = [];
  let isGathering = false;
  const look = async (next: ComingTask): Promise<void> => {
    if (await lacksFacts(context, host, play, next.task)) {
      const question = factsQuestion(gathererFor(context, host, play, next.task));
      if (!isGathering && isWanted(question)) found.push(question);
      isGathering = true;
    } else {
      // What cannot be told yet is no question yet: a result that is still to come, a file that is not there.
      const questions = await questionsOf(context, host, play, next, atMost).catch(() => []);
      found.push(...questions.filter(isWanted));
    }
  };
  // Of real time: that is what a module takes.
  const { promise: late, resolve } = withResolvers<'late'>();
  const timer = setTimeout(resolve, lookForMs, 'late');
  let looked = 0;
  try {
    for (const next of coming) {
      if (found.length >= atMost || looked++ >= Math.max(lookAtLeast, 2 * atMost)) break;
      const asker = askerOf(next.task, next.turn, '');
      if (host.answers.isAskedAlone(asker)) continue;
      if ((await Promise.race([look(next), late])) !== 'late') continue;
      // Nobody is to wait for it again.
      host.answers.askAlone(asker);
      break;
    }
  } finally {
    clearTimeout(timer);
  }
  return found.slice(0, atMost);
}

/**
 * What a module works out for a coming task may take its time, and the task that asks waits for it: so long, in milliseconds,
 * once. One that does not let others go on meanwhile is waited for until it does.
 */
const lookForMs = 1000;

/** So many tasks are looked at for a question, before none is asked with this one. */
const lookAtLeast = 8;

/** Who asks: a task, in a turn of the include around it, for an item of its loop. */
export function askerOf(task: Task, turn: Turn | undefined, item: string): string {
  return `${task.id} ${turn?.key ?? ''} ${item}`;
}

async function lacksFacts(context: RunContext, host: HostRun, play: Play, task: Task): Promise<boolean> {
  if (play.gatherFacts === false || !host.facts.lacks(anyFact)) return false;
  const names = await context.factReaders.of(task, play);
  return names.size > 0 && host.facts.lacks(names);
}

const anyFact: FactNames = new Set(['*']);

async function questionsOf(
  context: RunContext,
  host: HostRun,
  play: Play,
  { task, turn, fromItem }: ComingTask,
  atMost: number,
): Promise<readonly Question[]> {
  const { module, loop, delegateTo, runOnce, throttle } = task;
  // Only so many hosts may be asked at a time under a throttle.
  if (module.kind !== 'resource' || delegateTo || runOnce || throttle !== undefined) return [];
  if (!host.record.isLive && host.record.peek(taskKeyOf(task, turn)) !== undefined) return [];
  const place: Place = { play, ...(turn && { turn }) };
  const items = loop && itemsOf(loop, task, context.scopeOf(host, place, task), context.key);
  if (items && 'unmet' in items) return [];
  const turns = items?.map(({ variables }, i) => ({ variables, item: String(i) })) ?? [{ variables: {}, item: '' }];
  const found: Question[] = [];
  for (const { variables, item } of turns.slice(fromItem, fromItem + atMost)) {
    const question = await questionOf(context, host, place, task, variables, item);
    if (question) found.push(question);
  }
  return found;
}

async function questionOf(
  context: RunContext,
  host: HostRun,
  place: Place,
  task: Task,
  variables: Readonly<Record<string, unknown>>,
  item: string,
): Promise<Question | undefined> {
  const { module } = task;
  const scope = context.scopeOf(host, place, task, variables);
  if (module.kind !== 'resource' || task.when.some((condition) => !condition.test(scope))) return undefined;
  const args = renderArguments(context, task, scope);
  const desired = await module.desired?.(args, controllerFor(context.store, host.name, task.folders, scope));
  const { script, environment, isAlone, timeoutMs = defaultProbeTimeoutMs } = module.probe(args, desired);
  if (isAlone) return undefined;
  const become = becomeFor(context, task, host, place.play, scope);
  const full = { ...environmentOf(task, scope), ...environment };
  const time = Math.min(timeoutMs, task.timeoutMs ?? timeoutMs);
  return createQuestion(askerOf(task, place.turn, item), { script, timeoutMs: time }, become, full);
}

import { exec, failure, pause, RunbookError, type Script, type Step, type StepResult, sh } from '../../engine/index.ts';
import {
  type DaemonSetObject,
  isConflict,
  isForbidden,
  isNotFound,
  itemsIn,
  type KubectlArgs,
  kubectlWords,
  kubeFailure,
  type LeaseObject,
  objectIn,
  patchIn,
} from './kube.ts';
import { staleAfterMs } from './kube-holder.ts';
import { heldBy, type Kured, kuredOf, ownersOf } from './kube-kured.ts';
import {
  freeLock,
  heldLock,
  identityOf,
  type LockHolder,
  type LockState,
  lockStateOf,
  newLock,
  withoutNode,
} from './kube-lock-state.ts';

/**
 * The cluster's maintenance lock: a Lease that one run at a time holds, for one or several nodes, and with it the lock of
 * kured, where there is one. Every change carries the version that it was decided on, so of two who want it one gets it.
 */

/** Which lock, and which kured. */
export interface LockArgs extends KubectlArgs {
  readonly maintenance_lock: boolean;
  /** NAMESPACE/NAME of the Lease. */
  readonly lock_name: string;
  /** `auto`, `off`, or NAMESPACE/NAME of the DaemonSet. */
  readonly kured: string;
}

/** How long something may be waited for. */
export interface Patience {
  readonly now: () => number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
}

type Steps<T> = Generator<Step, T, StepResult>;

const askAgainMs = 5000;

/** Reads the Lease. */
export function getLock(args: LockArgs): Script {
  const { namespace, name } = targetOf(args);
  return sh`${kubectlWords(args)} get lease ${name} -n ${namespace} -o json`;
}

/** Says what is missing when the Lease may not be used. */
export function lockForbidden(args: LockArgs, answer: StepResult): RunbookError {
  const { namespace, name } = targetOf(args);
  return refusal(
    `the maintenance lock (Lease ${namespace}/${name}) cannot be used`,
    `a Role in namespace ${namespace} with apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, patch]`,
    'maintenance_lock: false does without the lock',
    answer,
  );
}

/** Takes the lock, waiting while another run has it, and kured's; what there is to say of it, if anything. */
export function* takeLock(args: LockArgs, me: LockHolder, patience: Patience): Steps<string | undefined> {
  const note = yield* takeLease(args, me, patience);
  yield* takeKured(args, me, patience);
  return note;
}

/** Says again that the lock is held; why it is not, where another run has it. */
export function* renewLock(args: LockArgs, me: LockHolder, now: () => number): Steps<string | undefined> {
  for (;;) {
    const state = yield* readLock(args, me, now());
    if (state?.is !== 'ours') {
      const who =
        state?.is === 'held' || state?.is === 'expired' ? `is held by ${state.who} since ${state.since}` : 'is gone';
      // Nobody has it: it is taken again, as if for the first time.
      if (state?.is === 'free' || state === undefined) yield* takeLease(args, me, atOnce(now));
      else return `the maintenance lock ${args.lock_name} ${who}`;
    } else if (!(yield* change(args, heldLock(state, me, now()), 'renewing the maintenance lock'))) continue;
    yield* keepKured(args, me, now);
    return undefined;
  }
}

/** Gives the lock back for one node; with the last one it is free, and so is kured's. */
export function* giveBackLock(args: LockArgs, me: LockHolder, now: () => number): Steps<void> {
  for (;;) {
    const state = yield* readLock(args, me, now());
    // Taken over, or never taken.
    if (state?.is !== 'ours') return;
    const { isLast, patch } = withoutNode(state, me);
    if (!isLast) {
      if (yield* change(args, patch, 'giving back the maintenance lock for this node')) return;
      continue;
    }
    // Another node of this run may come meanwhile: it then finds the lock ours, and must not lose kured's.
    if (Object.keys(state.nodes).length > 0 && !(yield* change(args, patch, 'giving back the maintenance lock')))
      continue;
    if (!(yield* giveBackKured(args, me, now))) continue;
    const last = yield* readLock(args, me, now());
    if (last?.is !== 'ours' || Object.keys(last.nodes).length > 0) return;
    if (yield* change(args, freeLock(last), 'giving back the maintenance lock')) return;
  }
}

function* takeLease(args: LockArgs, me: LockHolder, patience: Patience): Steps<string | undefined> {
  for (;;) {
    const now = patience.now();
    const state = yield* readLock(args, me, now);
    if (state === undefined) {
      if (yield* create(args, me, now)) return undefined;
    } else if (state.is === 'held') {
      const who = `${state.who} since ${state.since}`;
      if (now >= patience.deadlineMs) throw notFree(`the maintenance lock ${args.lock_name}`, who, patience);
      yield pause(askAgainMs, { ...patience, waitingFor: `the maintenance lock ${args.lock_name}, held by ${who}` });
    } else {
      const isExpired = state.is === 'expired';
      const purpose = isExpired
        ? `taking over the expired maintenance lock of ${state.who}`
        : 'taking the maintenance lock';
      if (!(yield* change(args, heldLock(state, me, now), purpose))) continue;
      if (!isExpired) return undefined;
      return `took over the maintenance lock of ${state.who}: it expired, it was last renewed at ${state.renewed}`;
    }
  }
}

function* readLock(args: LockArgs, me: LockHolder, now: number): Steps<LockState | undefined> {
  const answer = yield exec(getLock(args), { okCodes: 'any', purpose: 'reading the maintenance lock' });
  if (isNotFound(answer)) return undefined;
  if (isForbidden(answer)) throw lockForbidden(args, answer);
  if (answer.rc !== 0) throw kubeFailure(`the maintenance lock ${args.lock_name} cannot be read`, answer, args);
  return lockStateOf(objectIn<LeaseObject>({ name: 'lease', ...answer }), me.run, now);
}

/** False when somebody was faster. */
function* create(args: LockArgs, me: LockHolder, now: number): Steps<boolean> {
  const answer = yield exec(sh`${kubectlWords(args)} create -f - --validate=false -o name`, {
    stdin: JSON.stringify(newLock(targetOf(args), me, now)),
    okCodes: 'any',
    purpose: 'taking the maintenance lock',
  });
  return isDone(args, answer);
}

/** False when the Lease has changed since it was read. */
function* change(args: LockArgs, patch: Readonly<Record<string, unknown>>, purpose: string): Steps<boolean> {
  const target = { kind: 'lease', ...targetOf(args) };
  return isDone(args, yield exec(patchIn(args, target, patch), { okCodes: 'any', purpose }));
}

function isDone(args: LockArgs, answer: StepResult): boolean {
  if (answer.rc === 0) return true;
  if (isConflict(answer)) return false;
  if (isForbidden(answer)) throw lockForbidden(args, answer);
  throw kubeFailure(`the maintenance lock ${args.lock_name} cannot be written`, answer, args);
}

function* takeKured(args: LockArgs, me: LockHolder, patience: Patience): Steps<void> {
  let renewedAt = patience.now();
  for (;;) {
    const now = patience.now();
    const kured = yield* findKured(args);
    if (kured === undefined) return;
    const other = otherOwner(kured, me, now);
    if (other === undefined) {
      if (yield* setKured(args, kured, heldBy(kured, identityOf(me.run), now, staleAfterMs))) return;
      continue;
    }
    const lock = `kured's lock (DaemonSet ${kured.namespace}/${kured.name})`;
    if (now >= patience.deadlineMs) throw notFree(lock, other, patience);
    yield pause(askAgainMs, { ...patience, waitingFor: `${lock}, held by ${other}` });
    if (patience.now() - renewedAt < staleAfterMs / 5) continue;
    renewedAt = patience.now();
    yield* takeLease(args, me, patience);
  }
}

/** Takes kured's lock for longer; or once more, where kured was installed meanwhile. */
function* keepKured(args: LockArgs, me: LockHolder, now: () => number): Steps<void> {
  for (;;) {
    const kured = yield* findKured(args);
    // That kured has it now can only be because it was not renewed in time: when it is done, it is taken again.
    if (kured === undefined || otherOwner(kured, me, now()) !== undefined) return;
    if (yield* setKured(args, kured, heldBy(kured, identityOf(me.run), now(), staleAfterMs))) return;
  }
}

/** False when another node of this run took the lock meanwhile, so that it stays. */
function* giveBackKured(args: LockArgs, me: LockHolder, now: () => number): Steps<boolean> {
  const kured = yield* findKured(args);
  if (kured?.text === undefined || otherOwner(kured, me, now()) !== undefined) return true;
  if (!kured.text.includes(identityOf(me.run))) return true;
  // Read after kured's: whoever comes later than this writes to the DaemonSet, and the change below is refused.
  const state = yield* readLock(args, me, now());
  if (state?.is !== 'ours' || Object.keys(state.nodes).length > 0) return true;
  return yield* setKured(args, kured, null);
}

function* findKured(args: LockArgs): Steps<Kured | undefined> {
  if (args.kured === 'off') return undefined;
  const [namespace, name] = args.kured === 'auto' ? [undefined, 'kured'] : split(args.kured);
  const where = namespace === undefined ? ['-A'] : ['-n', namespace];
  const answer = yield exec(
    sh`${kubectlWords(args)} get daemonsets ${where} --field-selector ${`metadata.name=${name}`} -o json`,
    { okCodes: 'any', purpose: 'looking for kured' },
  );
  // Who may not look for it anywhere has not asked for it either.
  if (isForbidden(answer) && args.kured === 'auto') return undefined;
  if (isForbidden(answer)) throw kuredForbidden(args.kured, answer);
  if (answer.rc !== 0) throw kubeFailure('the DaemonSets cannot be listed', answer, args);
  const [found] = itemsIn<DaemonSetObject>({ name: 'daemonsets', ...answer });
  if (found === undefined && args.kured !== 'auto') throw failure(`there is no DaemonSet ${args.kured}`);
  return found && kuredOf(found);
}

/** False when the DaemonSet has changed since it was read. */
function* setKured(args: LockArgs, kured: Kured, text: string | null): Steps<boolean> {
  const { namespace, name, annotation, version } = kured;
  const metadata = { ...(version !== undefined && { resourceVersion: version }), annotations: { [annotation]: text } };
  const purpose = text === null ? "giving back kured's lock" : "holding kured's lock";
  const answer = yield exec(patchIn(args, { kind: 'daemonset', namespace, name }, { metadata }), {
    okCodes: 'any',
    purpose,
  });
  if (answer.rc === 0) return true;
  if (isConflict(answer)) return false;
  if (isForbidden(answer)) throw kuredForbidden(`${namespace}/${name}`, answer);
  throw kubeFailure(`kured's lock on ${namespace}/${name} cannot be written`, answer, args);
}

/** Who has kured's lock, if it is not us. */
function otherOwner(kured: Kured, me: LockHolder, now: number): string | undefined {
  try {
    const other = ownersOf(kured, now).find(({ id }) => id !== identityOf(me.run));
    return other && `${other.id} since ${other.since}`;
  } catch {
    throw failure(`kured's lock on DaemonSet ${kured.namespace}/${kured.name} cannot be read: ${kured.text ?? ''}`);
  }
}

function kuredForbidden(daemonSet: string, answer: StepResult): RunbookError {
  const [namespace, name] = split(daemonSet);
  return refusal(
    `kured's lock (DaemonSet ${daemonSet}) cannot be held`,
    `a Role in namespace ${namespace} with apiGroups: [apps], resources: [daemonsets], resourceNames: [${name}], verbs: [get, list, patch]`,
    'kured: off leaves it alone',
    answer,
  );
}

function refusal(what: string, rule: string, wayOut: string, answer: StepResult): RunbookError {
  return new RunbookError('task-failed', `${what}: the API server refuses it (403)\n${answer.stderr.trim()}`, {
    hint: `the user of the kubeconfig needs ${rule}; ${wayOut}`,
  });
}

function notFree(what: string, who: string, { sinceMs, deadlineMs }: Patience): Error {
  return failure(`${what} is still held by ${who}, after ${Math.round((deadlineMs - sinceMs) / 1000)} s`);
}

function atOnce(now: () => number): Patience {
  return { now, sinceMs: now(), deadlineMs: now() };
}

function targetOf({ lock_name }: LockArgs): { readonly namespace: string; readonly name: string } {
  const [namespace, name] = split(lock_name);
  return { namespace, name };
}

/** The schema lets only NAMESPACE/NAME through. */
function split(path: string): [namespace: string, name: string] {
  const [namespace = '', name = ''] = path.split('/');
  return [namespace, name];
}

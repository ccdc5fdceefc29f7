import {
  type Change,
  defineLease,
  exec,
  failure,
  type Lost,
  type ProbeOutput,
  pause,
  probe,
  type Script,
  type Step,
  type StepResult,
  sh,
  waitFor,
} from '../engine/index.ts';
import {
  answersOf,
  getNode,
  isApiSilent,
  isConflict,
  isForbidden,
  kubectlArguments,
  kubectlSaid,
  kubectlWords,
  kubeFailure,
  type NodeObject,
  nodeArgument,
  objectIn,
  patchNode,
  questions,
} from './lib/kube.ts';
import {
  type Cordon,
  clientMinorOf,
  cordonOf,
  type DrainRules,
  type DrainState,
  describeBudget,
  evicteesOf,
  refusals,
  whatHolds,
  whatIsWaitedFor,
} from './lib/kube-drain.ts';
import {
  describeHolder,
  type Holder,
  holderAnnotation,
  holderText,
  isLive,
  isoTime,
  renewEveryMs,
} from './lib/kube-holder.ts';
import {
  getLock,
  giveBackLock,
  type LockArgs,
  lockForbidden,
  type Patience,
  renewLock,
  takeLock,
} from './lib/kube-lock.ts';
import type { LockHolder } from './lib/kube-lock-state.ts';

/** What the arguments are once defaults are filled in. */
interface Args extends LockArgs, DrainRules {
  readonly node: string;
  readonly timeout: number;
  readonly grace_period?: number | undefined;
  readonly disable_eviction: boolean;
  readonly pod_selector?: string | undefined;
}

/** What giving it back needs to know. The annotation on the node says the same, and is asked first. */
interface Grant {
  readonly node: string;
  readonly run: string;
  readonly by: string;
  readonly since: string;
  /** Whether the node took pods when it was looked at. */
  readonly schedulable: boolean;
  /** The annotation of an earlier run that had left the node cordoned. */
  readonly former?: string;
}

type Steps<T> = Generator<Step, T, StepResult>;

export default defineLease({
  name: 'kubectl-drain',
  summary: 'Holds a Kubernetes node cordoned and empty, and uncordons it afterwards',
  description: `
Runs where its clause is delegated, usually \`delegate_to: localhost\`, with the kubectl there (1.18 and newer).

Taking it: take the cluster's maintenance lock, cordon, say on the node who holds it (annotation \`${holderAnnotation}\`: run,
who, since, whether the node took pods before), read both back, evict (a refusal by a PodDisruptionBudget is retried until
the deadline), and look that the pods are gone. If that fails, it says which pods are left and what holds them, and the node
is as schedulable as before.

While it is held, what says so is renewed once a minute. If somebody uncordons the node or takes it over, nothing more is
done on it.

Giving it back uncordons only what it cordoned: a node that was cordoned before stays cordoned. A node with the annotation
of an earlier run, which failed and kept it, counts as its own; one that another run is at work on is waited for.

The maintenance lock is the Lease \`lock_name\`. One run holds it, for as many nodes as it has in hand; another one waits, at
most \`timeout\`, and then fails naming the holder. When the run dies, the lock can be taken over five minutes after it was
last renewed (controllers need clocks that agree to within minutes). A node that is kept cordoned does not keep the lock. Where
there is kured, its lock is waited for, too, and held in its own format, so that it reboots no node meanwhile.

Pods of DaemonSets and static pods stay. kubectl removes finished pods too, but for them alone no node is drained.
`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['node'],
    properties: {
      node: nodeArgument,
      timeout: {
        type: 'integer',
        default: 600,
        minimum: 1,
        description: 'Seconds to wait for the maintenance lock, and then again until the pods must be gone.',
      },
      grace_period: {
        type: 'integer',
        minimum: 0,
        description: "Seconds that each pod gets to end. Default: each pod's own terminationGracePeriodSeconds.",
      },
      ignore_daemonsets: {
        type: 'boolean',
        default: true,
        description:
          'Leave pods of DaemonSets where they are; with false the node cannot be drained while it has some.',
      },
      delete_emptydir_data: {
        type: 'boolean',
        default: false,
        description: 'Evict pods with emptyDir volumes too, whose content is lost.',
      },
      force: {
        type: 'boolean',
        default: false,
        description: 'Evict pods without a controller too; nothing starts them again.',
      },
      disable_eviction: {
        type: 'boolean',
        default: false,
        description: 'Delete instead of evict: PodDisruptionBudgets are not asked. For emergencies.',
      },
      pod_selector: {
        type: 'string',
        minLength: 1,
        description: 'Only pods with these labels, as kubectl takes them: app!=csi-plugin.',
      },
      maintenance_lock: {
        type: 'boolean',
        default: true,
        description: 'Hold the maintenance lock of the cluster: one run at a time, and not while kured reboots a node.',
      },
      lock_name: {
        type: 'string',
        default: 'kube-system/runbook-node-maintenance',
        pattern: '^[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*$',
        description: 'NAMESPACE/NAME of the Lease that is the maintenance lock.',
      },
      kured: {
        type: 'string',
        default: 'auto',
        pattern: '^(auto|off|[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*)$',
        description:
          'NAMESPACE/NAME of the DaemonSet of kured. auto: the one called kured, if there is one; off: leave it alone.',
      },
      ...kubectlArguments,
    },
  },
  examples: `
- name: Work on an empty node
  lease:
    kubectl-drain: { node: "{{ node_name }}", timeout: 900, delete_emptydir_data: true }
    delegate_to: localhost
  block:
    - systemd: { name: kubelet, state: stopped }
`,
  probe: (args) => probe(stateScript(args), (output) => parseState(output, args)),
  diff: (current, args) => {
    refuseWhatKubectlWouldRefuse(current, args);
    const resource = `node:${args.node}`;
    const changes: Change[] = [];
    const { unschedulable, holder } = current.cordon;
    if (!unschedulable) changes.push({ path: 'spec.unschedulable', before: false, after: true, resource });
    // A cordon that an earlier run left has to be taken over: only who holds it gives it back.
    else if (holder !== undefined) {
      changes.push({ path: holderAnnotation, before: holder.run, after: 'this run', resource });
    }
    if (current.evictees.length > 0) {
      const pods = current.evictees.map(({ name, budgets }) => {
        const full = budgets.find((budget) => budget.allowed <= 0);
        return full === undefined ? name : `${name} (now held by ${describeBudget(full)})`;
      });
      changes.push({ path: 'pods to evict', before: pods, after: [], resource });
    }
    return changes;
  },
  grant: ({ args, current, runId, who, now }): Grant => {
    const { unschedulable, holder } = current.cordon;
    const former = holder?.run === runId ? undefined : holder;
    return {
      node: args.node,
      run: runId,
      by: who,
      since: isoTime(now()),
      schedulable: holder?.schedulable ?? !unschedulable,
      ...(former && { former: former.text }),
    };
  },
  *acquire({ args, current, grant, now }): Steps<string | undefined> {
    refuseWhatKubectlWouldRefuse(current, args);
    const patience = { now, sinceMs: now(), deadlineMs: now() + args.timeout * 1000 };
    const note = args.maintenance_lock ? yield* takeLock(args, lockHolder(grant), patience) : undefined;
    yield* cordon(args, current.cordon, grant, patience);
    yield* empty(args, current, grant, now);
    return note;
  },
  renewEveryMs,
  *renew({ args, grant, now }) {
    const lost = yield* renewAll(args, grant, now);
    return lost === undefined ? undefined : { lost };
  },
  *keep({ args, grant, reason, now }) {
    try {
      const lost = yield* changeHeld(args, grant, 'noting why it stays cordoned on', (holder) => ({
        annotation: holderText({ ...holder, kept: reason }),
      }));
      return lost === undefined ? undefined : { lost };
    } finally {
      // A node that is out of service must not keep everybody from theirs.
      if (args.maintenance_lock) yield* giveBackLock(args, lockHolder(grant), now);
    }
  },
  *release({ args, grant, isUndo, now }) {
    try {
      return yield* uncordon(args, grant, isUndo);
    } finally {
      if (args.maintenance_lock) yield* giveBackLock(args, lockHolder(grant), now);
    }
  },
});

function lockHolder({ run, by, node }: Grant): LockHolder {
  return { run, by, node };
}

function stateScript(args: Args): Script {
  const kubectl = kubectlWords(args);
  const selector = args.pod_selector === undefined ? [] : ['-l', args.pod_selector];
  return questions([
    { name: 'version', script: sh`${args.kubectl} version --client -o json`, required: true },
    { name: 'node', script: getNode(args, args.node), required: true },
    {
      name: 'pods',
      script: sh`${kubectl} get pods -A --field-selector ${`spec.nodeName=${args.node}`} ${selector} -o json`,
      required: true,
    },
    { name: 'budgets', script: sh`${kubectl} get poddisruptionbudgets -A -o json` },
    // Asked so that check mode tells a missing right.
    ...(args.maintenance_lock ? [{ name: 'lock', script: getLock(args) }] : []),
  ]);
}

function parseState(output: ProbeOutput, args: Args): DrainState {
  const answers = answersOf(output);
  const need = (name: string, what: string) => {
    const answer = answers.get(name);
    if (answer === undefined || answer.rc !== 0) throw kubeFailure(what, answer, args);
    return answer;
  };
  const version = need('version', 'kubectl');
  const node = need('node', `node ${args.node}`);
  const pods = need('pods', `the pods on node ${args.node} cannot be listed`);
  const lock = answers.get('lock');
  if (isForbidden(lock) && lock) throw lockForbidden(args, lock);
  return {
    clientMinor: clientMinorOf(version),
    cordon: cordonOf(objectIn<NodeObject>(node)),
    evictees: evicteesOf(pods, answers.get('budgets'), args),
  };
}

/** kubectl refuses too, but only after it has cordoned the node, and leaves it so (Kubernetes docs, "Safely Drain a Node"). */
function refuseWhatKubectlWouldRefuse(current: DrainState, args: Args): void {
  const lines = refusals(current.evictees);
  if (lines.length > 0) throw failure(`node ${args.node} cannot be drained`, lines.join('\n'));
}

/**
 * Cordons and says who holds the node in one PATCH, so that there is no cordon without an owner, then reads both back. The
 * PATCH carries the version of the Node that it was decided on: whether the node took pods before is written on it, and
 * must not be out of date.
 */
function* cordon(args: Args, probed: Cordon, grant: Grant, patience: Patience): Steps<void> {
  for (let seen = probed; ; seen = yield* readCordon(args)) {
    const { holder } = seen;
    const now = patience.now();
    if (holder && holder.run !== grant.run && isLive(holder, now)) {
      const who = describeHolder(holder);
      if (now >= patience.deadlineMs) throw failure(`node ${args.node} is still held by ${who}`);
      yield pause(5000, { ...patience, waitingFor: `node ${args.node}, held by ${who}` });
      continue;
    }
    const annotation = holderText({
      run: grant.run,
      by: grant.by,
      since: grant.since,
      renewed: isoTime(now),
      schedulable: holder?.schedulable ?? !seen.unschedulable,
    });
    const act = seen.unschedulable ? 'noting who holds' : 'cordoning';
    const isDone = yield* patch(args, seen, { annotation, ...(!seen.unschedulable && { unschedulable: true }) }, act);
    if (!isDone) continue;
    const after = yield* readCordon(args, ' back');
    if (after.unschedulable && after.holder?.run === grant.run) return;
    throw failure(
      `node ${args.node} was not cordoned, although the API server took the change`,
      'something sets it back: an admission webhook or another controller',
    );
  }
}

/**
 * Evicts until the pods are gone, or says what holds those that are left. In short rounds of kubectl: between them it is
 * told what is waited for, what is held is renewed, and other nodes have their turn.
 */
function* empty(args: Args, before: DrainState, grant: Grant, now: () => number): Steps<void> {
  const sinceMs = now();
  const deadlineMs = sinceMs + args.timeout * 1000;
  for (let renewedAt = sinceMs; ; ) {
    const seconds = Math.max(1, Math.min(roundSeconds, Math.ceil((deadlineMs - now()) / 1000)));
    const drained = yield exec(drainScript(args, before.clientMinor, seconds), {
      okCodes: 'any',
      purpose: `draining node ${args.node}`,
      // kubectl keeps the deadline itself; this one is for a kubectl that hangs.
      timeoutMs: (seconds + 60) * 1000,
    });
    const listed = yield exec(stateScript(args), {
      okCodes: 'any',
      purpose: `listing the pods on node ${args.node}`,
    });
    const after = parseState(listed, args);
    // Pods would come back while nobody expects any.
    if (!after.cordon.unschedulable) throw failure(`somebody uncordoned node ${args.node} while it was drained`);
    if (after.evictees.length === 0) {
      // kubectl ends with 1 when one of several evictions failed, even if the pod has gone since.
      if (drained.rc === 0 || isOnlySlow(drained)) return;
      throw kubeFailure(`node ${args.node} is empty, but kubectl drain failed`, drained, args);
    }
    if (now() >= deadlineMs || !isOnlySlow(drained)) throw notDrained(args, before, after, drained);
    yield pause(1000, { waitingFor: whatIsWaitedFor(after.evictees), sinceMs, deadlineMs });
    if (now() - renewedAt < renewEveryMs) continue;
    renewedAt = now();
    const lost = yield* renewAll(args, grant, now);
    if (lost !== undefined) throw failure(lost);
  }
}

/** How long one call of kubectl may take. It tries a refused eviction again after 5 s itself. */
const roundSeconds = 5;

/** Whether kubectl ended only because its time was up; another round may do it. */
function isOnlySlow({ rc, stderr }: StepResult): boolean {
  const errors = stderr.split('\n').filter((line) => /^(error|There are pending pods.*error)/i.test(line));
  return rc === 0 || errors.every((line) => /timeout reached|deadline exceeded|did not complete|will retry/.test(line));
}

function notDrained(args: Args, before: DrainState, after: DrainState, drained: StepResult): Error {
  const count = after.evictees.length === 1 ? '1 pod is' : `${after.evictees.length} pods are`;
  const lines = whatHolds(after.evictees, before.evictees);
  if (isOnlySlow(drained)) {
    const what = `node ${args.node} could not be drained: ${count} left (deadline ${args.timeout} s)`;
    return failure(what, lines.join('\n'));
  }
  const said = `kubectl: ${lastError(drained.stderr)}`;
  return failure(`node ${args.node} could not be drained: ${count} left`, [...lines, said].join('\n'));
}

/** kubectl lists each pod's error again and again; the last one says how it ended. */
function lastError(stderr: string): string {
  return (
    kubectlSaid(stderr)
      .split('\n')
      .findLast((line) => line.startsWith('error')) ?? 'no error'
  );
}

function drainScript(args: Args, clientMinor: number, seconds: number): Script {
  // Renamed in kubectl 1.20 (CHANGELOG-1.20); the old name is gone from later ones.
  const emptyDirOption = clientMinor < 20 ? '--delete-local-data' : '--delete-emptydir-data';
  const options = [
    // Without a time-out kubectl retries a refused eviction for ever.
    `--timeout=${seconds}s`,
    ...(args.grace_period === undefined ? [] : [`--grace-period=${args.grace_period}`]),
    ...(args.ignore_daemonsets ? ['--ignore-daemonsets'] : []),
    ...(args.delete_emptydir_data ? [emptyDirOption] : []),
    ...(args.force ? ['--force'] : []),
    ...(args.disable_eviction ? ['--disable-eviction'] : []),
    ...(args.pod_selector === undefined ? [] : ['--pod-selector', args.pod_selector]),
  ];
  return sh`${kubectlWords(args)} drain ${args.node} ${options}`;
}

/** Renews what says that the node and the lock are ours; why they are not, where they are lost. */
function* renewAll(args: Args, grant: Grant, now: () => number): Steps<string | undefined> {
  const lost = yield* changeHeld(args, grant, 'renewing the hold on', (holder) => ({
    annotation: holderText({ ...holder, renewed: isoTime(now()) }),
  }));
  if (lost !== undefined) return lost;
  return args.maintenance_lock ? yield* renewLock(args, lockHolder(grant), now) : undefined;
}

/** Changes a node that this run holds; why it does not hold it, where it does not. */
function* changeHeld(
  args: Args,
  grant: Grant,
  act: string,
  wanted: (holder: Holder) => NodeChange,
): Steps<string | undefined> {
  for (;;) {
    const seen = yield* readCordon(args);
    if (seen.holder?.run !== grant.run) return `node ${args.node} is not held by this run any more: ${whoNow(seen)}`;
    if (!seen.unschedulable) return `somebody uncordoned node ${args.node} while this run held it`;
    if (yield* patch(args, seen, wanted(seen.holder), act)) return undefined;
  }
}

/** Gives back what this run has of a node. What it was before is written on the node itself. */
function* uncordon(args: Args, grant: Grant, isUndo: boolean): Steps<Lost | undefined> {
  // The node may carry the API server itself, which then comes back only after its kubelet did.
  yield waitFor({
    what: 'the API server to answer',
    probe: probe(getNode(args, args.node), (output) => output),
    done: (output) => !isApiSilent(output) || 'it does not answer',
    timeoutMs: 120_000,
    intervalMs: 2000,
  });
  for (;;) {
    const seen = yield* readCordon(args);
    if (seen.holder?.run !== grant.run) {
      // Nothing of it was taken, or somebody gave it back already.
      if (isUndo || !seen.unschedulable) return undefined;
      return {
        lost: `node ${args.node} stays cordoned: ${whoNow(seen)} while this run held it\nIf nobody needs the cordon: ${byHand(args)}`,
      };
    }
    // An earlier run had left it cordoned, and nothing was done that would change that.
    if (isUndo && grant.former !== undefined) {
      if (yield* patch(args, seen, { annotation: grant.former }, 'leaving to its former holder')) return undefined;
      continue;
    }
    const { schedulable } = seen.holder;
    const act = schedulable ? 'uncordoning' : 'letting go of';
    if (!(yield* patch(args, seen, { annotation: null, ...(schedulable && { unschedulable: null }) }, act))) continue;
    const after = yield* readCordon(args, ' back');
    if (!schedulable || !after.unschedulable || after.holder !== undefined) return undefined;
    throw failure(
      `node ${args.node} is still cordoned, although the API server took the change`,
      `something sets it back: an admission webhook or another controller\n${byHand(args)}`,
    );
  }
}

function whoNow({ holder }: Cordon): string {
  if (holder === undefined) return `its annotation ${holderAnnotation} was removed`;
  return `its annotation ${holderAnnotation} now says ${describeHolder(holder)}`;
}

/** What a patch changes of a node; null takes it away. */
interface NodeChange {
  readonly annotation: string | null;
  readonly unschedulable?: true | null;
}

/** False when the node has changed since it was seen. `kubectl cordon` ends with 0 when the API server refuses: a patch does not. */
function* patch(args: Args, seen: Cordon, wanted: NodeChange, act: string): Steps<boolean> {
  const { annotation, unschedulable } = wanted;
  const script = patchNode(args, args.node, {
    metadata: {
      ...(seen.version !== undefined && { resourceVersion: seen.version }),
      annotations: { [holderAnnotation]: annotation },
    },
    ...(unschedulable !== undefined && { spec: { unschedulable } }),
  });
  const answer = yield exec(script, { okCodes: 'any', purpose: `${act} node ${args.node}` });
  if (answer.rc === 0) return true;
  if (isConflict(answer)) return false;
  throw kubeFailure(`${act} node ${args.node} failed`, answer, args);
}

function* readCordon(args: Args, back = ''): Steps<Cordon> {
  const answer = yield exec(getNode(args, args.node), { okCodes: 'any', purpose: `reading node ${args.node}${back}` });
  if (answer.rc !== 0) throw kubeFailure(`node ${args.node} cannot be read`, answer, args);
  return cordonOf(objectIn<NodeObject>({ name: 'node', ...answer }));
}

function byHand(args: Args): string {
  const options = kubectlWords(args).slice(1, -1).join(' ');
  return `${args.kubectl} ${options === '' ? '' : `${options} `}uncordon ${args.node} && kubectl annotate node ${args.node} ${holderAnnotation}-`;
}

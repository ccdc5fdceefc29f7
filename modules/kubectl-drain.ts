import {
  type Change,
  defineLease,
  exec,
  failure,
  type ProbeOutput,
  probe,
  RunbookError,
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
  type KubectlArgs,
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
  clientMinorOf,
  cordonOf,
  type DrainRules,
  type DrainState,
  describeBudget,
  evicteesOf,
  holderAnnotation,
  refusals,
  whatHolds,
} from './lib/kube-drain.ts';

/** What the arguments are once defaults are filled in. */
interface Args extends KubectlArgs, DrainRules {
  readonly node: string;
  readonly timeout: number;
  readonly grace_period?: number | undefined;
  readonly disable_eviction: boolean;
  readonly pod_selector?: string | undefined;
}

/** What giving it back needs to know. */
interface Grant {
  readonly node: string;
  /** False for a node that somebody else had cordoned: it stays so. */
  readonly cordonedByUs: boolean;
  /** What the annotation on the node says while we hold it. */
  readonly holder: string;
  readonly evicted: readonly string[];
}

export default defineLease({
  name: 'kubectl-drain',
  summary: 'Holds a Kubernetes node cordoned and empty, and uncordons it afterwards',
  description: `
Runs where its clause is delegated, usually \`delegate_to: localhost\`, with the kubectl there (1.18 and newer).

Taking it: cordon, say on the node who holds it (annotation \`${holderAnnotation}\`), read both back, evict (a refusal by a
PodDisruptionBudget is retried until the deadline), and look that the pods are gone. If that fails, it says which pods are
left and what holds them, and the node is as schedulable as before.

Giving it back uncordons only what it cordoned: a node that a human had cordoned stays cordoned. A node with the annotation
of an earlier run, which failed and kept it, counts as its own.

Pods of DaemonSets and static pods stay. kubectl removes finished pods too, but for them alone no node is drained.
`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['node'],
    properties: {
      node: nodeArgument,
      timeout: { type: 'integer', default: 600, minimum: 1, description: 'Seconds until the pods must be gone.' },
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
    if (!current.unschedulable) changes.push({ path: 'spec.unschedulable', before: false, after: true, resource });
    // A cordon that an earlier run left has to be taken over: only who holds it gives it back.
    else if (current.holder !== undefined) {
      changes.push({ path: holderAnnotation, before: current.holder, after: 'this run', resource });
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
  *acquire({ args, current, runId }): Generator<Step, Grant, StepResult> {
    refuseWhatKubectlWouldRefuse(current, args);
    const isForeign = current.unschedulable && current.holder === undefined;
    try {
      if (!isForeign) yield* cordon(args, runId);
      yield* empty(args, current);
    } catch (error) {
      if (current.unschedulable) throw withNote(error, `node ${args.node} was cordoned before and stays so`);
      throw withNote(error, yield* undo(args, runId));
    }
    return {
      node: args.node,
      cordonedByUs: !isForeign,
      holder: runId,
      evicted: current.evictees.map(({ name }) => name),
    };
  },
  *release({ args, grant }) {
    if (!grant.cordonedByUs) return;
    yield* uncordon(args, grant.holder);
  },
});

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
  return {
    clientMinor: clientMinorOf(version),
    ...cordonOf(objectIn<NodeObject>(node)),
    evictees: evicteesOf(pods, answers.get('budgets'), args),
  };
}

/** kubectl refuses too, but only after it has cordoned the node, and leaves it so (Kubernetes docs, "Safely Drain a Node"). */
function refuseWhatKubectlWouldRefuse(current: DrainState, args: Args): void {
  const lines = refusals(current.evictees);
  if (lines.length > 0) throw failure(`node ${args.node} cannot be drained`, lines.join('\n'));
}

/** Cordons and says who holds the node in one PATCH, so that there is no cordon without an owner, then reads both back. */
function* cordon(args: Args, runId: string): Generator<Step, void, StepResult> {
  const patch = { metadata: { annotations: { [holderAnnotation]: runId } }, spec: { unschedulable: true } };
  const seen = yield* patchAndRead(args, patch, 'cordoning');
  if (!seen.unschedulable || seen.holder !== runId) {
    throw failure(
      `node ${args.node} was not cordoned, although the API server took the change`,
      'something sets it back: an admission webhook or another controller',
    );
  }
}

/** Evicts until the pods are gone, or says what holds those that are left. */
function* empty(args: Args, before: DrainState): Generator<Step, void, StepResult> {
  const drained = yield exec(drainScript(args, before.clientMinor), {
    okCodes: 'any',
    purpose: `draining node ${args.node}`,
    // kubectl keeps the deadline itself; this one is for a kubectl that hangs.
    timeoutMs: (args.timeout + 60) * 1000,
  });
  const after = parseState(
    yield exec(stateScript(args), { okCodes: 'any', purpose: `listing the pods on node ${args.node}` }),
    args,
  );
  // Pods would come back while nobody expects any.
  if (!after.unschedulable) throw failure(`somebody uncordoned node ${args.node} while it was drained`);
  if (drained.rc === 0 && after.evictees.length === 0) return;
  // kubectl ends with 1 when one of several evictions failed, even if the pod has gone since.
  if (after.evictees.length === 0) {
    throw kubeFailure(`node ${args.node} is empty, but kubectl drain failed`, drained, args);
  }
  const count = after.evictees.length === 1 ? '1 pod is' : `${after.evictees.length} pods are`;
  throw failure(
    `node ${args.node} could not be drained: ${count} left (deadline ${args.timeout} s)`,
    [...whatHolds(after.evictees, before.evictees), `kubectl: ${lastError(drained.stderr)}`].join('\n'),
  );
}

/** kubectl lists each pod's error again and again; the last one says how it ended. */
function lastError(stderr: string): string {
  return (
    kubectlSaid(stderr)
      .split('\n')
      .findLast((line) => line.startsWith('error')) ?? 'no error'
  );
}

function drainScript(args: Args, clientMinor: number): Script {
  // Renamed in kubectl 1.20 (CHANGELOG-1.20); the old name is gone from later ones.
  const emptyDirOption = clientMinor < 20 ? '--delete-local-data' : '--delete-emptydir-data';
  const options = [
    // Without a time-out kubectl retries a refused eviction for ever.
    `--timeout=${args.timeout}s`,
    ...(args.grace_period === undefined ? [] : [`--grace-period=${args.grace_period}`]),
    ...(args.ignore_daemonsets ? ['--ignore-daemonsets'] : []),
    ...(args.delete_emptydir_data ? [emptyDirOption] : []),
    ...(args.force ? ['--force'] : []),
    ...(args.disable_eviction ? ['--disable-eviction'] : []),
    ...(args.pod_selector === undefined ? [] : ['--pod-selector', args.pod_selector]),
  ];
  return sh`${kubectlWords(args)} drain ${args.node} ${options}`;
}

/** Gives back what this attempt took, and says in a sentence how that went. */
function* undo(args: Args, holder: string): Generator<Step, string, StepResult> {
  try {
    const isDone = yield* uncordon(args, holder);
    return isDone ? `node ${args.node} was uncordoned again` : `node ${args.node} is not cordoned`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `node ${args.node} IS STILL CORDONED, because uncordoning failed too: ${reason}\n${byHand(args)}`;
  }
}

/** Uncordons a node that `holder` holds, and reads back; false when it is schedulable already. */
function* uncordon(args: Args, holder: string): Generator<Step, boolean, StepResult> {
  // The node may carry the API server itself, which then comes back only after its kubelet did.
  yield waitFor({
    what: 'the API server to answer',
    probe: probe(getNode(args, args.node), (output) => output),
    done: (output) => !isApiSilent(output) || 'it does not answer',
    timeoutMs: 120_000,
    intervalMs: 2000,
  });
  const answer = yield exec(getNode(args, args.node), { okCodes: 'any', purpose: `reading node ${args.node}` });
  const now = readCordon(args, answer);
  if (now.holder !== holder) {
    if (!now.unschedulable) return false;
    const who = now.holder === undefined ? 'was removed' : `now says ${JSON.stringify(now.holder)}`;
    throw failure(
      `node ${args.node} stays cordoned: its annotation ${holderAnnotation} ${who} while this run held it`,
      `If nobody needs the cordon: ${byHand(args)}`,
    );
  }
  const patch = { metadata: { annotations: { [holderAnnotation]: null } }, spec: { unschedulable: null } };
  const seen = yield* patchAndRead(args, patch, 'uncordoning');
  if (seen.unschedulable) {
    throw failure(
      `node ${args.node} is still cordoned, although the API server took the change`,
      'something sets it back: an admission webhook or another controller',
    );
  }
  return true;
}

/** `kubectl cordon` ends with 0 when the API server refuses: a patch does not, and what counts is what is read back. */
function* patchAndRead(args: Args, patch: Readonly<Record<string, unknown>>, act: string) {
  const node = args.node;
  const patched: StepResult = yield exec(patchNode(args, node, patch), {
    okCodes: 'any',
    purpose: `${act} node ${node}`,
  });
  if (patched.rc !== 0) throw kubeFailure(`${act} node ${node} failed`, patched, args);
  const answer: StepResult = yield exec(getNode(args, node), { okCodes: 'any', purpose: `reading node ${node} back` });
  return readCordon(args, answer);
}

function readCordon(args: Args, answer: StepResult): ReturnType<typeof cordonOf> {
  if (answer.rc !== 0) throw kubeFailure(`node ${args.node} cannot be read`, answer, args);
  return cordonOf(objectIn<NodeObject>({ name: 'node', ...answer }));
}

function byHand(args: Args): string {
  const options = kubectlWords(args).slice(1, -1).join(' ');
  return `${args.kubectl} ${options === '' ? '' : `${options} `}uncordon ${args.node} && kubectl annotate node ${args.node} ${holderAnnotation}-`;
}

/** The same failure, with a sentence more. */
function withNote(error: unknown, note: string): Error {
  if (!(error instanceof RunbookError)) return error instanceof Error ? error : new Error(String(error));
  return new RunbookError(error.code, `${error.message}\n${note}`, { hint: error.hint, cause: error });
}

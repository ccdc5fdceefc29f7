import { failure, type ProbeOutput, RunbookError, type Script, sh } from '../../engine/index.ts';

/** What the modules that speak to a cluster through kubectl have in common. */

/** Arguments that say which kubectl speaks to which cluster. */
export const kubectlArguments = {
  kubectl: {
    type: 'string',
    default: 'kubectl',
    minLength: 1,
    description: 'The kubectl to use, where the task runs: a name on the PATH or an absolute path.',
  },
  kubeconfig: {
    type: 'string',
    default: '',
    description: "Path of the kubeconfig, where the task runs. Empty: kubectl's own ($KUBECONFIG, ~/.kube/config).",
  },
  context: { type: 'string', default: '', description: 'A context of the kubeconfig. Empty: its current one.' },
} as const;

/** The name of a Node: a DNS subdomain name (kubernetes.io, "Object Names and IDs"). */
export const nodeArgument = {
  type: 'string',
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  description: "The Node's name in the cluster; often, but not always, the host name.",
} as const;

/** Values of {@link kubectlArguments}. */
export interface KubectlArgs {
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly context: string;
}

/**
 * kubectl with its global options, as words of a script. Every single request has a deadline: without one, kubectl waits
 * for ever for an API server that accepts the connection and says nothing.
 */
export function kubectlWords(args: KubectlArgs): readonly string[] {
  return [
    args.kubectl,
    ...(args.kubeconfig === '' ? [] : ['--kubeconfig', args.kubeconfig]),
    ...(args.context === '' ? [] : ['--context', args.context]),
    '--request-timeout=20s',
  ];
}

/** One command's answer among several of one script. */
export interface Answer extends ProbeOutput {
  readonly name: string;
}

const mark = '#runbook-answer';

/**
 * A script that asks several questions and keeps their answers apart, for {@link answersOf}. A question marked
 * `required` ends the script when it fails: the ones after it would only wait for the same time-out.
 */
export function questions(
  asked: readonly { readonly name: string; readonly script: Script; readonly required?: boolean }[],
): Script {
  const blocks = asked.map(({ name, script, required }) => {
    const line = `${mark} ${name}`;
    const end = required === true ? sh`[ "$rc" = 0 ] || exit 0` : sh`:`;
    return sh`${script}
rc=$?
printf '\n%s %s\n' ${line} "$rc"
printf '\n%s\n' ${line} >&2
${end}`;
  });
  return sh.lines(blocks);
}

/** What each question of {@link questions} answered; one that was not asked is missing. */
export function answersOf(output: ProbeOutput): ReadonlyMap<string, Answer> {
  const errors = new Map<string, string>();
  for (const [name, , text] of sections(output.stderr)) errors.set(name, text);
  return new Map(
    sections(output.stdout).map(([name, rc, stdout]) => [name, { name, rc, stdout, stderr: errors.get(name) ?? '' }]),
  );
}

/** Text up to each mark, with the name and the status on the mark. JSON has no raw newline in a text, so no mark either. */
function sections(text: string): [name: string, rc: number, text: string][] {
  const found: [string, number, string][] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const [first, name, rc] = line.split(' ');
    if (first === mark && name !== undefined) {
      found.push([name, Number(rc ?? 0), lines.join('\n').trim()]);
      lines = [];
    } else lines.push(line);
  }
  return found;
}

/** Why kubectl failed, in words that say what to do. */
export function kubeFailure(what: string, answer: ProbeOutput | undefined, args: KubectlArgs): RunbookError {
  const said = kubectlSaid(answer?.stderr ?? '');
  const { reason, hint } = explain(answer, said, args);
  return new RunbookError('task-failed', [`${what}: ${reason}`, ...(said === reason ? [] : [said])].join('\n').trim(), {
    hint,
  });
}

/** True when the API server was not reached, or was not up: it may answer a moment later. */
export function isApiSilent(answer: ProbeOutput | undefined): boolean {
  return /unable to connect to the server|was refused|i\/o timeout|context deadline exceeded|client\.timeout|TLS handshake timeout|connection reset|ServiceUnavailable|apiserver not ready|\bEOF\b/i.test(
    answer?.stderr ?? '',
  );
}

/** True when the API server says that there is no such object. */
export function isNotFound(answer: ProbeOutput | undefined): boolean {
  return /\(NotFound\)/.test(answer?.stderr ?? '');
}

/** True when the object has changed since the version that the request carried, or was made meanwhile. */
export function isConflict(answer: ProbeOutput | undefined): boolean {
  return /\((Conflict|AlreadyExists)\)/.test(answer?.stderr ?? '');
}

/** True when the user of the kubeconfig may not do it. */
export function isForbidden(answer: ProbeOutput | undefined): boolean {
  return /\(Forbidden\)/.test(answer?.stderr ?? '');
}

function explain(answer: ProbeOutput | undefined, said: string, args: KubectlArgs): { reason: string; hint?: string } {
  const cluster = args.kubeconfig === '' ? 'the kubeconfig that kubectl finds by itself' : args.kubeconfig;
  if (answer?.rc === 127 || answer?.rc === 126) {
    return {
      reason: `${args.kubectl} cannot be run where this task runs`,
      hint: 'install kubectl there, give its path as kubectl:, or delegate_to a host that has it (often localhost)',
    };
  }
  if (/\(NotFound\)/.test(said)) {
    return { reason: 'there is no such object in the cluster', hint: 'kubectl get nodes lists the names' };
  }
  if (/\(Forbidden\)/.test(said)) {
    return {
      reason: 'the API server refuses it (403)',
      hint: `the user of ${cluster} needs that right; kubectl auth can-i shows what it may do`,
    };
  }
  if (/\(Unauthorized\)|must be logged in/.test(said)) {
    return { reason: 'the API server does not accept the credentials (401)', hint: `check the user in ${cluster}` };
  }
  if (/localhost:8080/.test(said)) {
    return { reason: 'kubectl has no kubeconfig', hint: 'give kubeconfig:, or set KUBECONFIG where the task runs' };
  }
  if (answer !== undefined && isApiSilent(answer)) {
    return { reason: 'the API server cannot be reached', hint: `check the server in ${cluster}` };
  }
  return { reason: said === '' ? `kubectl ended with status ${answer?.rc ?? 'unknown'}` : said };
}

/**
 * kubectl's messages without its repetitions: it prints the same line for every attempt, from 1.26 on with klog's prefix
 * (`E1102 10:00:00.000000  4711 memcache.go:265]`).
 */
export function kubectlSaid(text: string, lines = 12): string {
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    const plain = line.replace(/^[EWI]\d{4} [\d:.]+\s+\d+ \S+\] ?/, '').trimEnd();
    if (plain !== '') seen.add(plain);
  }
  return [...seen].slice(-lines).join('\n');
}

// What is read of the API's objects. Every field may be missing: the answer is the host's output.

/** What every object has. */
interface Metadata {
  readonly name?: string;
  readonly resourceVersion?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly controller?: boolean;
  }[];
}

/** `v1` Node. */
export interface NodeObject {
  readonly metadata?: Metadata;
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastHeartbeatTime?: string | null;
    }[];
    readonly nodeInfo?: { readonly containerRuntimeVersion?: string; readonly kubeletVersion?: string };
    readonly addresses?: readonly { readonly type?: string; readonly address?: string }[];
  };
}

/** `v1` Pod. */
export interface PodObject {
  readonly metadata?: Metadata;
  readonly spec?: { readonly volumes?: readonly { readonly name?: string; readonly emptyDir?: unknown }[] };
  readonly status?: { readonly phase?: string };
}

/** `policy/v1` or `policy/v1beta1` PodDisruptionBudget. */
export interface BudgetObject {
  readonly apiVersion?: string;
  readonly metadata?: Metadata;
  readonly spec?: { readonly selector?: LabelSelector | null };
  readonly status?: {
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
  };
}

/** `coordination.k8s.io/v1` Lease. */
export interface LeaseObject {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number;
  };
}

/** `apps/v1` DaemonSet. */
export interface DaemonSetObject {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly command?: readonly string[];
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name?: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

/** `meta/v1` LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The object that kubectl printed with `-o json`. */
export function objectIn<T extends object>(answer: Answer): T {
  try {
    // Every field of T is optional and is read as such.
    return JSON.parse(answer.stdout) as T;
  } catch {
    throw failure(`kubectl printed no JSON (${answer.name})`, answer.stdout.slice(0, 400));
  }
}

/** The items of the list that kubectl printed with `-o json`. */
export function itemsIn<T extends object>(answer: Answer): readonly T[] {
  return objectIn<{ items?: readonly T[] }>(answer).items ?? [];
}

/** Whether a selector selects an object with these labels. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/**
 * Patches an object by RFC 7386. Unlike `kubectl cordon`, which prints the error and ends with 0, `kubectl patch` fails when
 * the API server refuses (kubernetes/kubectl, pkg/cmd/drain/drain.go: RunCordonOrUncordon prints the error and goes on).
 */
export function patchNode(args: KubectlArgs, node: string, patch: Readonly<Record<string, unknown>>): Script {
  return sh`${kubectlWords(args)} patch node ${node} --type=merge -p ${JSON.stringify(patch)} -o name`;
}

/**
 * Patches an object of a namespace by RFC 7386. With a `resourceVersion` in the patch the API server refuses it, as a
 * conflict, when the object has changed since.
 */
export function patchIn(
  args: KubectlArgs,
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string },
  patch: Readonly<Record<string, unknown>>,
): Script {
  return sh`${kubectlWords(args)} patch ${kind} ${name} -n ${namespace} --type=merge -p ${JSON.stringify(patch)} -o name`;
}

/** Reads a Node. */
export function getNode(args: KubectlArgs, node: string): Script {
  return sh`${kubectlWords(args)} get node ${node} -o json`;
}

import { type Change, defineModule, exec, failure, type ProbeOutput, probe, sh, unknown } from '../engine/index.ts';
import {
  type Answer,
  answersOf,
  getNode,
  isApiSilent,
  isNotFound,
  type KubectlArgs,
  kubectlArguments,
  kubectlWords,
  kubeFailure,
  type NodeObject,
  nodeArgument,
  objectIn,
  patchNode,
  questions,
} from './lib/kube.ts';

/** What is known of a Node. */
interface Node {
  readonly runtime: string;
  readonly kubelet: string;
  readonly unschedulable: boolean;
  readonly ready: boolean;
  /** Of the Ready condition: `KubeletNotReady: container runtime is down`. */
  readonly readyReason: string;
  readonly internalIp: string;
  readonly hostname: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** When the kubelet last reported the status that is shown here. ISO 8601, '' when it never did. */
  readonly statusAt: string;
  /** When the kubelet last gave a sign of life at all: the status, or a renewal of its Lease. */
  readonly heartbeat: string;
}

/** `notYet` says why there is no answer that may yet come. */
type Asked = { readonly node: Node } | { readonly notYet: string };

const metadataValue = { anyOf: [{ type: 'string' }, { type: 'null' }] } as const;

export default defineModule({
  name: 'kube-node',
  summary: "Keeps a Kubernetes Node's annotations, labels and cordon, and waits for what its kubelet reports",
  description: `
Speaks to the API server through kubectl, so it is usually delegated to a host that has one (\`delegate_to: localhost\`).
Without \`annotations\`, \`labels\`, \`unschedulable\` and \`wait\` it only reads.

\`wait.newer_than\` is what makes a wait after a restart mean something: an API server goes on serving the status from
before the restart, up to 40 s long, as if all was well. Take the time from the node itself (\`active_since\` of a
\`systemd\` task), because the heartbeat is told by the node's clock too. It is compared with the heartbeat of the Ready
condition and not with the kubelet's Lease: the Lease is renewed by another thread, before the first new status is posted.
`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['node'],
    properties: {
      node: nodeArgument,
      annotations: {
        type: 'object',
        additionalProperties: metadataValue,
        description: 'Annotations to set; null removes one. Others are left alone.',
      },
      labels: {
        type: 'object',
        additionalProperties: metadataValue,
        description: 'Labels to set; null removes one. Others are left alone.',
      },
      unschedulable: {
        type: 'boolean',
        description:
          'Cordoned or not, for good. For the time of some work use the lease kubectl-drain. Default: left alone',
      },
      wait: {
        type: 'object',
        additionalProperties: false,
        description: 'What must be so before the task is done, all of it at once.',
        properties: {
          ready: { type: 'boolean', default: true, description: 'What the Ready condition must say.' },
          runtime: {
            type: 'string',
            description: "How the node's container runtime version must start: containerd://, docker://, cri-o://1.26.",
          },
          newer_than: {
            type: 'string',
            description: "ISO 8601 time, by the node's clock, that the reported status must be younger than.",
          },
          timeout: { type: 'integer', default: 300, minimum: 1, description: 'Seconds until the wait is a failure.' },
          consecutive: {
            type: 'integer',
            default: 2,
            minimum: 1,
            description: 'How many answers in a row must be so: the first status after a restart may be taken back.',
          },
          interval: { type: 'integer', default: 2, minimum: 1, description: 'Seconds between two answers.' },
        },
      },
      ...kubectlArguments,
    },
  },
  returns: {
    runtime_version: { type: 'string', description: '`containerd://1.7.13`' },
    kubelet_version: { type: 'string', description: '`v1.28.4`' },
    unschedulable: { type: 'boolean', description: 'Whether it is cordoned' },
    ready: { type: 'boolean', description: 'Whether its condition Ready is true' },
    internal_ip: { type: 'string', description: 'Its first internal address' },
    hostname: { type: 'string', description: 'The hostname that it tells' },
    annotations: { type: 'object', description: 'Its annotations by name' },
    labels: { type: 'object', description: 'Its labels by name' },
    heartbeat: { type: 'string', description: "The kubelet's last sign of life, ISO 8601" },
  },
  examples: `
- name: What the cluster says of this node
  kube-node: { node: "{{ node_name }}" }
  delegate_to: localhost
  register: node

- name: The node reports containerd since kubelet was started
  kube-node:
    node: "{{ node_name }}"
    wait: { runtime: "containerd://", newer_than: "{{ kubelet.active_since }}", timeout: 300 }
  delegate_to: localhost
`,
  probe: (args) => {
    const answer = (output: ProbeOutput): Asked => {
      const asked = parse(output, args);
      // An API server that comes up with its node, or a load balancer that notices late, is what a wait is for.
      const onlyWaits = args.wait && (args.annotations ?? args.labels ?? args.unschedulable) === undefined;
      if ('notYet' in asked && !onlyWaits) {
        throw kubeFailure(`node ${args.node}`, answersOf(output).get('node'), args);
      }
      return asked;
    };
    return probe(script(args), answer, { isAlone: true });
  },
  diff: (asked, { annotations = {}, labels = {}, unschedulable: wanted, node }, { predicted }) => {
    const onlyReads = Object.keys({ ...annotations, ...labels }).length === 0 && wanted === undefined;
    if (onlyReads && predicted.anyOfHost) {
      return unknown(`what is pending on the host may change what node ${node} tells`, { changesNothing: true });
    }
    if ('notYet' in asked) return [];
    const current = asked.node;
    const unschedulable = wanted ?? current.unschedulable;
    const resource = `node:${node}`;
    const before = current.unschedulable;
    return [
      ...(unschedulable === before ? [] : [{ path: 'spec.unschedulable', before, after: unschedulable, resource }]),
      ...differences(resource, 'annotations', current.annotations, annotations),
      ...differences(resource, 'labels', current.labels, labels),
    ];
  },
  *apply({ args }) {
    const { annotations = {}, labels = {}, unschedulable } = args;
    // The API server leaves the field out where it is false, and so does kubectl uncordon.
    const spec = unschedulable === undefined ? {} : { spec: { unschedulable: unschedulable || null } };
    // One PATCH: other annotations and labels are not in it, so that they cannot be lost to a race.
    const patched = yield exec(patchNode(args, args.node, { metadata: { annotations, labels }, ...spec }), {
      okCodes: 'any',
      purpose: `patching node ${args.node}`,
    });
    if (patched.rc !== 0) throw kubeFailure(`node ${args.node} cannot be changed`, patched, args);
  },
  settle: (args) => {
    if (args.wait === undefined) return undefined;
    const { ready, runtime = '', newer_than: newerThan, timeout, consecutive, interval } = args.wait;
    const after = newerThan === undefined ? undefined : timeOf(newerThan);
    return {
      what: `node ${args.node} to be ${ready ? 'Ready' : 'NotReady'}${runtime === '' ? '' : ` with ${runtime}`}`,
      probe: probe(script(args), (output) => parse(output, args)),
      // Only ever sees what the probe above parsed.
      done: (state) => {
        const asked = state as Asked;
        return 'notYet' in asked ? asked.notYet : stillWrong(asked.node, { ready, runtime, after });
      },
      timeoutMs: timeout * 1000,
      intervalMs: interval * 1000,
      consecutive,
    };
  },
  result: (asked) => ('notYet' in asked ? {} : valuesOf(asked.node)),
});

/** For `register`. */
function valuesOf(node: Node): Record<string, unknown> {
  return {
    runtime_version: node.runtime,
    kubelet_version: node.kubelet,
    unschedulable: node.unschedulable,
    ready: node.ready,
    internal_ip: node.internalIp,
    hostname: node.hostname,
    annotations: node.annotations,
    labels: node.labels,
    heartbeat: node.heartbeat,
  };
}

function script(args: KubectlArgs & { readonly node: string }) {
  return questions([
    { name: 'node', script: getNode(args, args.node), required: true },
    {
      name: 'lease',
      script: sh`${kubectlWords(args)} -n kube-node-lease get lease ${args.node} -o json`,
    },
  ]);
}

/** What may pass by itself is `notYet`; what will not is raised. */
function parse(output: ProbeOutput, args: KubectlArgs & { readonly node: string }): Asked {
  const answers = answersOf(output);
  const answer = answers.get('node');
  if (answer === undefined || answer.rc !== 0) {
    if (isApiSilent(answer)) return { notYet: 'the API server does not answer' };
    if (isNotFound(answer)) return { notYet: 'there is no such node' };
    throw kubeFailure(`node ${args.node}`, answer, args);
  }
  return { node: summarise(objectIn<NodeObject>(answer), answers.get('lease')) };
}

function summarise({ metadata, spec, status }: NodeObject, lease: Answer | undefined): Node {
  const condition = status?.conditions?.find((c) => c.type === 'Ready');
  const statusAt = condition?.lastHeartbeatTime ?? '';
  // The Lease is a bonus: without the right to read it, or without Leases at all, the status has to do.
  const renewedAt = lease?.rc === 0 ? (objectIn<{ spec?: { renewTime?: string } }>(lease).spec?.renewTime ?? '') : '';
  const address = (type: string): string => status?.addresses?.find((a) => a.type === type)?.address ?? '';
  return {
    runtime: status?.nodeInfo?.containerRuntimeVersion ?? '',
    kubelet: status?.nodeInfo?.kubeletVersion ?? '',
    unschedulable: spec?.unschedulable === true,
    ready: condition?.status === 'True',
    readyReason: [condition?.reason, condition?.message].filter(Boolean).join(': '),
    internalIp: address('InternalIP'),
    hostname: address('Hostname'),
    annotations: metadata?.annotations ?? {},
    labels: metadata?.labels ?? {},
    statusAt,
    heartbeat: (Date.parse(renewedAt) || 0) > (Date.parse(statusAt) || 0) ? renewedAt : statusAt,
  };
}

function differences(
  resource: string,
  field: 'annotations' | 'labels',
  current: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string | null>>,
): Change[] {
  return Object.entries(wanted)
    .filter(([key, value]) => (current[key] ?? null) !== value)
    .map(([key, value]) => ({ path: `${field}.${key}`, before: current[key] ?? null, after: value, resource }));
}

function stillWrong(
  node: Node,
  wanted: { readonly ready: boolean; readonly runtime: string; readonly after: number | undefined },
): true | string {
  const wrong: string[] = [];
  // Not `>=`: the heartbeat has whole seconds, so one of the same second may be from before.
  if (wanted.after !== undefined && !(Date.parse(node.statusAt) > wanted.after)) {
    wrong.push(`its status is from ${node.statusAt || 'never'}, before ${new Date(wanted.after).toISOString()}`);
  }
  if (!node.runtime.startsWith(wanted.runtime)) wrong.push(`its runtime is ${node.runtime || 'unknown'}`);
  if (node.ready !== wanted.ready) {
    wrong.push(`it is ${node.ready ? 'Ready' : 'not Ready'}${node.readyReason === '' ? '' : ` (${node.readyReason})`}`);
  }
  return wrong.length === 0 ? true : wrong.join(', ');
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw failure(`wait.newer_than must be a time in ISO 8601, not ${JSON.stringify(text)}`);
  return time;
}

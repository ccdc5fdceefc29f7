import type { LeaseObject } from './kube.ts';
import { isoTime, staleAfterMs } from './kube-holder.ts';

/** What the Lease of the maintenance lock says, and what it is to say: without asking anybody. */

/** Says on the Lease who its holder is, and for which nodes: `{"run", "by", "since", "nodes": {"node-1": "…"}}`. */
const lockAnnotation = 'runbook.io/holder';

/** Who wants the lock, and for which node. One run may hold it for several. */
export interface LockHolder {
  readonly run: string;
  readonly by: string;
  readonly node: string;
}

/** A Lease as it was read. */
export interface LockState {
  readonly version: string | undefined;
  /** Nobody's, ours, somebody's whose time is over, or somebody's. */
  readonly is: 'free' | 'ours' | 'expired' | 'held';
  /** The holder, for people. */
  readonly who: string;
  /** Since when it is held, and when that was last said; ISO 8601. */
  readonly since: string;
  readonly renewed: string;
  /** The nodes that it is held for, with the time. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly transitions: number;
}

/** What the Lease's `holderIdentity` is for a run. It is no node's name, as kured's would be. */
export function identityOf(run: string): string {
  return `runbook/${run}`;
}

/** Reads a Lease as `run` sees it. */
export function lockStateOf({ metadata, spec = {} }: LeaseObject, run: string, now: number): LockState {
  const identity = spec.holderIdentity ?? '';
  const told = annotationOf(metadata?.annotations?.[lockAnnotation]);
  const renewed = spec.renewTime ?? spec.acquireTime ?? '';
  const lasts = (spec.leaseDurationSeconds ?? staleAfterMs / 1000) * 1000;
  const isOver = !(now - Date.parse(renewed) < lasts);
  const by = told.by === undefined ? '' : ` (${told.by})`;
  return {
    version: metadata?.resourceVersion,
    is: identity === '' ? 'free' : identity === identityOf(run) ? 'ours' : isOver ? 'expired' : 'held',
    who: `${identity.replace(/^runbook\//, 'run ')}${by}`,
    since: brief(spec.acquireTime ?? ''),
    renewed: brief(renewed),
    nodes: identity === identityOf(run) ? told.nodes : {},
    transitions: spec.leaseTransitions ?? 0,
  };
}

/** A new Lease, held. */
export function newLock(target: { readonly namespace: string; readonly name: string }, me: LockHolder, now: number) {
  const { metadata, spec } = heldLock(undefined, me, now);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...target, annotations: metadata.annotations },
    spec,
  };
}

/** What makes the lock ours, for our node beside those that we hold it for already. */
export function heldLock(state: LockState | undefined, me: LockHolder, now: number) {
  const isOurs = state?.is === 'ours';
  const nodes = { ...(isOurs ? state.nodes : {}), [me.node]: (isOurs && state.nodes[me.node]) || isoTime(now) };
  return {
    metadata: { ...versionOf(state), annotations: { [lockAnnotation]: textOf(me, nodes) } },
    spec: {
      holderIdentity: identityOf(me.run),
      leaseDurationSeconds: staleAfterMs / 1000,
      renewTime: microTime(now),
      ...(!isOurs && { acquireTime: microTime(now) }),
      ...(!isOurs && { leaseTransitions: (state?.transitions ?? -1) + 1 }),
    },
  };
}

/** The same, held for other nodes than ours only. */
export function withoutNode(state: LockState, me: LockHolder) {
  const nodes = Object.fromEntries(Object.entries(state.nodes).filter(([node]) => node !== me.node));
  return {
    isLast: Object.keys(nodes).length === 0,
    patch: { metadata: { ...versionOf(state), annotations: { [lockAnnotation]: textOf(me, nodes) } } },
  };
}

/** What makes it nobody's. */
export function freeLock(state: LockState) {
  return {
    metadata: { ...versionOf(state), annotations: { [lockAnnotation]: null } },
    spec: { holderIdentity: null, renewTime: null, acquireTime: null },
  };
}

function versionOf(state: LockState | undefined): object {
  return state?.version === undefined ? {} : { resourceVersion: state.version };
}

function textOf({ run, by }: LockHolder, nodes: Readonly<Record<string, string>>): string {
  return JSON.stringify({ run, by, nodes });
}

/** `metav1.MicroTime` is parsed with exactly six digits. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function brief(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function annotationOf(text: string | undefined): { by?: string; nodes: Record<string, string> } {
  try {
    // Written by us, but who knows: what is no text in it is left out.
    const { by, nodes } = JSON.parse(text ?? '{}') as { by?: unknown; nodes?: unknown };
    const pairs = typeof nodes === 'object' && nodes !== null ? Object.entries(nodes) : [];
    return {
      ...(typeof by === 'string' && { by }),
      nodes: Object.fromEntries(pairs.map(([node, since]) => [node, String(since)])),
    };
  } catch {
    return { nodes: {} };
  }
}

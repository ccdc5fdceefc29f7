import type { DaemonSetObject } from './kube.ts';

/**
 * The lock of kured, which reboots nodes: an annotation of its DaemonSet (kubereboot/kured, pkg/daemonsetlock). Here is its
 * format and what it means; who holds it does not reboot by chance, it is kured's own word for "a node is being worked on".
 */

/** Where kured keeps its lock, and how many nodes it works on at the same time. */
export interface Kured {
  readonly namespace: string;
  readonly name: string;
  readonly annotation: string;
  readonly concurrency: number;
  /** The DaemonSet's, which a change of the lock has to carry. */
  readonly version: string | undefined;
  /** The lock as it stands. */
  readonly text: string | undefined;
}

/** One owner of the lock. */
interface KuredLock {
  readonly nodeID: string;
  /** ISO 8601. */
  readonly created: string;
  /** Nanoseconds; 0: it does not end by itself. */
  readonly TTL: number;
}

const defaultAnnotation = 'weave.works/kured-node-lock';

/** Reads kured's settings from its DaemonSet: flags, or their environment variables. */
export function kuredOf(daemonSet: DaemonSetObject): Kured {
  const { name = '', namespace = '', resourceVersion, annotations } = daemonSet.metadata ?? {};
  const annotation = settingOf(daemonSet, 'lock-annotation') ?? defaultAnnotation;
  return {
    namespace,
    name,
    annotation,
    concurrency: Math.max(1, Number.parseInt(settingOf(daemonSet, 'concurrency') ?? '1', 10) || 1),
    version: resourceVersion,
    text: annotations?.[annotation],
  };
}

function settingOf(daemonSet: DaemonSetObject, flag: string): string | undefined {
  for (const { command = [], args = [], env = [] } of daemonSet.spec?.template?.spec?.containers ?? []) {
    const words = [...command, ...args];
    const joined = words.find((word) => word.startsWith(`--${flag}=`));
    if (joined !== undefined) return joined.slice(flag.length + 3);
    const at = words.indexOf(`--${flag}`);
    if (at >= 0) return words[at + 1];
    const variable = `KURED_${flag.toUpperCase().replaceAll('-', '_')}`;
    const found = env.find((one) => one.name === variable)?.value;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The owners of the lock, those whose time has run out left out. Raises a SyntaxError when it is no JSON. */
export function ownersOf({ text }: Kured, now: number): { readonly id: string; readonly since: string }[] {
  if (text === undefined) return [];
  // Written by kured, or by us; every field is read as if it could be missing.
  const value = JSON.parse(text) as Partial<KuredLock> & { readonly locks?: readonly Partial<KuredLock>[] | null };
  const locks = 'locks' in value || 'maxOwners' in value ? (value.locks ?? []) : [value];
  return locks.flatMap(({ nodeID = '', created = '', TTL = 0 }) => {
    const isOver = TTL > 0 && now - Date.parse(created) >= TTL / 1e6;
    return isOver ? [] : [{ id: nodeID, since: created }];
  });
}

/**
 * The lock as `owner` alone holds it, every place of it, for so long. The owner must not be the name of a node: kured, once
 * it starts on a node that owns the lock, takes it for its own reboot, uncordons the node and gives the lock back.
 */
export function heldBy({ concurrency }: Kured, owner: string, now: number, ttlMs: number): string {
  const lock = {
    nodeID: owner,
    metadata: { unschedulable: false },
    created: new Date(now).toISOString(),
    TTL: ttlMs * 1e6,
  };
  if (concurrency === 1) return JSON.stringify(lock);
  return JSON.stringify({ maxOwners: concurrency, locks: Array.from({ length: concurrency }, () => lock) });
}

import { UnknownValueError } from '../base/unknown.ts';
import type { Change, Predicted } from '../module/contract.ts';

/** What check mode expects of a host after the tasks that it did not run. */
export interface PredictedState extends Predicted {
  /** Remembers what a skipped effect would have changed. */
  record(changes: readonly Remembered[]): void;
  /** Remembers what a task may change that may not run: who asks for one of these resources learns that it is unknown. */
  recordUncertain(changes: readonly Remembered[], reason: string): void;
  /** `who` may run, a task or the tasks of an include, of which nobody knows what they change. */
  recordAnything(who: string): void;
}

type Remembered = Change | Omit<Change, 'before'>;
type Attributes = Readonly<Record<string, unknown>>;

/** A host to which nothing is predicted yet. */
export function createPredictedState(): PredictedState {
  const resources = new Map<string, Attributes>();
  /** Paths that went, with all that was in them; what is made in their place is empty at first, and `isNew`. */
  const emptied = new Set<string>();
  const uncertain = new Map<string, string>();
  let any = false;

  const forgetBelow = (path: string): void => {
    for (const resource of resources.keys()) if (resource.startsWith(`${path}/`)) resources.delete(resource);
    emptied.add(path);
  };
  /** Nobody has looked at what a pending link leads to. */
  const refuseBelowLinks = (resource: string): void => {
    for (const folder of namesAbove(resource)) {
      const { type = 'link', target } = resources.get(folder) ?? {};
      if (type !== 'link' || target === undefined) continue;
      throw new UnknownValueError(
        `an earlier task would make ${folder.slice('file:'.length)} a link to something else`,
      );
    }
  };
  const remember = (resource: string, name: string, after: unknown): void => {
    const isFile = resource.startsWith('file:');
    const isGone = isFile && name === 'exists' && after === false;
    if (isGone || (isFile && name === 'type' && after === 'file')) forgetBelow(resource);
    const isNew = isFile && name === 'exists' && after === true && of(resource).exists === false;
    resources.set(resource, { ...(isGone || isNew ? { isNew } : resources.get(resource)), [name]: after });
  };
  const of = (resource: string): Attributes => {
    // In a run that is always so.
    if (!any) return {};
    const reason = uncertain.get(resource);
    if (reason !== undefined) throw new UnknownValueError(reason);
    refuseBelowLinks(resource);
    const known = resources.get(resource) ?? {};
    return known.exists === undefined && isBelow(emptied, resource) ? { exists: false, ...known } : known;
  };
  return {
    get any() {
      return any;
    },
    get anyOfHost() {
      return any;
    },
    of,
    under: (prefix) => [...resources.keys(), ...uncertain.keys()].filter((resource) => resource.startsWith(prefix)),
    record(changes) {
      any = true;
      for (const change of changes) for (const name of namesIn(change)) remember(name, change.path, change.after);
    },
    recordUncertain(changes, reason) {
      any = true;
      for (const change of changes) for (const name of namesIn(change)) uncertain.set(name, reason);
    },
    recordAnything(who) {
      any = true;
      resources.set('anything', { who });
    },
  };
}

/**
 * What is predicted where a task is delegated to: of `delegate` by name. Whether anything is pending at all is asked of the
 * task's own host, too, because what is done for it elsewhere is often done to it.
 */
export function delegatedPredictions(delegate: PredictedState, own: PredictedState): PredictedState {
  return {
    get any() {
      return delegate.any || own.any;
    },
    get anyOfHost() {
      return own.any;
    },
    of: (resource) => delegate.of(resource),
    under: (prefix) => delegate.under(prefix),
    record(changes) {
      delegate.record(changes);
      own.record(changes.filter(({ resource }) => resource === 'command'));
    },
    recordUncertain: (changes, reason) => delegate.recordUncertain(changes, reason),
    recordAnything(who) {
      delegate.recordAnything(who);
      own.recordAnything(who);
    },
  };
}

/** Where it cannot be told what a task would change: what may be missing so far, and the paths that it names. */
export function expectAnything(predicted: PredictedState, who: string, args: readonly unknown[], reason: string): void {
  predicted.recordAnything(who);
  const paths = args.filter((value): value is string => typeof value === 'string' && value.startsWith('/'));
  const changes = paths.map((path) => ({ path: '', after: null, resource: `file:${path.replace(/\/+$/, '')}` }));
  predicted.recordUncertain(changes, `${who} may change it: ${reason}`);
}

function namesIn({ resource, alias }: Remembered): readonly string[] {
  return [resource, alias].filter((name) => name !== undefined);
}

function isBelow(paths: ReadonlySet<string>, resource: string): boolean {
  return namesAbove(resource).some((name) => paths.has(name));
}

/** The folders that a path is in, the nearest first. */
function namesAbove(resource: string): string[] {
  const names: string[] = [];
  for (let at = resource.lastIndexOf('/'); at > 0; at = resource.lastIndexOf('/', at - 1)) {
    names.push(resource.slice(0, at));
  }
  return names;
}

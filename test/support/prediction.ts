import type { StampedEvent } from '../../engine/base/events.ts';

/** What check mode said, held against a run of the same playbook. */
export interface Comparison {
  /** Ends of tasks and of turns of their loops in check mode. */
  tasks: number;
  /** Of these, what it said that is so. */
  told: number;
  /** Of these, what it did not claim to know. */
  unknown: number;
  /** `h1: task (item): check says changed, the run ok`. */
  wrong: string[];
}

export function emptyComparison(): Comparison {
  return { tasks: 0, told: 0, unknown: 0, wrong: [] };
}

/** One line of counts. */
export function tellComparison({ tasks, told, unknown }: Comparison): string {
  const share = tasks === 0 ? 0 : (100 * unknown) / tasks;
  return `${tasks} ends of tasks and items: ${told} predicted, all of them right; ${unknown} unknown (${share.toFixed(1)} %)`;
}

interface End {
  readonly host: string;
  readonly key: string;
  readonly outcome: string;
}

/**
 * Compares every end of a task and of an item, host by host, up to where something unknown failed in the run: check mode
 * tells of a run in which nothing fails but what it says. What came after something unknown may not have been seen in check
 * mode (an include); else each end has its counterpart.
 */
export function comparePrediction(
  check: { readonly events: readonly StampedEvent[] },
  run: { readonly events: readonly StampedEvent[] },
): Comparison {
  const found = emptyComparison();
  const real = endsOf(run.events);
  const seen = new Set<string>();
  const said = endsOf(check.events);
  const unknownOn = sharersOf(run.events, said);
  const surprised = new Set<string>();
  for (const { host, key, outcome } of said.values()) {
    if (surprised.has(host)) continue;
    found.tasks++;
    seen.add(`${host} ${key}`);
    const actual = real.get(`${host} ${key}`)?.outcome;
    if (outcome === 'unknown') {
      found.unknown++;
      unknownOn.add(host);
      if (actual === 'failed' || actual === 'ignored') surprised.add(host);
    } else if (actual === outcome) found.told++;
    else if (actual !== undefined || !unknownOn.has(host)) {
      found.wrong.push(`${host}: ${key}: check says ${outcome}, the run ${actual ?? 'nothing'}`);
    }
  }
  for (const [name, { host, key, outcome }] of real) {
    if (seen.has(name) || unknownOn.has(host)) continue;
    found.wrong.push(`${host}: ${key}: check says nothing, the run ${outcome}`);
  }
  return found;
}

/** Hosts to which a `run_once` failed in the run that check mode could not tell: it does not say so on each of them. */
function sharersOf(events: readonly StampedEvent[], said: ReadonlyMap<string, End>): Set<string> {
  const unsure = new Set([...said.values()].filter(({ outcome }) => outcome === 'unknown').map(({ host }) => host));
  const sharing = events.flatMap((event) => {
    const first =
      event.type === 'host-task-ended' && /^run_once, and on (\S+) /.exec(event.failure?.message ?? '')?.[1];
    return first && unsure.has(first) ? [event.host] : [];
  });
  return new Set(sharing);
}

function endsOf(events: readonly StampedEvent[]): Map<string, End> {
  const ends = new Map<string, End>();
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.type !== 'host-task-ended' && event.type !== 'item-ended') continue;
    const item = event.type === 'item-ended' ? ` (${event.item})` : '';
    const name = `${event.task.id} ${event.task.name}${item}`;
    const count = (counts.get(`${event.host} ${name}`) ?? 0) + 1;
    counts.set(`${event.host} ${name}`, count);
    const key = `${name} #${count}`;
    ends.set(`${event.host} ${key}`, { host: event.host, key, outcome: event.outcome });
  }
  return ends;
}

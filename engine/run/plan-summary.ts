import type { Outcome } from '../base/events.ts';
import type { Plan, PlannedHost } from './plan.ts';

/** A plan in a few lines for people: whose it is, what it comes to, whom it leaves out. */
export function describePlan(plan: Plan): readonly string[] {
  const { made, playbook, hosts } = plan;
  const all = Object.values(hosts);
  const changing = all.filter(({ state }) => state === 'changes').length;
  const count = (outcome: Outcome): number =>
    all
      .filter(isPlanned)
      .flatMap(({ tasks }) => tasks)
      .filter((task) => task.outcome === outcome).length;
  const unknown = count('unknown');
  const mayRun = unknown === 0 ? '' : `, ${plural(unknown, 'task')} may run`;
  return [
    `A plan of runbook, made ${made.at} by ${made.by} from ${playbook}.`,
    `${changing} of ${plural(all.length, 'host')} would change: ${plural(count('changed'), 'task')}${mayRun}.`,
    ...leftOutLines(hosts),
  ];
}

/** Why hosts take no part when a plan is applied, by name. */
export function leftOutOf(hosts: Plan['hosts']): ReadonlyMap<string, string> {
  const left = Object.entries(hosts).filter(([, host]) => !isPlanned(host));
  return new Map(
    left.map(([name, { state }]) => [name, state === 'not-started' ? 'it was not come to' : `it was ${state}`]),
  );
}

function isPlanned({ state }: PlannedHost): boolean {
  return state === 'ok' || state === 'changes';
}

function leftOutLines(hosts: Plan['hosts']): string[] {
  const left = [...leftOutOf(hosts)].map(([name, why]) => `${name} (${why})`);
  return left.length === 0 ? [] : [`Left out, because planning did not come to their end: ${left.join(', ')}.`];
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

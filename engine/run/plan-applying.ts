import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import { differences, takeFingerprint } from './fingerprint.ts';
import type { Plan, PlanOptions } from './plan.ts';
import { createPlanCheck } from './plan-check.ts';
import { leftOutOf } from './plan-summary.ts';
import type { PlanUse } from './plan-use.ts';
import type { RunRequest } from './request.ts';
import type { RunKey } from './run-key.ts';

/** Hosts change by themselves: of an older plan less is likely to hold. */
const oldAfterMs = 24 * 60 * 60_000;

/** What holds a run to a plan that was read from `place`. */
export function applyPlan(
  place: string,
  plan: Plan,
  { key, clock }: { readonly key: RunKey; readonly clock: Clock },
): PlanUse {
  const check = createPlanCheck(plan, key);
  const leftOut = leftOutOf(plan.hosts);
  return {
    gate: check,
    key,
    isMade: false,
    leftOut,
    place,
    async opened({ request, loaded }) {
      const now = await takeFingerprint({ request, loaded, key, also: Object.keys(plan.fingerprint.files) });
      const changed = differences(plan.fingerprint, now);
      if (changed.length > 0) {
        const list = changed.map((line) => `  ${line}`).join('\n');
        const hint = 'look at what changed, and plan again; nothing was contacted';
        throw new RunbookError('usage', `${place} is a plan of something else than there is now:\n${list}`, { hint });
      }
      const age = clock.now() - Date.parse(plan.made.at);
      return [
        ...(age > oldAfterMs ? [`the plan is ${ageInWords(age)} old: a host that has changed since will stop`] : []),
        ...[...leftOut].map(([host, why]) => `${host} is left out: when the plan was made ${why}`),
      ];
    },
    undone: (hosts) => check.undone(hosts),
  };
}

function ageInWords(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}

/** What a plan asks of a run, in the place of a command line. `secretVars` are the variables that it does not hold. */
export function requestOfPlan(
  { playbook, options }: Pick<Plan, 'playbook' | 'options'>,
  secretVars: Readonly<Record<string, unknown>>,
): Pick<
  RunRequest,
  | 'playbook'
  | 'inventory'
  | 'limit'
  | 'tags'
  | 'skipTags'
  | 'moduleDirectories'
  | 'extraVars'
  | 'hostKeyChecking'
  | 'maxFailures'
  | 'maxFailPercentage'
> {
  return {
    playbook,
    inventory: options.inventory,
    ...(options.limit !== undefined && { limit: options.limit }),
    tags: options.tags,
    skipTags: options.skip_tags,
    moduleDirectories: options.modules,
    extraVars: { ...options.extra_vars, ...checkedVars(options, secretVars) },
    ...(options.max_failures !== undefined && { maxFailures: options.max_failures }),
    ...(options.max_fail_percentage !== undefined && { maxFailPercentage: options.max_fail_percentage }),
    ...(options.host_key_checking && { hostKeyChecking: options.host_key_checking }),
  };
}

/** How hosts are reached, but for the passwords. */
export function connectionOfPlan({ connection }: PlanOptions): RunRequest['connection'] {
  const { user, private_key: privateKeyFile, become, become_user: becomeUser, timeout_seconds: seconds } = connection;
  return {
    ...(user !== undefined && { user }),
    ...(privateKeyFile !== undefined && { privateKeyFile }),
    ...(become !== undefined && { become }),
    ...(becomeUser !== undefined && { becomeUser }),
    ...(seconds !== undefined && { timeoutMs: seconds * 1000 }),
  };
}

function checkedVars({ secret_vars: wanted }: PlanOptions, given: Readonly<Record<string, unknown>>): typeof given {
  const missing = wanted.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) {
    const hint = missing.map((name) => `-e ${name}=…`).join(' ');
    throw new RunbookError('usage', `the plan holds no secret: give ${missing.join(', ')} once more`, { hint });
  }
  const other = Object.keys(given).filter((name) => !wanted.includes(name));
  if (other.length === 0) return given;
  throw new RunbookError(
    'usage',
    `-e ${other.join(', ')}: the variables of a plan are settled; plan again with others`,
  );
}

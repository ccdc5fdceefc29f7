import { hostname, userInfo } from 'node:os';
import type { StampedEvent } from '../base/events.ts';
import type { Masker } from '../base/masker.ts';
import { Secret } from '../base/secret.ts';
import { takeFingerprint } from './fingerprint.ts';
import type { LoadedRun } from './load.ts';
import { type Plan, type PlannedHost, type PlanOptions, planFormat } from './plan.ts';
import { createPlanRecorder } from './plan-recorder.ts';
import type { PlanUse } from './plan-use.ts';
import type { RunRequest } from './request.ts';
import type { RunKey } from './run-key.ts';

/** A plan while a run in check mode makes it. */
export interface PlanMaking {
  readonly use: PlanUse;
  /** To be given the run's events. */
  readonly on: (event: StampedEvent) => void;
  /** The plan, once the run has ended; no secret that the masker knows is in it. */
  plan(masker: Pick<Masker, 'mask'>): Promise<Plan>;
}

/** Begins a plan; `place` is where it will be. */
export function beginPlan(place: string, key: RunKey): PlanMaking {
  const recorder = createPlanRecorder(key);
  let run: { readonly request: RunRequest; readonly loaded: LoadedRun } | undefined;
  let made = { at: '', run: '' };
  return {
    use: {
      gate: recorder,
      key,
      isMade: true,
      leftOut: new Map(),
      place,
      async opened(opened) {
        run = opened;
        return [];
      },
      undone: () => new Map(),
    },
    on(event) {
      recorder.on(event);
      if (event.type === 'run-started') made = { at: event.time, run: event.runId };
    },
    async plan(masker) {
      if (!run) throw new Error('a plan is made of a run that has ended');
      const { request, loaded } = run;
      return {
        format: planFormat,
        made: { at: made.at, by: `${userInfo().username} on ${hostname()}`, run: made.run },
        playbook: request.playbook,
        options: optionsOf(request, masker),
        hosts: masked(recorder.hosts(), masker) as Readonly<Record<string, PlannedHost>>,
        fingerprint: await takeFingerprint({ request, loaded, key }),
      };
    },
  };
}

/** Names of variables whose values nobody wants to read in a file, whether or not the playbook says that they are secret. */
const secretName = /pass(wo?r?d|wd|phrase)?$|pass_|secret|token|credential|api_?key|private_?key/i;

/** Whether a variable of the command line is kept out of plans. */
export function isSecretVariable(name: string, value: unknown): boolean {
  return secretName.test(name) || hasSecret(value);
}

function optionsOf(request: RunRequest, masker: Pick<Masker, 'mask'>): PlanOptions {
  const { extraVars, connection: given, limit, hostKeyChecking } = request;
  const isShown = ([name, value]: [string, unknown]): boolean =>
    !isSecretVariable(name, value) && JSON.stringify(masked(value, masker)) === JSON.stringify(value);
  const { user, privateKeyFile, become, becomeUser, timeoutMs } = given;
  return {
    inventory: request.inventory,
    ...(limit !== undefined && { limit }),
    tags: request.tags,
    skip_tags: request.skipTags,
    modules: request.moduleDirectories,
    extra_vars: Object.fromEntries(Object.entries(extraVars).filter(isShown)),
    secret_vars: Object.entries(extraVars)
      .filter((entry) => !isShown(entry))
      .map(([name]) => name),
    ...(request.maxFailures !== undefined && { max_failures: request.maxFailures }),
    ...(request.maxFailPercentage !== undefined && { max_fail_percentage: request.maxFailPercentage }),
    ...(hostKeyChecking && { host_key_checking: hostKeyChecking }),
    connection: {
      ...(user !== undefined && { user }),
      ...(privateKeyFile !== undefined && { private_key: privateKeyFile }),
      ...(become !== undefined && { become }),
      ...(becomeUser !== undefined && { become_user: becomeUser }),
      ...(timeoutMs !== undefined && { timeout_seconds: timeoutMs / 1000 }),
    },
  };
}

function hasSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasSecret);
}

/** What tells tasks and values apart is kept: it is made of no secret, or by the key. */
const kept: ReadonlySet<string> = new Set(['outcome', 'state', 'key', 'module', 'place', 'pending', 'value']);

function masked(value: unknown, masker: Pick<Masker, 'mask'>): unknown {
  if (typeof value === 'string') return masker.mask(value);
  if (Array.isArray(value)) return value.map((item) => masked(item, masker));
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, kept.has(name) ? inner : masked(inner, masker)]),
  );
}

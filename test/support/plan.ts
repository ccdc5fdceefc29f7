import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../engine/base/clock.ts';
import { createMasker } from '../../engine/base/masker.ts';
import type { Plan } from '../../engine/run/plan.ts';
import { applyPlan, requestOfPlan } from '../../engine/run/plan-applying.ts';
import { readPlan, writePlan } from '../../engine/run/plan-file.ts';
import { beginPlan } from '../../engine/run/plan-making.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { runKeyOf } from '../../engine/run/run-key.ts';
import { type PlayRun, play } from './play.ts';

/** The key of the tests' controller. */
export const testKey = runKeyOf(Buffer.alloc(32, 7));

/** A plan that was made. */
export interface MadePlan extends PlayRun {
  readonly file: string;
  readonly text: string;
  readonly plan: Plan;
}

/** Writes `files` into `folder` and plans `play.yaml`, into `plan.yaml`. */
export async function makePlan(
  folder: string,
  files: Readonly<Record<string, string>>,
  options: Partial<RunRequest> = {},
): Promise<MadePlan> {
  const file = join(folder, 'plan.yaml');
  const masker = options.masker ?? createMasker();
  const making = beginPlan(file, testKey);
  const run = await play(folder, files, {
    isCheckMode: true,
    masker,
    plan: making.use,
    onEvent: making.on,
    ...options,
  });
  await writePlan(file, await making.plan(masker), testKey);
  return { ...run, file, text: await readFile(file, 'utf8'), plan: await readPlan(file, testKey) };
}

/** Applies the `plan.yaml` of a folder. */
export async function applyIn(
  folder: string,
  {
    secretVars = {},
    clock = systemClock,
    ...options
  }: Parameters<typeof play>[2] & { readonly secretVars?: Readonly<Record<string, unknown>> } = {},
): Promise<PlayRun> {
  const file = join(folder, 'plan.yaml');
  const plan = await readPlan(file, testKey);
  const hosts = await readFile(join(folder, 'hosts.ini'), 'utf8');
  return play(
    folder,
    { 'hosts.ini': hosts },
    { ...requestOfPlan(plan, secretVars), plan: applyPlan(file, plan, { key: testKey, clock }), ...options },
  );
}

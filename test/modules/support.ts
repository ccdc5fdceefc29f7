import { stat } from 'node:fs/promises';
import { checkArguments, createValidator } from '../../engine/module/arguments.ts';
import type { ModuleDefinition } from '../../engine/module/contract.ts';

/** The message of the failure that a promise ends with; throws when it ends well. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error(`no failure, but ${JSON.stringify(value)}`);
}

const validator = createValidator();

/** What the engine would say about these arguments. */
export function mistakesOf(module: ModuleDefinition, args: Record<string, unknown>): string[] {
  return checkArguments(validator, module, structuredClone(args)).map((mistake) => mistake.message);
}

/** Permission bits of a file of this machine, as four octal digits. */
export async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o7777).toString(8).padStart(4, '0');
}

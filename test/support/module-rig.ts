import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { revealText, Secret } from '../../engine/base/secret.ts';
import type { Script } from '../../engine/base/sh.ts';
import { compileTemplate } from '../../engine/language/compile.ts';
import { createValidator } from '../../engine/module/arguments.ts';
import type {
  AnyResource,
  Change,
  Controller,
  Diff,
  ModuleDefinition,
  Predicted,
  Probe,
  ProbeOutput,
} from '../../engine/module/contract.ts';
import type { Step, StepResult } from '../../engine/module/step.ts';

/** Drives one module without the engine: on recorded output, or against this machine's own shell. */

const validator = createValidator();

/** What a host that nobody changed yet looks like to `diff`. */
export const nothingPredicted: Predicted = { any: false, anyOfHost: false, of: () => ({}), under: () => [] };

/** Predicted attributes by resource name. */
export function predicted(resources: Record<string, Record<string, unknown>>): Predicted {
  return {
    any: true,
    anyOfHost: true,
    of: (resource) => resources[resource] ?? {},
    under: (prefix) => Object.keys(resources).filter((resource) => resource.startsWith(prefix)),
  };
}

/** Arguments as the engine would pass them: checked, defaults filled in. Throws with every mistake. */
export function checkedArguments(module: ModuleDefinition, args: Record<string, unknown>): never {
  const copy = copied(args) as Record<string, unknown>;
  const mistakes = validator.check(module.schema, copy);
  if (mistakes.length > 0) throw new Error(mistakes.map((m) => m.message).join('; '));
  return copy as never;
}

/** As structuredClone, which makes a map of a secret. */
function copied(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(copied);
  if (typeof data !== 'object' || data === null || data instanceof Secret) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, copied(value)]));
}

/** A successful answer with this text. */
export function output(stdout: string, rc = 0, stderr = ''): ProbeOutput {
  return { rc, stdout, stderr };
}

/** Probes with a recorded answer and compares. */
export async function diffOf(
  module: ModuleDefinition,
  args: Record<string, unknown>,
  recorded: ProbeOutput,
  options: { predicted?: Predicted; controller?: Controller } = {},
): Promise<Diff> {
  const resource = asResource(module);
  const checked = checkedArguments(module, args);
  const desired = await resource.desired?.(checked, options.controller ?? localController());
  const current = resource.probe(checked, desired).parse(recorded);
  return resource.diff(current, checked, { desired, predicted: options.predicted ?? nothingPredicted });
}

/** The steps that `apply` yields for a recorded answer; `answers` are given back to it in order (default: rc 0, empty). */
export async function stepsOf(
  module: ModuleDefinition,
  args: Record<string, unknown>,
  recorded: ProbeOutput,
  options: { answers?: readonly StepResult[]; controller?: Controller } = {},
): Promise<Step[]> {
  const resource = asResource(module);
  const checked = checkedArguments(module, args);
  const desired = await resource.desired?.(checked, options.controller ?? localController());
  const current = resource.probe(checked, desired).parse(recorded);
  const changes = pendingOf(resource.diff(current, checked, { desired, predicted: nothingPredicted }));
  const prepared = await resource.prepare?.(checked, { desired, current }, options.controller ?? localController());
  const complete = prepared?.desired ?? desired;
  const generator = resource.apply({ args: checked, desired: complete, current, changes, id: 'test' });
  const steps: Step[] = [];
  for (let turn = generator.next(); !turn.done; ) {
    steps.push(turn.value);
    turn = generator.next(options.answers?.[steps.length - 1] ?? output(''));
  }
  return steps;
}

/** What one real run of a module on this machine did. */
export interface LocalRun {
  readonly changes: readonly Change[];
  readonly values: Record<string, unknown>;
}

/** Runs a resource against this machine: probe → diff → prepare → apply → verify, as the engine does. For paths in temporary folders. */
export async function applyLocally(
  module: ModuleDefinition,
  args: Record<string, unknown>,
  options: { controller?: Controller } = {},
): Promise<LocalRun> {
  const resource = asResource(module);
  const checked = checkedArguments(module, args);
  const desired = await resource.desired?.(checked, options.controller ?? localController());
  const ask = async () => {
    const question = resource.probe(checked, desired);
    return question.parse(await runProbe(question));
  };
  let current = await ask();
  const changes = pendingOf(resource.diff(current, checked, { desired, predicted: nothingPredicted }));
  let returned: unknown;
  if (changes.length > 0) {
    const prepared = await resource.prepare?.(checked, { desired, current }, options.controller ?? localController());
    const complete = prepared?.desired ?? desired;
    const generator = resource.apply({ args: checked, desired: complete, current, changes, id: 'test' });
    let turn = generator.next();
    while (!turn.done) {
      const step: Step = turn.value;
      try {
        turn = generator.next(await runStep(step));
      } catch (error) {
        turn = generator.throw(error);
      }
    }
    returned = turn.value;
    current = await ask();
    if (resource.unverifiable?.(checked) === undefined) {
      const left = pendingOf(resource.diff(current, checked, { desired, predicted: nothingPredicted }));
      if (left.length > 0) throw new Error(`did not converge: ${JSON.stringify(left)}`);
    }
  }
  const values = { ...resource.result?.(current, checked, desired), ...(returned as object | undefined) };
  checkReturned(module, values);
  return { changes, values };
}

/** Throws where a module registers what it does not say that it returns. */
function checkReturned({ name, returns }: ModuleDefinition, values: Readonly<Record<string, unknown>>): void {
  if (!returns) return;
  const schema = { type: 'object', additionalProperties: false, properties: returns } as const;
  const mistakes = validator.check(schema, copied(values) as Record<string, unknown>);
  if (mistakes.length > 0) throw new Error(`${name} returns ${JSON.stringify(values)}: ${mistakes[0]?.message ?? ''}`);
}

/** What check mode finds on this machine, and what it would remember besides. */
export async function checkLocally(
  module: ModuleDefinition,
  args: Record<string, unknown>,
  options: { predicted?: Predicted; controller?: Controller } = {},
): Promise<{ diff: Diff; implied: readonly Omit<Change, 'before'>[] }> {
  const { predicted = nothingPredicted, controller = localController() } = options;
  const resource = asResource(module);
  const checked = checkedArguments(module, args);
  const desired = await resource.desired?.(checked, controller);
  const question = resource.probe(checked, desired);
  const current = question.parse(await runProbe(question));
  const diff = resource.diff(current, checked, { desired, predicted });
  const isPending = !('unknown' in diff) && diff.length > 0;
  const prepared = isPending ? await resource.prepare?.(checked, { desired, current }, controller) : undefined;
  return { diff, implied: prepared?.implied ?? [] };
}

function runProbe({ script, environment }: Probe<unknown>): Promise<ProbeOutput> {
  return runLocally(script, '', environment);
}

/** Runs a script with this machine's `/bin/sh`. */
export function runLocally(
  script: Script,
  stdin: string | Uint8Array | Secret = '',
  environment: Readonly<Record<string, string | Secret>> = {},
): Promise<ProbeOutput> {
  const added = Object.entries(environment).map(([name, value]) => [name, revealText(value)] as const);
  const options = { maxBuffer: 64 << 20, env: { ...process.env, ...Object.fromEntries(added) } };
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', script.text], options, (error, stdout, stderr) => {
      resolve({ rc: error ? Number(error.code ?? 255) : 0, stdout, stderr });
    });
    // A script that ends without reading its input is no failure.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin instanceof Secret ? stdin.reveal() : stdin);
  });
}

/** A controller whose files are looked up under `root` (`files/` and `templates/` in it, or directly). */
export function localController(root = process.cwd(), variables: Record<string, unknown> = {}): Controller {
  return {
    host: 'localhost',
    find: async (name, folder) => {
      for (const path of name.startsWith('/') ? [name] : [join(root, folder, name), join(root, name)]) {
        if (
          await readFile(path).then(
            () => true,
            () => false,
          )
        )
          return path;
      }
      throw new Error(`no file ${name}`);
    },
    read: (path) => readFile(path),
    content: async (path) => {
      const bytes = await readFile(path);
      return { content: { kind: 'bytes', bytes }, sha256: sha256Of(bytes), size: bytes.length };
    },
    template: async (path, extra) => {
      const template = compileTemplate({ path, text: await readFile(path, 'utf8') });
      return template.render({ ...variables, ...extra });
    },
    download: async (url) => url.replace(/^file:\/\//, ''),
  };
}

/** Makes a temporary folder and removes it after the test. */
export async function withTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'runbook-test-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runStep(step: Step): Promise<StepResult> {
  switch (step.kind) {
    case 'exec': {
      const result = await runLocally(step.script, step.stdin, step.environment);
      if (step.okCodes !== 'any' && !step.okCodes.includes(result.rc))
        throw new Error(`rc ${result.rc}: ${result.stderr}`);
      return result;
    }
    case 'put': {
      const bytes = step.content.kind === 'bytes' ? step.content.bytes : await readFile(step.content.path);
      // A put goes through a link.
      const path = await realpath(step.path).catch(() => step.path);
      const temporary = `${path}.tmp`;
      await writeFile(temporary, bytes);
      if (step.mode) await chmod(temporary, Number.parseInt(step.mode, 8));
      if (step.validate) {
        const check = await runLocally(step.validate(temporary));
        if (check.rc !== 0) {
          await rm(temporary);
          throw new Error(`validation failed: ${check.stderr}`);
        }
      }
      if (step.backup) await copyFile(path, `${path}.backup~`).catch(() => undefined);
      await rename(temporary, path);
      return output('');
    }
    case 'pause':
      return output('');
    case 'wait': {
      const state = step.wait.probe.parse(await runProbe(step.wait.probe));
      const answer = step.wait.done(state);
      if (answer !== true) throw new Error(`waiting for ${step.wait.what}: ${answer}`);
      return output('');
    }
  }
}

function pendingOf(diff: Diff): readonly Change[] {
  if ('unknown' in diff) throw new Error(`unknown: ${diff.unknown}`);
  return diff;
}

function asResource(module: ModuleDefinition): AnyResource {
  if (module.kind !== 'resource') throw new Error(`${module.name} is no resource`);
  return module;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

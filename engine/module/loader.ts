import { readdir } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import { errorMessage, fileProblem } from '../base/errors.ts';
import { installation } from '../base/installation.ts';
import { createValidator } from './arguments.ts';
import type { ModuleDefinition } from './contract.ts';
import type { Registry } from './registry.ts';

/** Where modules are looked for, besides the built-in ones. */
export interface ModuleFolders {
  /** Its `modules/` folder is searched when there is one. */
  readonly playbookDirectory?: string;
  /** `--modules DIR`, which must exist. */
  readonly directories?: readonly string[];
}

/**
 * Loads the built-in modules and every `*.ts` and `*.js` of the user's folders. A module file has one default export,
 * made by `defineModule`, `defineAction` or `defineLease`; files whose name starts with `_` or `.` are left alone.
 * Raises a DiagnosticsError with every file that cannot be used.
 */
export async function loadModules(folders: ModuleFolders): Promise<Registry> {
  const mistakes: Diagnostic[] = [];
  const found = new Map<string, { module: ModuleDefinition; origin: string }>();
  const add = (module: ModuleDefinition, origin: string): void => {
    const other = found.get(module.name);
    if (!other) found.set(module.name, { module, origin });
    else mistakes.push(mistake(`${origin}: a module named "${module.name}" exists already (${other.origin})`));
  };
  for (const module of await loadBuiltIn()) add(module, 'built-in');
  for (const file of await listCustom(folders, mistakes)) {
    const module = await loadCustom(file, mistakes);
    if (module) add(module, file);
  }
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  const names = [...found.keys()].sort();
  return {
    get: (name) => found.get(name)?.module,
    names: () => names,
    origin: (name) => found.get(name)?.origin ?? 'unknown',
  };
}

/** The folder of the built-in modules: from source `modules/`, after a build `dist/modules/`, where only their types are. */
export function builtInFolder(): string {
  return fileURLToPath(new URL('modules', installation));
}

async function loadBuiltIn(): Promise<readonly ModuleDefinition[]> {
  const { builtInModules } = await import('../../modules/index.ts');
  return builtInModules;
}

async function listCustom(folders: ModuleFolders, mistakes: Diagnostic[]): Promise<string[]> {
  const files: string[] = [];
  // For a playbook in runbook's own root the folder beside it holds the sources of what is built in.
  const own = [builtInFolder(), builtInFolder().replace(/[/\\]dist(?=[/\\]modules$)/, '')];
  const beside = folders.playbookDirectory && resolve(folders.playbookDirectory, 'modules');
  if (beside && !own.includes(beside)) files.push(...(await listModuleFiles(beside).catch(() => [])));
  for (const directory of folders.directories ?? []) {
    try {
      files.push(...(await listModuleFiles(directory)));
    } catch (error) {
      mistakes.push(mistake(`--modules ${directory}: ${fileProblem(error)}`));
    }
  }
  return [...new Set(files)];
}

async function listModuleFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  const isModule = (name: string): boolean => /^[^._].*\.(ts|js)$/.test(name) && !name.endsWith('.d.ts');
  return names
    .filter(isModule)
    .sort()
    .map((name) => resolve(directory, name));
}

async function loadCustom(file: string, mistakes: Diagnostic[]): Promise<ModuleDefinition | undefined> {
  try {
    const { createJiti } = await import('jiti');
    // The user's file gets the running engine, not a copy of it: error classes and scripts must be the same ones.
    const api: unknown = await import('../index.ts');
    const jiti = createJiti(import.meta.url, { fsCache: false, virtualModules: { runbook: api } });
    const exported: unknown = await jiti.import(file, { default: true });
    const problem = problemWith(exported, basename(file, extname(file)));
    if (problem === undefined) return exported as ModuleDefinition;
    mistakes.push(mistake(`${file}: ${problem}`));
  } catch (error) {
    mistakes.push(mistake(`${file}: cannot be loaded: ${errorMessage(error)}`));
  }
  return undefined;
}

/** What is wrong with a default export, or undefined when it is a module. */
function problemWith(exported: unknown, fileName: string): string | undefined {
  if (typeof exported !== 'object' || exported === null) {
    return 'its default export is no module: write `export default defineModule({ … })`';
  }
  const module = exported as Partial<ModuleDefinition>;
  if (!/^[a-z][a-z0-9-]*$/.test(module.name ?? '')) {
    return `its name must be kebab-case (a-z, 0-9 and -), not ${JSON.stringify(module.name)}`;
  }
  if (module.name !== fileName) return `its name is "${module.name}", so its file must be called ${module.name}.ts`;
  const members = {
    resource: ['probe', 'diff', 'apply'],
    action: ['run'],
    lease: ['probe', 'diff', 'grant', 'acquire', 'release'],
  };
  if (module.kind === undefined || !(module.kind in members)) {
    return 'make it with defineModule, defineAction or defineLease';
  }
  const missing = members[module.kind].filter((name) => typeof Reflect.get(module, name) !== 'function');
  if (missing.length > 0) return `it lacks ${missing.join(', ')}`;
  if (typeof module.summary !== 'string') return 'it lacks a summary';
  if (module.schema?.type !== 'object') return "its schema must have type: 'object'";
  try {
    createValidator({ checksSchemas: true }).check(module.schema, {});
  } catch (error) {
    return `its schema is no JSON Schema: ${errorMessage(error)}`;
  }
  return undefined;
}

function mistake(message: string): Diagnostic {
  return { severity: 'error', message };
}

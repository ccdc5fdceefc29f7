import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Diagnostic, DiagnosticsError, didYouMean, throwOnErrors } from '../base/diagnostic.ts';
import { fileProblem } from '../base/errors.ts';
import type { Range, Source } from '../base/source.ts';
import { type CompileCache, compileData, createCompileCache } from '../language/compile.ts';
import type { Value } from '../language/value.ts';
import { buildInventory, localhostNames } from './build.ts';
import { checkConnectionVariables } from './connection-variables.ts';
import { createDraft, type Draft, ensureGroup } from './draft.ts';
import { readIni } from './ini.ts';
import { readHosts } from './ini-lines.ts';
import type { Inventory, VariableLayer } from './inventory.ts';
import type { ReadingContext } from './reading.ts';
import { readVariableFiles } from './variable-files.ts';

/** What an inventory is read from. */
export interface InventoryOptions {
  /** `-i` in order: paths of INI files, or inline lists such as `n1,n2,`. Later ones win. None at all: only localhost. */
  readonly sources: readonly string[];
  /** The folder whose `group_vars` and `host_vars` win over those beside the inventory. */
  readonly playbookDirectory?: string;
}

/**
 * Reads an inventory from all its sources and variable files. Raises a DiagnosticsError with every mistake in them;
 * `diagnostics` are the doubts.
 */
export async function loadInventory(
  options: InventoryOptions,
): Promise<{ readonly inventory: Inventory; readonly diagnostics: readonly Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const cache = createCompileCache();
  const draft = createDraft();
  const compile = reportingCompiler(cache, report);
  const directories = new Set<string>();
  for (const source of options.sources) {
    const directory = await readSource(source, { draft, report, compile });
    if (directory !== undefined) directories.add(resolve(directory));
  }
  if (options.sources.length > 0) checkHosts(draft, options.sources, diagnostics);
  if (options.playbookDirectory !== undefined) {
    // Beside the playbook wins, so that a folder which is both comes last.
    directories.delete(resolve(options.playbookDirectory));
    directories.add(resolve(options.playbookDirectory));
  }
  const shared = { directories: [...directories], cache, report };
  const groupLayers = await readVariableFiles({ ...shared, kind: 'group_vars', names: draft.groups });
  const hostNames = new Map<string, unknown>([...draft.hosts, ...localhostNames.map((n) => [n, undefined] as const)]);
  const hostLayers = await readVariableFiles({ ...shared, kind: 'host_vars', names: hostNames });
  const local = compileData('local', wholeOf({ path: 'the implicit localhost', text: 'local' }), cache);
  const inventory = buildInventory(draft, { groups: groupLayers, hosts: hostLayers, local });
  for (const layer of distinctLayers(inventory)) checkConnectionVariables(layer).forEach(report);
  throwOnErrors(diagnostics);
  return { inventory, diagnostics };
}

/** Reads one source; gives the folder that may hold variable files for it. */
async function readSource(path: string, context: ReadingContext): Promise<string | undefined> {
  const fail = (message: string, hint?: string): undefined =>
    context.report({ severity: 'error', message, ...(hint !== undefined && { hint }) }) as undefined;
  let isExecutable: boolean;
  let text: string;
  try {
    const found = await stat(path);
    if (found.isDirectory()) {
      return fail(
        `${path} is a folder; inventories that are folders are not supported yet`,
        'name its files one by one',
      );
    }
    isExecutable = (found.mode & 0o111) !== 0;
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (path.includes(',')) return readInlineList(path, context);
    if (!isAbsent(error)) return fail(`cannot read the inventory ${path}: ${fileProblem(error)}`);
    return fail(`there is no inventory "${path}"`, await suggest(path));
  }
  if (isExecutable && text.startsWith('#!')) {
    return fail(`${path} is a program; inventories that are programs are not supported yet`);
  }
  if (/\.(ya?ml|json)$/.test(path)) {
    const format = path.endsWith('json') ? 'JSON' : 'YAML';
    return fail(`${path}: inventories in ${format} are not supported yet`, 'write it in INI');
  }
  readIni({ path, text }, context);
  return dirname(path);
}

function readInlineList(text: string, context: ReadingContext): string {
  const source: Source = { path: '-i', text };
  const ungrouped = ensureGroup(context.draft, 'ungrouped');
  for (const match of text.matchAll(/[^,]+/g)) {
    const name = match[0].trim();
    if (name === '') continue;
    const start = match.index + match[0].indexOf(name);
    readHosts(context, ungrouped, name, { source, start, end: start + name.length });
  }
  return '.';
}

async function suggest(path: string): Promise<string> {
  const folder = dirname(path);
  try {
    const near = didYouMean(basename(path), await readdir(folder));
    if (near) return near;
  } catch {
    return `the folder "${folder}" does not exist either`;
  }
  return `for a list of hosts end it with a comma: -i ${path},`;
}

/** No host at all is a mistake; a name that is both a host's and a group's is a doubt. */
function checkHosts(draft: Draft, sources: readonly string[], diagnostics: Diagnostic[]): void {
  if (draft.hosts.size === 0 && !diagnostics.some((d) => d.severity === 'error')) {
    const what = sources.length === 1 ? `the inventory ${sources[0]} has` : `the inventories ${sources.join(' ')} have`;
    diagnostics.push({ severity: 'error', message: `${what} no hosts` });
  }
  for (const host of draft.hosts.values()) {
    if (!draft.groups.has(host.name)) continue;
    const message = `"${host.name}" is both a host and a group; in a host pattern it means the host`;
    diagnostics.push({ severity: 'warning', message, range: host.range });
  }
}

function reportingCompiler(
  cache: CompileCache,
  report: (diagnostic: Diagnostic) => void,
): (data: unknown, range: Range) => Value | undefined {
  return (data, range) => {
    try {
      return compileData(data, range, cache);
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      error.diagnostics.forEach(report);
      return undefined;
    }
  };
}

function distinctLayers({ hosts, groups }: Inventory): ReadonlySet<VariableLayer> {
  const layers = new Set<VariableLayer>();
  for (const owner of [...groups.values(), ...hosts.values()]) for (const layer of owner.layers) layers.add(layer);
  return layers;
}

function wholeOf(source: Source): Range {
  return { source, start: 0, end: source.text.length };
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

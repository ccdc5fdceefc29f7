import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import { fileProblem } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import { type CompileCache, compileNode } from '../language/compile.ts';
import type { Value } from '../language/value.ts';
import { describeNode, parseYaml, type YamlEntry } from '../language/yaml.ts';
import { checkVariableName } from './connection-names.ts';
import type { VariableLayer } from './inventory.ts';

/** What variable files say, by the name of a group or a host; layers of later folders come later. */
export type LayersByName = ReadonlyMap<string, readonly VariableLayer[]>;

const extensions = ['', '.yml', '.yaml', '.json'];

/**
 * Reads `group_vars` or `host_vars` of some folders: for each name the file NAME, NAME.yml, NAME.yaml or NAME.json, or
 * all such files in a folder NAME. Only names that the inventory knows are read.
 */
export async function readVariableFiles(options: {
  readonly directories: readonly string[];
  readonly kind: 'group_vars' | 'host_vars';
  readonly names: ReadonlyMap<string, unknown>;
  readonly cache: CompileCache;
  readonly report: (diagnostic: Diagnostic) => void;
}): Promise<LayersByName> {
  const layers = new Map<string, VariableLayer[]>();
  for (const directory of options.directories) {
    const folder = join(directory, options.kind);
    for (const [name, path] of await choose(folder, options.names, options.report)) {
      for (const file of path.isFolder ? await filesIn(path.path, options.report) : [path.path]) {
        const layer = await readFileLayer(file, options.cache, options.report);
        if (!layer) continue;
        const known = layers.get(name);
        if (known) known.push(layer);
        else layers.set(name, [layer]);
      }
    }
  }
  return layers;
}

interface Chosen {
  readonly path: string;
  readonly isFolder: boolean;
}

/** One file or folder per name: the first of NAME, NAME.yml, NAME.yaml, NAME.json, as in Ansible. */
async function choose(
  folder: string,
  names: ReadonlyMap<string, unknown>,
  report: (diagnostic: Diagnostic) => void,
): Promise<Map<string, Chosen>> {
  const found = new Map<string, Entry[]>();
  for (const entry of await list(folder, report)) {
    for (const extension of extensions) {
      const name = entry.name.slice(0, entry.name.length - extension.length);
      if (!entry.name.endsWith(extension) || !names.has(name)) continue;
      if (extension !== '' && entry.isFolder) continue;
      const known = found.get(name) ?? [];
      found.set(
        name,
        [...known, entry].sort((a, b) => rank(a, name) - rank(b, name)),
      );
    }
  }
  const chosen = new Map<string, Chosen>();
  for (const [name, [first, ...rest]] of found) {
    if (!first) continue;
    chosen.set(name, { path: join(folder, first.name), isFolder: first.isFolder });
    for (const other of rest) {
      report({
        severity: 'warning',
        message: `${shown(join(folder, other.name))} is not read, because ${shown(join(folder, first.name))} is there too`,
        hint: `put both into a folder ${shown(join(folder, name))}/`,
      });
    }
  }
  return chosen;
}

function rank(entry: Entry, name: string): number {
  return extensions.indexOf(entry.name.slice(name.length));
}

async function filesIn(folder: string, report: (diagnostic: Diagnostic) => void): Promise<string[]> {
  const files: string[] = [];
  const entries = await list(folder, report);
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name.endsWith('~')) continue;
    const path = join(folder, entry.name);
    const extension = extname(entry.name);
    if (entry.isFolder) {
      if (extension === '') files.push(...(await filesIn(path, report)));
    } else if (extensions.includes(extension)) files.push(path);
  }
  return files;
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Sorted by name; empty when the folder does not exist. A link counts as what it leads to. */
async function list(folder: string, report: (diagnostic: Diagnostic) => void): Promise<Entry[]> {
  try {
    const entries: Entry[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      // A link that leads nowhere counts as a file: reading it says so, if its name matters.
      const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => entry) : entry;
      const isFolder = target.isDirectory();
      entries.push({ name: entry.name, isFolder });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (!isAbsent(error)) report({ severity: 'error', message: `cannot read ${shown(folder)}: ${fileProblem(error)}` });
    return [];
  }
}

async function readFileLayer(
  path: string,
  cache: CompileCache,
  report: (diagnostic: Diagnostic) => void,
): Promise<VariableLayer | undefined> {
  let source: Source;
  try {
    source = { path: shown(path), text: await readFile(path, 'utf8') };
  } catch (error) {
    report({ severity: 'error', message: `cannot read ${shown(path)}: ${fileProblem(error)}` });
    return undefined;
  }
  if (source.text.startsWith('$ANSIBLE_VAULT')) {
    report({
      severity: 'error',
      message: 'files that Ansible Vault encrypted are not supported yet',
      range: { source, start: 0, end: source.text.split('\n', 1)[0]?.length ?? 0 },
    });
    return undefined;
  }
  const { root, diagnostics } = parseYaml(source);
  for (const diagnostic of diagnostics) report(diagnostic);
  if (!root || (root.kind === 'scalar' && root.value === null)) return undefined;
  if (root.kind === 'map') return { origin: source.path, variables: compileEntries(root.entries, cache, report) };
  const message = `a file of variables is a map of names to values, not ${describeNode(root)}`;
  report({ severity: 'error', message, range: root.range });
  return undefined;
}

function compileEntries(
  entries: readonly YamlEntry[],
  cache: CompileCache,
  report: (diagnostic: Diagnostic) => void,
): Map<string, Value> {
  const variables = new Map<string, Value>();
  for (const { key, keyRange, value } of entries) {
    const doubt = checkVariableName(key, keyRange);
    if (doubt) report(doubt);
    try {
      variables.set(key, compileNode(value, cache));
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      error.diagnostics.forEach(report);
    }
  }
  return variables;
}

/** A path as the user would type it. */
function shown(path: string): string {
  const fromHere = relative('', path);
  return fromHere.length < path.length && fromHere !== '' ? fromHere : path;
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { fileProblem, hintOf } from '../base/errors.ts';
import type { Range } from '../base/source.ts';
import type { FileOpener, OpenedSource } from '../language/encrypted-files.ts';
import { describeNode, entryOf } from '../language/yaml.ts';
import type { VariableLayer } from './inventory.ts';
import { readData } from './json.ts';
import type { ReadingContext } from './reading.ts';
import { compileVariables } from './variables.ts';
import { checkWords } from './yaml-words.ts';

/** What variable files say, by the name of a group or a host; layers of later folders come later. */
export type LayersByName = ReadonlyMap<string, readonly VariableLayer[]>;

const plainExtensions = ['', '.yml', '.yaml', '.json'];
/** The plain file wins over the encrypted one of the same name; with both, put them into a folder. */
const extensions = [...plainExtensions, ...plainExtensions.map((extension) => `${extension}.age`)];

/** What the `group_vars` and `host_vars` of one folder say. */
export interface FolderVariables {
  readonly groups: LayersByName;
  readonly hosts: LayersByName;
}

/** How variable files are read. */
export interface VariableReading extends Pick<ReadingContext, 'report' | 'compileNode'> {
  readonly open: FileOpener['open'];
}

/**
 * Reads `group_vars` and `host_vars` of a folder: for each name the file NAME, NAME.yml, NAME.yaml or NAME.json, one of
 * these with .age at its end, or all such files in a folder of that name. Only names that the inventory knows are read.
 */
export async function readFolderVariables(
  folder: string,
  names: { readonly groups: ReadonlySet<string>; readonly hosts: ReadonlySet<string> },
  reading: VariableReading,
): Promise<FolderVariables> {
  return {
    groups: await readLayers(join(folder, 'group_vars'), names.groups, reading),
    hosts: await readLayers(join(folder, 'host_vars'), names.hosts, reading),
  };
}

async function readLayers(folder: string, names: ReadonlySet<string>, reading: VariableReading): Promise<LayersByName> {
  const layers = new Map<string, VariableLayer[]>();
  for (const [name, { path, isFolder }] of await choose(folder, names, reading.report)) {
    const files = isFolder ? await filesIn(path, reading.report) : [path];
    const read: VariableLayer[] = [];
    for (const file of files) read.push(...(await readLayer(file, reading)));
    layers.set(name, read);
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
  names: ReadonlySet<string>,
  report: (diagnostic: Diagnostic) => void,
): Promise<Map<string, Chosen>> {
  const found = new Map<string, Entry[]>();
  for (const entry of await list(folder, report)) {
    for (const extension of extensions) {
      const name = entry.name.slice(0, entry.name.length - extension.length);
      if (!entry.name.endsWith(extension) || !names.has(name)) continue;
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
    const extension = extname(entry.name.replace(/\.age$/, ''));
    if (entry.isFolder) {
      if (extension === '') files.push(...(await filesIn(path, report)));
    } else if (plainExtensions.includes(extension)) files.push(path);
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

async function readLayer(path: string, reading: VariableReading): Promise<VariableLayer[]> {
  const { report } = reading;
  let source: OpenedSource;
  try {
    source = await reading.open(path, shown(path));
  } catch (error) {
    report({ severity: 'error', message: `cannot read ${shown(path)}: ${fileProblem(error)}`, ...hintOf(error) });
    return [];
  }
  const { root, diagnostics } = readData(source);
  for (const diagnostic of diagnostics) report(diagnostic);
  if (!root || (root.kind === 'scalar' && root.value === null)) return [];
  if (root.kind === 'map') {
    checkWords(root, report);
    const priority = entryOf(root, 'ansible_group_priority');
    if (priority) report(doubtOfPriority(priority.keyRange));
    return [{ origin: source.path, variables: new Map(compileVariables(reading, root.entries)) }];
  }
  const message = `a file of variables is a map of names to values, not ${describeNode(root)}`;
  report({ severity: 'error', message, range: root.range });
  return [];
}

/** In Ansible, too, the groups are in their order before the files beside the inventory are read. */
function doubtOfPriority(range: Range): Diagnostic {
  const message = 'ansible_group_priority has no effect in a file of variables';
  return { severity: 'warning', message, hint: 'give it to the group in the inventory itself', range };
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

import { resolve } from 'node:path';
import { type Diagnostic, throwOnErrors } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import { compileData, createCompileCache } from '../language/compile.ts';
import { createKeylessOpener, type FileOpener } from '../language/encrypted-files.ts';
import { buildInventory, localhostNames, type VariableFolders } from './build.ts';
import { checkConnectionVariables } from './connection-variables.ts';
import { createDraft, type Draft } from './draft.ts';
import type { InventoryParts, Names } from './growth.ts';
import type { Inventory, VariableLayer } from './inventory.ts';
import type { ProgramLimits } from './program.ts';
import { readSource, type SourceContext } from './read-source.ts';
import { createReadingContext } from './reading.ts';
import { type FolderVariables, readFolderVariables, type VariableReading } from './variable-files.ts';

/** What an inventory is read from. */
export interface InventoryOptions {
  /**
   * `-i` in order: files in INI, YAML or JSON, folders of such, programs, or lists such as `n1,n2,`. Later ones win. None
   * at all: only localhost.
   */
  readonly sources: readonly string[];
  /** The folder whose `group_vars` and `host_vars` win over those beside the inventory. */
  readonly playbookDirectory?: string;
  /** Opens an inventory or a file of variables; by default as one that is not encrypted. */
  readonly open?: FileOpener['open'];
  /** How long one call of an inventory program may take; two minutes by default. */
  readonly programDeadlineMs?: number;
  /** Ends reading, and the program that is asked: a RunbookError `interrupted` is raised. */
  readonly signal?: AbortSignal;
  /** See {@link ProgramLimits.telling}. */
  readonly telling?: ProgramLimits['telling'];
  /** See {@link ProgramLimits.onAnswer}. */
  readonly onAnswer?: ProgramLimits['onAnswer'];
}

/**
 * Reads an inventory from all its sources and variable files. Raises a DiagnosticsError with every mistake in them;
 * `diagnostics` are the doubts.
 */
export async function loadInventory(options: InventoryOptions): Promise<{
  readonly inventory: Inventory;
  /** What it was made of, for one that grows. */
  readonly parts: InventoryParts;
  readonly diagnostics: readonly Diagnostic[];
}> {
  const diagnostics: Diagnostic[] = [];
  const cache = createCompileCache();
  const context: SourceContext = {
    ...createReadingContext(createDraft(), cache, (diagnostic) => diagnostics.push(diagnostic)),
    open: options.open ?? createKeylessOpener().open,
    programLimits: {
      deadlineMs: options.programDeadlineMs ?? 120_000,
      ...(options.signal && { signal: options.signal }),
      ...(options.telling && { telling: options.telling }),
      ...(options.onAnswer && { onAnswer: options.onAnswer }),
    },
  };
  const { draft, report } = context;
  const folders: string[] = [];
  for (const source of options.sources) {
    const folder = await readSource(source, context);
    if (options.signal?.aborted) throw new RunbookError('interrupted', 'interrupted; nothing was contacted');
    if (folder !== undefined) folders.push(resolve(folder));
  }
  if (options.sources.length > 0) checkHosts(draft, options.sources, diagnostics);
  const names = { groups: new Set(draft.groups.keys()), hosts: new Set([...draft.hosts.keys(), ...localhostNames]) };
  const variables = await readAllVariables(folders, options.playbookDirectory, names, context);
  const localRange = { source: { path: 'the implicit localhost', text: 'local' }, start: 0, end: 5 };
  const local = compileData('local', localRange, cache);
  const inventory = buildInventory(draft, variables, local);
  for (const layer of distinctLayers(inventory)) checkConnectionVariables(layer).forEach(report);
  throwOnErrors(diagnostics);
  const readVariables = async (added: Names): Promise<VariableFolders> => {
    const mistakes: Diagnostic[] = [];
    const reading = createReadingContext(draft, cache, (diagnostic) => mistakes.push(diagnostic));
    const { open } = context;
    const read = await readAllVariables(folders, options.playbookDirectory, added, { ...reading, open });
    throwOnErrors(mistakes);
    return read;
  };
  return { inventory, parts: { draft, folders: variables, local, readVariables }, diagnostics };
}

async function readAllVariables(
  folders: readonly string[],
  playbookDirectory: string | undefined,
  names: Names,
  context: VariableReading,
): Promise<VariableFolders> {
  const read = (folder: string): Promise<FolderVariables> => readFolderVariables(folder, names, context);
  const playbook = playbookDirectory === undefined ? undefined : resolve(playbookDirectory);
  const inventory: FolderVariables[] = [];
  for (const [i, folder] of folders.entries()) {
    // A folder that comes again wins where it comes last, and beside the playbook more than beside an inventory.
    if (!folders.includes(folder, i + 1) && folder !== playbook) inventory.push(await read(folder));
  }
  return { inventory, ...(playbook !== undefined && { playbook: await read(playbook) }) };
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

function distinctLayers({ hosts, groups }: Inventory): ReadonlySet<VariableLayer> {
  const layers = new Set<VariableLayer>();
  for (const owner of [...groups.values(), ...hosts.values()]) for (const layer of owner.layers) layers.add(layer);
  return layers;
}

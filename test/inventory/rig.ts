import { mkdtempSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type Diagnostic, DiagnosticsError, formatDiagnostic, sortDiagnostics } from '../../engine/base/diagnostic.ts';
import { buildInventory } from '../../engine/inventory/build.ts';
import { createDraft } from '../../engine/inventory/draft.ts';
import { readIni } from '../../engine/inventory/ini.ts';
import type { Host, Inventory } from '../../engine/inventory/inventory.ts';
import { createReadingContext } from '../../engine/inventory/reading.ts';
import { type InventoryOptions, loadInventory } from '../../engine/inventory/sources.ts';
import { compileData, createCompileCache } from '../../engine/language/compile.ts';
import { createScope } from '../../engine/language/scope.ts';
import { layOut } from './ansible.ts';

/** Reads an INI text without a file. `printed` holds all diagnostics as a user sees them. */
export function parse(text: string): { inventory: Inventory; diagnostics: readonly Diagnostic[]; printed: string } {
  const diagnostics: Diagnostic[] = [];
  const draft = createDraft();
  const context = createReadingContext(draft, createCompileCache(), (d) => diagnostics.push(d));
  readIni({ path: 'hosts.ini', text }, context);
  const local = compileData('local', { source: { path: 'test', text: 'local' }, start: 0, end: 5 });
  const inventory = buildInventory(draft, { inventory: [] }, local);
  return { inventory, diagnostics, printed: sortDiagnostics(diagnostics).map(formatDiagnostic).join('\n') };
}

/** The rendered variables of a host. */
export function variablesOf(host: Host | undefined): Record<string, unknown> {
  return { ...createScope((host?.layers ?? []).map((layer) => layer.variables)) };
}

/** A new folder with these files, removed by `dispose`. */
export async function folderWith(files: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(tmpdir(), 'runbook-inventory-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** What a function throws, as a user sees it; anything but a DiagnosticsError is thrown on. */
export async function mistakesOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.message;
    throw error;
  }
  return '';
}

/** All diagnostics of an inventory as a user sees them, with paths from the folder that the files are written to. */
export async function printedFor(
  files: Readonly<Record<string, string>>,
  sources: readonly string[],
  options: Omit<InventoryOptions, 'sources'> = {},
): Promise<string> {
  await using folder = await layOut({ files, sources });
  const paths = sources.map((source) => (source.includes(',') ? source : join(folder.path, source)));
  const shorten = (text: string) =>
    text.replaceAll(`${folder.path}/`, '').replaceAll(`${relative('', folder.path)}/`, '');
  try {
    const { diagnostics } = await loadInventory({ ...options, sources: paths });
    return shorten(sortDiagnostics(diagnostics).map(formatDiagnostic).join('\n\n'));
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return shorten(error.message);
  }
}

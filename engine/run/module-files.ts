import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The files that custom modules are made of: their own, and what these import by a relative path, and so on. */
export async function moduleFiles(modules: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  const waiting = modules.map((path) => resolve(path));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = await readFile(path, 'utf8').catch(() => '');
    for (const name of relativeNames(text)) {
      const file = await resolveImport(join(dirname(path), name));
      if (file !== undefined) waiting.push(file);
    }
  }
  return [...found].sort();
}

/** Every file of a folder, sorted. */
export async function filesOfFolder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Texts that begin as a relative path does: imports, and data files beside a module. What is no file is left out later. */
function relativeNames(source: string): string[] {
  return [...source.matchAll(/(['"`])(\.{1,2}\/[^'"`\n]+)\1/g)].flatMap(([, , name]) => name ?? []);
}

/** The file that an import of this path comes to, as TypeScript and Node look for it. */
async function resolveImport(path: string): Promise<string | undefined> {
  const asSource = path.replace(/\.js$/, '.ts');
  const endings = ['', '.ts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];
  for (const candidate of [...endings.map((ending) => `${path}${ending}`), asSource]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  return undefined;
}

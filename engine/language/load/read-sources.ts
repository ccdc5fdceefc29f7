import { readdir, readFile as readFromDisk, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { fileProblem, hintOf } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import { entryOf, parseYaml, type YamlFile, type YamlNode } from '../yaml.ts';
import { includedFiles } from './include-files.ts';
import { findRole, type Look, type RoleFolder, roleFiles } from './role-folders.ts';

/** Everything that a playbook names, read before any of it is loaded. */
export interface Sources {
  /** The path of the playbook itself. */
  readonly playbook: string;
  /** A text says why a file cannot be read. */
  readonly files: ReadonlyMap<string, YamlFile | string>;
  /** What is in the folders that were looked into. */
  readonly look: Look;
  /** Every role that is used, wherever. */
  readonly roles: readonly RoleFolder[];
}

/** How files are read. */
export interface SourceReader {
  /** Default: from the disk. */
  readonly readFile?: (path: string) => Promise<string>;
  /** In the place of `readFile` where files may be encrypted. */
  readonly open?: (path: string) => Promise<Source>;
  /** The names in a folder, those of folders with a `/` behind them; none when it is not there. Default: from the disk. */
  readonly listFolder?: (path: string) => Promise<readonly string[]>;
}

/** Something that a file names. `play` is the playbook through which the file came, which decides where roles are. */
type Wish =
  | { readonly kind: 'file'; readonly path: string; readonly play: string }
  | { readonly kind: 'role'; readonly name: string; readonly namedIn: string; readonly play: string }
  | { readonly kind: 'include'; readonly node: YamlNode; readonly play: string };

/** Reads a playbook and every file that it can name, and those that these can name, each once. */
export async function readSources(playbook: string, reader: SourceReader): Promise<Sources> {
  const readFile = reader.readFile ?? ((path) => readFromDisk(path, 'utf8'));
  const open = reader.open ?? (async (path) => ({ path, text: await readFile(path) }));
  const listFolder = reader.listFolder ?? listOnDisk;
  const files = new Map<string, YamlFile | string>();
  const folders = new Map<string, readonly string[]>();
  const roles = new Map<string, RoleFolder>();
  const followed = new Set<string>();
  let wishes: Wish[] = [{ kind: 'file', path: playbook, play: playbook }];
  while (wishes.length > 0) {
    const wanted = await pathsOf(wishes, playbook, { folders, roles, listFolder });
    const unread = [...new Set(wanted.map(({ path }) => path))].filter((path) => !files.has(path));
    const read = await Promise.all(unread.map((path) => readYaml(path, open)));
    for (const [i, path] of unread.entries()) files.set(path, read[i] ?? 'it was not read');
    wishes = [];
    for (const { path, play } of wanted) {
      const file = files.get(path);
      if (followed.has(`${play}\n${path}`) || typeof file !== 'object' || !file.root) continue;
      followed.add(`${play}\n${path}`);
      collectWishes(file.root, play, wishes);
    }
  }
  return { playbook, files, look: (folder) => folders.get(folder) ?? [], roles: [...roles.values()] };
}

/** The path of a file that another one names: beside it, unless it is absolute. */
export function beside(namedIn: string, name: string): string {
  return isAbsolute(name) ? name : join(dirname(namedIn), name);
}

/** What was found so far, and how to find more. */
interface Search {
  readonly folders: Map<string, readonly string[]>;
  readonly roles: Map<string, RoleFolder>;
  readonly listFolder: (path: string) => Promise<readonly string[]>;
}

/** The paths that some wishes come to; looks into folders until no unknown one is asked for. */
async function pathsOf(
  wishes: readonly Wish[],
  playbook: string,
  { folders, roles, listFolder }: Search,
): Promise<{ path: string; play: string }[]> {
  for (;;) {
    const unknown = new Set<string>();
    const look: Look = (folder) => {
      const names = folders.get(folder);
      if (!names) unknown.add(folder);
      return names ?? [];
    };
    const paths = wishes.flatMap((wish) => {
      const of = wish.kind === 'file' ? [wish.path] : filesOf(wish, playbook, look, roles);
      return of.map((path) => ({ path, play: wish.play }));
    });
    if (unknown.size === 0) return paths;
    await Promise.all([...unknown].map(async (folder) => folders.set(folder, await listFolder(folder))));
  }
}

function filesOf(
  wish: Exclude<Wish, { kind: 'file' }>,
  playbook: string,
  look: Look,
  roles: Map<string, RoleFolder>,
): readonly string[] {
  if (wish.kind === 'include') return [...includedFiles(wish.node, look).values()];
  const role = findRole(look, wish.name, [wish.namedIn, wish.play, playbook]);
  if (!role) return [];
  roles.set(role.folder, role);
  return roleFiles(look, role.folder);
}

function collectWishes(node: YamlNode, play: string, wishes: Wish[]): void {
  if (node.kind === 'list') for (const item of node.items) collectWishes(item, play, wishes);
  if (node.kind !== 'map') return;
  const namedIn = node.range.source.path;
  for (const { key, value } of node.entries) {
    switch (key) {
      case 'import_tasks':
      case 'inputs':
      case 'vars_files':
        for (const name of textsIn(value)) wishes.push({ kind: 'file', path: beside(namedIn, name), play });
        break;
      case 'import_playbook':
        for (const name of textsIn(value)) {
          wishes.push({ kind: 'file', path: beside(namedIn, name), play: beside(namedIn, name) });
        }
        break;
      case 'include_tasks':
        wishes.push({ kind: 'include', node: value, play });
        break;
      case 'import_role':
      case 'roles':
      case 'dependencies':
        for (const name of roleNamesIn(value)) wishes.push({ kind: 'role', name, namedIn, play });
        break;
      default:
        collectWishes(value, play, wishes);
    }
  }
}

function textsIn(node: YamlNode): string[] {
  const items = node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' && !item.value.includes('{{') ? [item.value] : [],
  );
}

function roleNamesIn(node: YamlNode): string[] {
  const items = node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) => textsIn((item.kind === 'map' && entryOf(item, 'role')?.value) || item));
}

async function readYaml(path: string, open: (path: string) => Promise<Source>): Promise<YamlFile | string> {
  try {
    return parseYaml(await open(path));
  } catch (error) {
    const { hint } = hintOf(error);
    return hint === undefined ? fileProblem(error) : `${fileProblem(error)}; ${hint}`;
  }
}

async function listOnDisk(path: string): Promise<readonly string[]> {
  const entries = await readdir(path || '.', { withFileTypes: true }).catch(() => []);
  const nameOf = async (entry: (typeof entries)[number]): Promise<string> => {
    const isLink = entry.isSymbolicLink();
    const kind = isLink ? await stat(join(path, entry.name)).catch(() => entry) : entry;
    return kind.isDirectory() ? `${entry.name}/` : entry.name;
  };
  return (await Promise.all(entries.map(nameOf))).sort();
}

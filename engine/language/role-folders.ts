import { dirname, join } from 'node:path';
import type { RoleFolder } from './surroundings.ts';

/** The names in a folder, those of folders with a `/` behind them; none when it is not there. */
export type Look = (folder: string) => readonly string[];

/** The parts of a role that are a folder with a `main.yaml` or `main.yml`. */
export const roleParts = ['defaults', 'vars', 'tasks', 'handlers', 'meta'] as const;

/** Finds a role beside the files given, nearest first, or beside the role that such a file belongs to. */
export function findRole(look: Look, name: string, namedIn: readonly string[]): RoleFolder | undefined {
  const parent = roleParents(namedIn).find((folder) => look(folder).includes(`${name}/`));
  return parent === undefined ? undefined : { name, folder: join(parent, name) };
}

/** The folders in which a role is looked for, in this order. */
export function roleParents(namedIn: readonly string[]): string[] {
  const folders = namedIn.flatMap((path) => {
    const inRole = /^(?:(.*)\/)?roles\/[^/]+\/./.exec(path);
    return [join(dirname(path), 'roles'), ...(inRole ? [join(inRole[1] ?? '', 'roles')] : [])];
  });
  return [...new Set(folders)];
}

/** The file of one part of a role. Both spellings at once are an error elsewhere; here `main.yaml` comes first. */
export function roleFile(look: Look, folder: string, part: (typeof roleParts)[number]): string | undefined {
  return spellings(look, join(folder, part), 'main')[0];
}

/** The file of a role's inputs. */
export function inputsFile(look: Look, folder: string): string | undefined {
  return spellings(look, folder, 'inputs')[0];
}

/** Every file of a role that is read before it is loaded. */
export function roleFiles(look: Look, folder: string): string[] {
  return [
    ...roleParts.flatMap((part) => spellings(look, join(folder, part), 'main')),
    ...spellings(look, folder, 'inputs'),
  ];
}

function spellings(look: Look, folder: string, name: string): string[] {
  const names = look(folder);
  return [`${name}.yaml`, `${name}.yml`].filter((file) => names.includes(file)).map((file) => join(folder, file));
}

import { dirname, join } from 'node:path';

/** The names in a folder, those of folders with a `/` behind them; none when it is not there. */
export type Look = (folder: string) => readonly string[];

/** A role that was found. */
export interface RoleFolder {
  readonly name: string;
  readonly folder: string;
}

/** The parts of a role that are a folder with a `main.yaml` or `main.yml`. */
const parts = ['defaults', 'vars', 'tasks', 'handlers', 'meta'] as const;
export type RolePart = (typeof parts)[number];

/** Finds a role beside the files given, nearest first, or beside the role that such a file belongs to. */
export function findRole(look: Look, name: string, namedIn: readonly string[]): RoleFolder | undefined {
  const parent = roleParents(namedIn).find((folder) => look(folder).includes(`${name}/`));
  return parent === undefined ? undefined : { name, folder: join(parent, name) };
}

/** The folders in which a role is looked for, in this order. */
export function roleParents(namedIn: readonly string[]): string[] {
  const folders = namedIn.flatMap((path) => {
    const inRole = /^(.*\/)?roles\/[^/]+\/./.exec(path);
    return [join(dirname(path), 'roles'), ...(inRole ? [join(inRole[1] ?? '', 'roles')] : [])];
  });
  return [...new Set(folders)];
}

/** The file of one part of a role: both spellings when both are there, which is a mistake. */
export function roleFile(look: Look, folder: string, part: RolePart): string[] {
  return spellings(look, join(folder, part), 'main');
}

/** The file of a role's inputs, as {@link roleFile}. */
export function inputsFile(look: Look, folder: string): string[] {
  return spellings(look, folder, 'inputs');
}

/** Every file of a role that is read before it is loaded. */
export function roleFiles(look: Look, folder: string): string[] {
  return [...parts.flatMap((part) => roleFile(look, folder, part)), ...inputsFile(look, folder)];
}

/** The folders with modules that roles bring along. */
export function moduleFolders(look: Look, roles: readonly RoleFolder[]): string[] {
  return roles.filter(({ folder }) => look(folder).includes('modules/')).map(({ folder }) => join(folder, 'modules'));
}

function spellings(look: Look, folder: string, name: string): string[] {
  const names = look(folder);
  return [`${name}.yaml`, `${name}.yml`].filter((file) => names.includes(file)).map((file) => join(folder, file));
}

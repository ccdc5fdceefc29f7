import type { Variables } from '../value.ts';
import type { YamlFile, YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { readVariables } from './fields.ts';
import { type DeclaredInputs, noInputs, readInputs } from './inputs.ts';
import { inputsFile, type RoleFolder, type RolePart, roleFile } from './role-folders.ts';
import { readableFile } from './tasks.ts';

/** What of a role is the same wherever it is used. */
export interface RoleContent {
  /** Undefined where the role has no file of them: then it can be given anything. */
  readonly declared?: DeclaredInputs;
  readonly defaults: Variables;
  readonly vars: Variables;
}

/** Reads a role's inputs and variables, once; `namedBy` is where the role is used. */
export function readRoleContent(context: LoadContext, role: RoleFolder, namedBy: YamlNode): RoleContent {
  const known = context.roleContents.get(role.folder);
  if (known) return known;
  const defaults = readLayer(context, role, 'defaults', namedBy);
  const vars = readLayer(context, role, 'vars', namedBy);
  const path = onlyOne(context, inputsFile(context.sources.look, role.folder), namedBy);
  const declared = path === undefined ? undefined : readDeclared(context, path, namedBy, { defaults, vars });
  const content: RoleContent = { ...(declared && { declared }), defaults, vars };
  context.roleContents.set(role.folder, content);
  return content;
}

/** The path of one part of a role, where it has it. */
export function partOfRole(
  context: LoadContext,
  role: RoleFolder,
  part: RolePart,
  namedBy: YamlNode,
): string | undefined {
  return onlyOne(context, roleFile(context.sources.look, role.folder, part), namedBy);
}

/** The file of one part of a role, where it has it and it can be read. */
export function fileOfRole(
  context: LoadContext,
  role: RoleFolder,
  part: RolePart,
  namedBy: YamlNode,
): YamlFile | undefined {
  const path = partOfRole(context, role, part, namedBy);
  return path === undefined ? undefined : readableFile(context, path, namedBy);
}

function readDeclared(
  context: LoadContext,
  path: string,
  namedBy: YamlNode,
  { defaults, vars }: Pick<RoleContent, 'defaults' | 'vars'>,
): DeclaredInputs {
  const root = readableFile(context, path, namedBy)?.root;
  const declared = root ? readInputs(context, root) : noInputs();
  for (const [name, value] of defaults) {
    if (!declared.defaults.has(name)) continue;
    report(context, value.range, `the input "${name}" has a default in ${path} already`);
  }
  // A default makes up for a missing value wherever it stands.
  const inputs = declared.inputs.map((input) =>
    defaults.has(input.name) || vars.has(input.name) ? { ...input, isRequired: false } : input,
  );
  return { ...declared, inputs };
}

function readLayer(context: LoadContext, role: RoleFolder, part: 'defaults' | 'vars', namedBy: YamlNode): Variables {
  const root = fileOfRole(context, role, part, namedBy)?.root;
  if (!root) return new Map();
  const keyRange = { ...root.range, end: root.range.start + 1 };
  return readVariables(context, { key: `${part} of a role`, keyRange, value: root });
}

function onlyOne(context: LoadContext, [first, second]: readonly string[], namedBy: YamlNode): string | undefined {
  if (first !== undefined && second !== undefined) {
    report(context, namedBy.range, `the role has both ${first} and ${second}`, 'remove one of them');
  }
  return first;
}

import { access, constants, readdir, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { didYouMean } from '../base/diagnostic.ts';
import { fileProblem, hintOf } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import { foreignBytes } from '../language/encoding.ts';
import type { FileOpener } from '../language/encrypted-files.ts';
import { formatOf, looksLikeYaml } from './format.ts';
import { readHosts } from './hosts.ts';
import { readIni } from './ini.ts';
import { readData } from './json.ts';
import { readKubernetes } from './kubernetes.ts';
import { isKubernetesFile } from './kubernetes-file.ts';
import { isProgram, type ProgramLimits } from './program.ts';
import { readProgram } from './program-inventory.ts';
import type { ReadingContext } from './reading.ts';
import { readYaml } from './yaml.ts';

/** What reading a source needs besides the draft that it writes to. */
export interface SourceContext extends ReadingContext {
  readonly open: FileOpener['open'];
  /** For each call of an inventory program. */
  readonly programLimits: ProgramLimits;
}

/**
 * Reads what one `-i` names: a file, a folder of such, a program, or a list of hosts. Gives the folder whose `group_vars`
 * and `host_vars` belong to it; a list has none.
 */
export async function readSource(path: string, context: SourceContext): Promise<string | undefined> {
  const found = await reporting(path, context, () => stat(path).catch(unlessAbsent));
  if (found === undefined) return undefined;
  if (found === 'absent') {
    if (path.includes(',')) readInlineList(path, context);
    else await failAbsent(path, context);
    return undefined;
  }
  await reporting(path, context, () => readPath(path, found.isDirectory(), context));
  return found.isDirectory() ? path : dirname(path);
}

/** Reports what keeps a file from being read; every other error is a bug and goes on. */
async function reporting<T>(path: string, context: SourceContext, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    fail(context, `cannot read the inventory ${path}: ${fileProblem(error)}`, hintOf(error).hint);
    return undefined;
  }
}

function unlessAbsent(error: unknown): 'absent' {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
  throw error;
}

async function readPath(path: string, isFolder: boolean, context: SourceContext): Promise<void> {
  if (isFolder) return readFolder(path, context);
  if (await isProgram(path)) {
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return readProgram(path, context, context.programLimits);
    return fail(context, `${path} is a program that may not be executed`, `chmod +x ${path}`);
  }
  const source = await context.open(path);
  if (isKubernetesFile(path)) return readKubernetes(readData(source), context, context.programLimits);
  readText(source, context);
}

function readText(source: Source, context: SourceContext): void {
  const nul = source.text.indexOf('\0');
  if (nul !== -1) {
    const range = { source, start: nul, end: nul + 1 };
    return context.report({ severity: 'error', message: `${source.path} is no text file`, range });
  }
  const format = formatOf(source.path.replace(/\.age$/, ''), source.text);
  if (format === 'toml') return fail(context, `${source.path}: inventories in TOML are not read`, 'write it in YAML');
  if (format === 'yaml') return readYaml(readData(source), context);
  if (looksLikeYaml(source.text))
    return fail(context, `${source.path} looks like YAML, but its name says INI`, 'let its name end in .yml');
  const lines = source.isSecret ? withoutContent(context) : context;
  const foreign = foreignBytes(source);
  if (foreign) lines.report(foreign);
  else readIni(source, lines);
}

/** What is wrong with a line of an encrypted file is told without quoting it. */
function withoutContent(context: SourceContext): SourceContext {
  const message = 'the text that is encrypted here is no valid inventory';
  const report: SourceContext['report'] = ({ severity, range }) =>
    context.report({ severity, message, ...(range && { range }) });
  return { ...context, report };
}

/** Endings of files in a folder that are no inventories: Ansible's list. */
const ignoredEndings = ['.pyc', '.pyo', '.swp', '.bak', '~', '.rpm', '.md', '.txt', '.rst', '.orig', '.retry'];
const ignoredInventories = ['.ini', '.cfg'];
const ignoredNames = ['host_vars', 'group_vars', 'vars_plugins'];

/** Reads every file of a folder, and of the folders in it, sorted by name. */
async function readFolder(folder: string, context: SourceContext): Promise<void> {
  const names = (await readdir(folder)).sort();
  for (const name of names) {
    const path = join(folder, name);
    if (ignoredInventories.some((ending) => name.endsWith(ending)) && !name.startsWith('.')) {
      context.report({
        severity: 'warning',
        message: `${path} is not read: in a folder, Ansible leaves out what ends in .ini or .cfg`,
        hint: 'name it without the ending',
      });
    }
    if (name.startsWith('.') || ignoredNames.includes(name)) continue;
    if ([...ignoredEndings, ...ignoredInventories].some((ending) => name.endsWith(ending))) continue;
    await reporting(path, context, async () => {
      const found = await stat(path).catch(unlessAbsent);
      if (found === 'absent') await failAbsent(path, context);
      else await readPath(path, found.isDirectory(), context);
    });
  }
}

function readInlineList(text: string, context: SourceContext): void {
  const source: Source = { path: '-i', text };
  for (const match of text.matchAll(/[^,]+/g)) {
    const name = match[0].trim();
    if (name === '') continue;
    const start = match.index + match[0].indexOf(name);
    readHosts(context, undefined, name, { source, start, end: start + name.length });
  }
}

async function failAbsent(path: string, context: SourceContext): Promise<void> {
  if (path.trim() === '')
    return fail(context, 'the name of an inventory is empty', 'is a variable of the shell not set?');
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) fail(context, `there is no inventory "${path}"`, await suggest(path));
  else fail(context, `the inventory "${path}" is a link that leads nowhere`, `it leads to ${target}`);
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

function fail({ report }: SourceContext, message: string, hint?: string): void {
  report({ severity: 'error', message, ...(hint !== undefined && { hint }) });
}

import { resolve } from 'node:path';
import pLimit from 'p-limit';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Source } from '../base/source.ts';
import { foreignBytes } from '../language/encoding.ts';
import { describeNode, entryOf, type YamlMap } from '../language/yaml.ts';
import { parseJson } from './json.ts';
import { type ProgramLimits, runProgram } from './program.ts';
import { readProgramGroup } from './program-groups.ts';
import type { ReadingContext } from './reading.ts';
import { readHostVariables, reportMistake } from './variables.ts';

/** How many `--host` calls run at a time. */
const parallelCalls = 8;

/** As much of a program's standard error as helps. */
const maximumExcerpt = 2000;

/**
 * Reads what an inventory program prints for `--list`: groups by name and, under `_meta.hostvars`, variables by host. Where
 * these are missing it is asked for each host with `--host NAME`.
 */
export async function readProgram(path: string, context: ReadingContext, limits: ProgramLimits): Promise<void> {
  const root = await ask(path, ['--list'], context, limits);
  if (!root) return;
  const groups = root.entries.filter(({ key }) => key !== '_meta');
  const hosts = new Set(groups.flatMap((entry) => readProgramGroup(context, entry)));
  const meta = entryOf(root, '_meta')?.value;
  const hostvars = meta?.kind === 'map' ? entryOf(meta, 'hostvars')?.value : undefined;
  if (hostvars?.kind === 'map') return readAllHostVariables(context, hostvars, hosts);
  if (hostvars)
    return reportMistake(context, hostvars.range, `hostvars is a map of hosts, not ${describeNode(hostvars)}`);
  const limit = pLimit(parallelCalls);
  const answers = [...hosts].map((name) =>
    limit(async () => {
      const diagnostics: Diagnostic[] = [];
      const reading = { ...context, report: (diagnostic: Diagnostic) => void diagnostics.push(diagnostic) };
      return { name, variables: await ask(path, ['--host', name], reading, limits), diagnostics };
    }),
  );
  for (const { name, variables, diagnostics } of await Promise.all(answers)) {
    // In the order of the hosts, whichever call ended first.
    diagnostics.forEach(context.report);
    if (variables) readHostVariables(context, [name], name, variables);
  }
}

function readAllHostVariables(context: ReadingContext, hostvars: YamlMap, hosts: ReadonlySet<string>): void {
  const strangers = hostvars.entries.filter(({ key }) => !hosts.has(key));
  const [first] = strangers;
  if (first) {
    const rest = strangers.length === 1 ? '' : ` (and ${strangers.length - 1} more)`;
    const message = `"${first.key}"${rest} has variables but is in no group, and so is no host of this inventory`;
    context.report({
      severity: 'warning',
      message,
      hint: 'list it under a group, such as "all"',
      range: first.keyRange,
    });
  }
  for (const { key, value } of hostvars.entries) if (hosts.has(key)) readHostVariables(context, [key], key, value);
}

/** Runs the program and gives the map that it printed; anything else is reported. */
async function ask(
  path: string,
  args: readonly string[],
  context: ReadingContext,
  limits: ProgramLimits,
): Promise<YamlMap | undefined> {
  const command = [path, ...args].join(' ');
  const end = await runProgram(resolve(path), args, limits);
  const hint = end.stderr === '' ? {} : { hint: `it said: ${end.stderr.slice(-maximumExcerpt)}` };
  if ('problem' in end) {
    context.report({ severity: 'error', message: `${command} ${end.problem}`, ...hint });
    return undefined;
  }
  if (end.stderr !== '') {
    context.report({ severity: 'warning', message: `${command} wrote to its standard error`, ...hint });
  }
  limits.onAnswer?.(command, partsOf(end.stdout));
  return readOutput({ path: command, text: end.stdout }, args[0] === '--host', context);
}

function readOutput(source: Source, isHost: boolean, context: ReadingContext): YamlMap | undefined {
  if (source.text.trim() === '') {
    // A host without variables is what Ansible's own code means to allow here, too.
    if (!isHost) context.report({ severity: 'error', message: `${source.path} printed nothing` });
    return undefined;
  }
  const foreign = foreignBytes(source);
  const { root, diagnostics } = foreign ? { root: undefined, diagnostics: [foreign] } : parseJson(source);
  for (const diagnostic of diagnostics) context.report(diagnostic);
  if (!root || root.kind === 'map') return root;
  const what = isHost ? 'variables' : 'groups';
  reportMistake(context, root.range, `${source.path} must print a map of ${what} in JSON, not ${describeNode(root)}`);
  return undefined;
}

/** What a program printed by its topmost names; as a whole where it is no map. */
function partsOf(stdout: string): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(stdout);
    if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return { ...answer };
  } catch {
    // Reading it says so.
  }
  return { answer: stdout };
}

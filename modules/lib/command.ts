import {
  type Change,
  type Diff,
  exec,
  failure,
  type Predicted,
  type Probe,
  type ProbeOutput,
  probe,
  type Script,
  type Secret,
  type Step,
  type StepResult,
  sh,
  unknown,
} from '../../engine/index.ts';
import {
  describeFile,
  expectedFile,
  type FileState,
  fileResource,
  namesOf,
  parseFile,
  pathMistakes,
} from './file-state.ts';
import { oneLine } from './one-line.ts';
import { commandResource, whoMayMake, whoMayProvide } from './pending-providers.ts';

/** What `command` and `shell` share: everything but how the command is written. */
export interface CommandArguments {
  readonly chdir?: string | undefined;
  readonly creates?: string | undefined;
  readonly removes?: string | undefined;
  readonly unless?: string | undefined;
  readonly only_if?: string | undefined;
  readonly stdin?: string | Secret | undefined;
  readonly environment?: Readonly<Record<string, string | Secret>> | undefined;
  readonly timeout?: number | undefined;
  readonly reads: boolean;
  readonly depends_on?: readonly string[] | undefined;
  readonly ok_codes: readonly number[];
}

/** A command as a script, and in one line for people. */
export interface CommandLine {
  readonly script: Script;
  readonly text: string;
}

/** What a probe of a command found. */
export interface CommandState {
  readonly chdir?: FileState | undefined;
  readonly creates?: FileState | undefined;
  readonly removes?: FileState | undefined;
  /** Exit statuses of the guards. */
  readonly unless?: number | undefined;
  readonly onlyIf?: number | undefined;
  /** The output of a command that only reads. */
  readonly output?: ProbeOutput | undefined;
}

/** Schema properties of `command` and `shell`. */
export const commandProperties = {
  chdir: { type: 'string', minLength: 1, description: 'Folder to run in, also for unless and only_if' },
  creates: {
    type: 'string',
    minLength: 1,
    description: 'Path that the command makes: when it is there, the command is not needed',
  },
  removes: {
    type: 'string',
    minLength: 1,
    description: 'Path that the command removes: when it is not there, the command is not needed',
  },
  unless: {
    type: 'string',
    minLength: 1,
    description:
      'Shell text that changes nothing: when it succeeds, the command is not needed. Must succeed afterwards',
  },
  only_if: {
    type: 'string',
    minLength: 1,
    description:
      'Shell text that changes nothing: when it fails, the command is not needed. Must fail afterwards; use when: for a condition that the command does not change',
  },
  stdin: {
    type: 'string',
    secret: true,
    description: 'Text for standard input, which is empty otherwise. The place for secrets',
  },
  environment: {
    type: 'object',
    additionalProperties: { type: 'string', secret: true },
    description: "Environment variables, over the task's own",
  },
  timeout: {
    type: 'number',
    minimum: 0.1,
    description: 'Seconds after which the command is killed and the task fails',
  },
  reads: {
    type: 'boolean',
    default: false,
    description: 'Promise that the command changes nothing: it runs in check mode too, and is never "changed"',
  },
  depends_on: {
    type: 'array',
    items: { type: 'string', pattern: '^(/|(unit|package|user|group|image|kernel-module|sysctl):.)' },
    minItems: 1,
    description:
      'All that the answer of reads, unless or only_if depends on. Check mode then takes it for good while nothing of this is pending',
    examples: [['/etc/os-release', 'unit:docker.service']],
  },
  ok_codes: {
    type: 'array',
    items: { type: 'integer', minimum: 0, maximum: 255 },
    minItems: 1,
    default: [0],
    description: 'Exit statuses that are no failure',
  },
} as const;

/**
 * What a command may change of a host without a reboot. That it makes another system of it (`os`, `kernel`, `systemd_version`
 * and the like) is not expected: check mode could then tell nothing after the first command.
 */
export const factsOfCommands = [
  'hostname',
  'fqdn',
  'swap_mb',
  'addresses',
  'mounts',
  'container_runtimes',
  'kubelet',
] as const;

/** What both modules promise, for `runbook doc`. */
export const commandDescription = `A command has no state of its own. Say what makes it unneeded with \`creates\`, \`removes\`,
\`unless\` or \`only_if\`: it runs only when all that are given ask for it, and they are asked again afterwards. Without them
it runs every time and is "changed" every time. A command that only reads says \`reads: true\`.

Check mode does not run it. A \`reads\` command is run, and so are \`unless\` and \`only_if\`; once anything is pending on the
host they are "unknown", since nobody can tell whether they would still answer so. With \`depends_on\` only what it names
counts, and a pending command or package of which nobody knows what it changes.

Result: \`stdout\` and \`stderr\` without the newlines at their ends, \`stdout_lines\`, \`rc\`.`;

/** What is wrong between the arguments. */
export function commandMistakes(args: CommandArguments): string[] {
  const guards = (['creates', 'removes', 'unless', 'only_if'] as const).filter((name) => args[name] !== undefined);
  const mistakes: string[] = [];
  for (const name of ['chdir', 'creates', 'removes'] as const) {
    const path = args[name];
    if (path !== undefined) mistakes.push(...pathMistakes(name, path));
  }
  for (const name of Object.keys(args.environment ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) mistakes.push(`"${name}" is no name of an environment variable`);
  }
  if (args.reads && guards.length > 0) {
    mistakes.push(`"reads" and "${guards[0]}" contradict each other: a command that only reads always runs; use when:`);
  }
  if (args.depends_on !== undefined && !args.reads && args.unless === undefined && args.only_if === undefined) {
    mistakes.push('"depends_on" is for reads: true, unless and only_if');
  }
  for (const path of args.depends_on ?? []) {
    if (path.startsWith('/')) mistakes.push(...pathMistakes('depends_on', path));
  }
  if (args.reads && args.stdin !== undefined) mistakes.push('"stdin" cannot be given to a command with "reads: true"');
  return mistakes;
}

/** Asks the guards, or runs the command when it only reads. */
export function probeCommand(args: CommandArguments, command: CommandLine): Probe<CommandState> {
  const { environment, timeout } = args;
  const isAlone = args.reads || shellGuards.some((name) => args[name] !== undefined);
  const options = { environment, isAlone, ...(timeout !== undefined && { timeoutMs: timeout * 1000 }) };
  if (args.reads) {
    const script = sh`${intoFolder(args)}${command.script} </dev/null`;
    return probe(script, (output) => ({ output }), options);
  }
  const parts: Script[] = [];
  for (const name of pathGuards) {
    const path = args[name];
    if (path !== undefined) parts.push(sh`echo ${mark(name)}`, sh`(${describeFile(path)}\n)`);
  }
  for (const name of shellGuards) {
    const text = args[name];
    if (text === undefined) continue;
    const run = sh`(${intoFolder(args)}sh -c ${text}) </dev/null >/dev/null 2>&1`;
    parts.push(sh`echo ${mark(name)}`, sh`${run}; echo "rc=$?"`);
  }
  return probe(parts.length === 0 ? sh`:` : sh.lines(parts), ({ stdout }) => parseGuards(args, stdout), options);
}

/** `[]` when the guards say that the command is not needed. */
export function diffCommand(
  state: CommandState,
  args: CommandArguments,
  command: CommandLine,
  predicted: Predicted,
): Diff {
  if (state.output) return judgeReading(state.output, args, command, predicted);
  const { creates, removes } = state;
  if (creates && expectedFile(creates, predicted).type !== null) return [];
  const removed = removes && expectedFile(removes, predicted);
  const maker = whoMakesGuard(removed?.type === null ? removed : creates, predicted);
  if (maker !== undefined) return unknown(maker);
  if (removed?.type === null) return [];
  if (isFolderMissing(state, args, predicted)) throw failure(`chdir: the folder ${args.chdir} does not exist`);
  const hasShellGuard = args.unless !== undefined || args.only_if !== undefined;
  const stale = hasShellGuard ? whyStale(args, 'its guard', predicted) : undefined;
  if (stale !== undefined) return unknown(stale);
  if (args.unless !== undefined && state.unless === 0) return [];
  if (args.only_if !== undefined && state.onlyIf !== 0) return [];
  // The resource tells later tasks that something ran of which nobody knows all that it makes.
  const resource = commandResource(creates !== undefined || removes !== undefined);
  const changes: Change[] = [{ path: 'command', before: null, after: command.text, resource }];
  if (creates) changes.push({ path: 'exists', before: false, after: true, ...namesOf(creates) });
  if (removes) changes.push({ path: 'exists', before: true, after: false, ...namesOf(removes) });
  return changes;
}

/** Runs the command. */
export function* runCommand(
  args: CommandArguments,
  command: CommandLine,
): Generator<Step, Record<string, unknown>, StepResult> {
  const output = yield exec(sh`${intoFolder(args)}${command.script}`, {
    purpose: oneLine(command.text),
    okCodes: 'any',
    ...(args.stdin !== undefined && { stdin: args.stdin }),
    ...(args.environment && { environment: args.environment }),
    ...(args.timeout !== undefined && { timeoutMs: args.timeout * 1000 }),
  });
  if (!args.ok_codes.includes(output.rc)) throw commandFailure(output, command);
  return valuesOf(output);
}

/** Why a command cannot be verified. */
export function unverifiableCommand(args: CommandArguments): string | undefined {
  const isGuarded = [args.creates, args.removes, args.unless, args.only_if].some((guard) => guard !== undefined);
  return isGuarded || args.reads ? undefined : 'a command has no state to probe';
}

/** What `register` gets of a command. */
export const commandReturns = {
  rc: { type: 'integer', description: 'The exit status' },
  stdout: { type: 'string', description: 'What it printed, without line breaks at the end' },
  stderr: { type: 'string', description: 'What it printed as errors, without line breaks at the end' },
  stdout_lines: { type: 'array', items: { type: 'string' }, description: 'What it printed, line by line' },
} as const;

/** Values of a command that only reads; the others are known when they are run. */
export function resultOfCommand(state: CommandState): Record<string, unknown> {
  return state.output ? valuesOf(state.output) : {};
}

const pathGuards = ['chdir', 'creates', 'removes'] as const;
const shellGuards = ['unless', 'only_if'] as const;

function judgeReading(output: ProbeOutput, args: CommandArguments, command: CommandLine, predicted: Predicted): Diff {
  const reason = whyStale(args, `"${oneLine(command.text)}"`, predicted);
  if (reason !== undefined) return unknown(reason, { changesNothing: true });
  if (!args.ok_codes.includes(output.rc)) throw commandFailure(output, command);
  return [];
}

/** Why an answer of the host, that of a command that reads or of a guard, may be another once the pending tasks have run. */
function whyStale(args: CommandArguments, name: string, predicted: Predicted): string | undefined {
  if (!predicted.any) return undefined;
  if (args.depends_on === undefined) return `${name} may read what an earlier task would have changed`;
  const pending = args.depends_on.find((thing) => isPending(thing, predicted));
  if (pending !== undefined) return `${name} depends on ${pending}, which an earlier task would change`;
  return whoMayMake(predicted, `what ${name} reads`);
}

function isPending(thing: string, predicted: Predicted): boolean {
  if (!thing.startsWith('/')) return predicted.under(thing).includes(thing);
  const resource = fileResource(thing);
  const isAffected = (name: string): boolean => Object.keys(predicted.of(name)).length > 0;
  return (
    predicted.under(resource).some((name) => name === resource || name.startsWith(`${resource}/`)) ||
    isAffected(resource)
  );
}

/** Why it cannot be told whether the path of a guard, missing so far, will be there. */
function whoMakesGuard(path: FileState | undefined, predicted: Predicted): string | undefined {
  if (path === undefined || predicted.of(fileResource(path.path)).exists === false) return undefined;
  return whoMayMake(predicted, `path ${path.path}`);
}

function isFolderMissing(state: CommandState, args: CommandArguments, predicted: Predicted): boolean {
  if (!state.chdir || args.chdir === undefined) return false;
  const isThere = (type: FileState['type']): boolean => type === 'directory' || type === 'link';
  const expected = expectedFile(state.chdir, predicted);
  if (isThere(expected.type)) return false;
  const isRemoved = isThere(state.chdir.type);
  return isRemoved || whoMayProvide(predicted, `folder ${args.chdir}`) === undefined;
}

function intoFolder({ chdir }: CommandArguments): Script {
  return chdir === undefined ? sh`` : sh`cd ${chdir} && `;
}

function parseGuards(args: CommandArguments, stdout: string): CommandState {
  const answers = new Map<string, string>();
  for (const part of stdout.split(/^---- /m).slice(1)) {
    const end = part.indexOf('\n');
    answers.set(part.slice(0, end), part.slice(end + 1));
  }
  const file = (name: (typeof pathGuards)[number]): FileState | undefined => {
    const path = args[name];
    return path === undefined ? undefined : parseFile(path, answers.get(name) ?? '');
  };
  const rc = (name: (typeof shellGuards)[number]): number | undefined => {
    const found = /^rc=(\d+)$/m.exec(answers.get(name) ?? '')?.[1];
    if (args[name] !== undefined && found === undefined) throw failure(`${name} did not end`, stdout);
    return found === undefined ? undefined : Number(found);
  };
  return {
    chdir: file('chdir'),
    creates: file('creates'),
    removes: file('removes'),
    unless: rc('unless'),
    onlyIf: rc('only_if'),
  };
}

function mark(name: string): string {
  return `---- ${name}`;
}

function commandFailure(output: ProbeOutput, command: CommandLine): Error {
  const details = output.stderr.trim() === '' ? output.stdout : output.stderr;
  const lines = details.trimEnd().split('\n').slice(-20).join('\n');
  return failure(`"${oneLine(command.text)}": ${meaningOf(output.rc)}`, lines, valuesOf(output));
}

/** The statuses that say more than a number. */
function meaningOf(rc: number): string {
  if (rc === 126) return 'exit status 126: found, but cannot be executed';
  if (rc === 127) return 'exit status 127: not found';
  if (rc > 128 && rc < 160) return `exit status ${rc}: ended by signal ${rc - 128}`;
  return `exit status ${rc}`;
}

function valuesOf({ rc, stdout, stderr }: ProbeOutput): Record<string, unknown> {
  const text = stdout.replace(/[\r\n]+$/, '');
  const lines = text === '' ? [] : text.split(/\r?\n/);
  return { rc, stdout: text, stderr: stderr.replace(/[\r\n]+$/, ''), stdout_lines: lines };
}

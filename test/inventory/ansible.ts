import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import type { Inventory } from '../../engine/inventory/inventory.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { createScope } from '../../engine/language/scope.ts';

/** An inventory to be read by Ansible and by us. Paths are relative to the folder that the files are written to. */
export interface Question {
  /** Texts by path, or bytes. A text that begins with `#!` is made executable. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** `-i` in order; what has a comma in it is an inline list. */
  readonly sources: readonly string[];
  readonly playbookDirectory?: string;
}

/** What both sides say about an inventory, in one form. */
export interface Answer {
  /** Direct members of each group, in order. `all` has children only. */
  readonly groups: Readonly<
    Record<string, { readonly hosts: readonly string[]; readonly children: readonly string[] }>
  >;
  readonly hostvars: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** An answer, or why there is none. */
export type Verdict = Answer | { readonly refused: string };

/** Whether the commands of ansible-core are on the PATH. */
export const hasAnsible = ['ansible', 'ansible-inventory'].every((name) => commandPath(name) !== undefined);

/**
 * A suite that asks Ansible. Without Ansible it is skipped and says so; where CI_REQUIRE_ANSIBLE=1 is set it fails, so
 * that no machine which is to compare forgets to.
 */
export function describeWithAnsible(title: string, body: (this: Mocha.Suite) => void): void {
  if (hasAnsible) describe(title, body);
  else if (process.env.CI_REQUIRE_ANSIBLE === '1') {
    describe(title, () => {
      it('needs ansible-core', () => {
        throw new Error('CI_REQUIRE_ANSIBLE=1 is set, and there is no ansible-inventory on the PATH');
      });
    });
  } else describe.skip(`${title} (skipped: there is no ansible-inventory on the PATH)`, body);
}

/** The files of a question in a folder of their own, which is removed by `dispose`. */
export async function layOut(question: Question) {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'runbook-ansible-')));
  for (const [name, text] of Object.entries(question.files ?? {})) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
    if (typeof text === 'string' && text.startsWith('#!')) await chmod(join(path, name), 0o755);
  }
  if (question.playbookDirectory !== undefined)
    await mkdir(join(path, question.playbookDirectory), { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What `ansible-inventory --list` says about a question; `settings` are further variables of its environment. */
export async function askAnsible(question: Question, settings: NodeJS.ProcessEnv = {}): Promise<Verdict> {
  await using folder = await layOut(question);
  const args = [...optionsOf(folder.path, question), '--list'];
  const { code, stdout, stderr } = await runAnsible('ansible-inventory', folder.path, args, settings);
  return code === 0 ? normalise(parse(stdout) as Listing) : { refused: stderr };
}

/** What `ansible PATTERN --list-hosts` lists, in its order. Raises with Ansible's message when it refuses. */
export async function askAnsibleHosts(question: Question, pattern: string, limit?: string): Promise<string[]> {
  await using folder = await layOut(question);
  const { code, stdout, stderr } = await runAnsible('ansible', folder.path, [
    pattern,
    ...optionsOf(folder.path, question),
    '--list-hosts',
    ...(limit === undefined ? [] : ['--limit', limit]),
  ]);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** What we say about a question. */
export async function askUs(question: Question): Promise<Verdict> {
  await using folder = await layOut(question);
  // Awaited here: the folder is gone once this returns.
  return await askUsIn(folder.path, question);
}

/** What we say about a question whose files are laid out already. */
export async function askUsIn(folder: string, question: Question): Promise<Verdict> {
  try {
    const { inventory } = await loadInventory({
      sources: question.sources.map((source) => placed(folder, source)),
      ...(question.playbookDirectory !== undefined && { playbookDirectory: join(folder, question.playbookDirectory) }),
    });
    return answerOf(inventory);
  } catch (error) {
    if (error instanceof DiagnosticsError) return { refused: error.message };
    throw error;
  }
}

/** One Python process that answers many questions with ansible-core as a library. */
export async function createOracle() {
  const home = await mkdtemp(join(tmpdir(), 'runbook-ansible-'));
  await writeFile(join(home, 'ansible.cfg'), '');
  const script = new URL('ansible-oracle.py', import.meta.url).pathname;
  const child = spawn(await pythonOfAnsible(), [script], {
    env: environment(home),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the Python process ended');
    return parse(value as string);
  };
  return {
    /** As {@link askAnsible}, about files that are laid out already. One question at a time. */
    async inventory(folder: string, { sources, playbookDirectory }: Question): Promise<Verdict> {
      const answer = await ask({
        sources: sources.map((source) => placed(folder, source)),
        playbookDirectory: playbookDirectory === undefined ? null : join(folder, playbookDirectory),
      });
      return isRefusal(answer) ? answer : normalise(answer as Listing);
    },
    /** What Ansible makes of values of an INI inventory; null where that has no form in JSON. */
    async literals(texts: readonly string[]) {
      return (await ask({ literals: texts })) as ({ readonly data: unknown; readonly isTuple: boolean } | null)[];
    },
    /** What YAML 1.1 makes of words; null where it has no form in JSON. */
    async words(texts: readonly string[]) {
      return (await ask({ words: texts })) as ({ readonly data: unknown } | null)[];
    },
    /** The hosts that the first words of lines of INI stand for; null where there is a mistake in one. */
    async names(texts: readonly string[]) {
      return (await ask({ names: texts })) as ({ readonly hosts: string[]; readonly port: number | null } | null)[];
    },
    async [Symbol.asyncDispose]() {
      await ended(child);
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The same form as {@link askAnsible} gives, of an inventory of ours. */
export function answerOf(inventory: Inventory): Answer {
  const groups = [...inventory.groups.values()].map(
    ({ name, ownHosts, children }) => [name, { hosts: name === 'all' ? [] : ownHosts, children }] as const,
  );
  const hostvars = [...inventory.hosts.values()].map(({ name, layers }) => {
    const variables = { ...createScope(layers.map((layer) => layer.variables)) };
    return [name, variables] as const;
  });
  // Through JSON, so that both sides have passed it: -0 is 0, and undefined is absent.
  return JSON.parse(
    JSON.stringify({ groups: Object.fromEntries(groups), hostvars: Object.fromEntries(hostvars) }),
  ) as Answer;
}

/** JSON has a zero below zero, which says nothing. */
function parse(json: string): unknown {
  return JSON.parse(json, (_, value: unknown) => (value === 0 ? 0 : value));
}

export function isRefusal(verdict: unknown): verdict is { readonly refused: string } {
  return typeof verdict === 'object' && verdict !== null && 'refused' in verdict;
}

interface Listing {
  readonly _meta: { readonly hostvars: Record<string, Record<string, unknown>> };
  readonly [group: string]: { readonly hosts?: string[]; readonly children?: string[] } & object;
}

/** `--list` leaves out what is empty; here everything is written out. */
function normalise({ _meta, ...listed }: Listing): Answer {
  const groups: Record<string, { hosts: string[]; children: string[] }> = { all: { hosts: [], children: [] } };
  for (const [name, { hosts = [], children = [] }] of Object.entries(listed)) {
    groups[name] = { hosts, children };
  }
  for (const child of Object.values(groups).flatMap(({ children }) => children)) {
    groups[child] ??= { hosts: [], children: [] };
  }
  const hosts = Object.values(groups).flatMap((group) => group.hosts);
  const hostvars = Object.fromEntries(hosts.map((name) => [name, _meta.hostvars[name] ?? {}]));
  return { groups, hostvars };
}

/** Runs a program of ansible-core in a folder. */
export async function runAnsible(
  command: string,
  folder: string,
  args: readonly string[],
  settings: NodeJS.ProcessEnv = {},
) {
  // Ansible refuses /dev/null as a configuration: it has no extension.
  const home = join(folder, '.ansible-home');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'ansible.cfg'), '');
  return new Promise<{ code: number; stdout: string; stderr: string }>((settle) => {
    // Its working directory would be the playbook's.
    execFile(
      command,
      args,
      { cwd: home, env: { ...environment(home), ...settings }, timeout: 60_000 },
      (error, stdout, stderr) => {
        settle({ code: error ? 1 : 0, stdout, stderr: stderr || String(error ?? '') });
      },
    );
  });
}

/** The environment of a program of ansible-core: nothing but its defaults. */
export function environment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: home,
    LC_ALL: 'C.UTF-8',
    ANSIBLE_CONFIG: join(home, 'ansible.cfg'),
    ANSIBLE_LOCALHOST_WARNING: '0',
    ANSIBLE_NOCOLOR: '1',
    // What it cannot read is a mistake, as it is for us; by itself Ansible warns and goes on without it.
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '1',
  };
}

/** `-i` and `--playbook-dir`, which both sides call by the same names. */
export function optionsOf(folder: string, { sources, playbookDirectory }: Question): string[] {
  return [
    ...sources.flatMap((source) => ['-i', placed(folder, source)]),
    ...(playbookDirectory === undefined ? [] : ['--playbook-dir', join(folder, playbookDirectory)]),
  ];
}

function placed(folder: string, source: string): string {
  return source.includes(',') || isAbsolute(source) ? source : join(folder, source);
}

function commandPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The interpreter that has ansible-core: the one of the command's first line. */
export async function pythonOfAnsible(): Promise<string> {
  const text = await readFile(commandPath('ansible') ?? '', 'utf8');
  return /^#!\s*(\S+)/.exec(text)?.[1] ?? 'python3';
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((settle) => child.once('exit', settle));
  child.stdin?.end();
  await exit;
}

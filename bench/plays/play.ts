import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The same work in three languages, in a folder: playbook.yaml for runbook, ansible.yaml, and something for a shell. */
export interface Play {
  /** The folder's name. */
  readonly name: string;
  readonly tasks: number;
  /** Shell text that takes away what the play makes on a host; `$1` is the host's name, `$2` its root. */
  readonly reset: string;
  /** What a shell does. Undefined: it runs script.sh, whose `$1` and `$2` are those too. */
  readonly shell?: ShellWork;
}

/** A file that is sent to a shell command of the host. */
export interface ShellWork {
  /** In the play's folder. */
  readonly input: string;
  /** In words of the sending shell, where `$1` is the host's name and `$4` its root. */
  readonly command: string;
}

/** Copies a play of bench/plays into the folder of a case. The plays have one file in common, which their scripts hold. */
export async function takePlay(name: string, tasks: number, folder: string): Promise<Play> {
  const into = join(folder, name);
  await cp(fileURLToPath(new URL(name, import.meta.url)), into, { recursive: true });
  await mkdir(join(into, 'files'), { recursive: true });
  const settings = await readFile(new URL('settings.conf', import.meta.url), 'utf8');
  await writeFile(join(into, 'files', 'settings.conf'), settings);
  const script = await readFile(join(into, 'script.sh'), 'utf8');
  await writeFile(
    join(into, 'script.sh'),
    script.replace('@settings.conf@\n', () => settings),
  );
  return { name, tasks, reset: await readFile(join(folder, name, 'reset.sh'), 'utf8') };
}

/** Writes a play into the folder of a case. Its tasks are lines of both languages, which differ in the modules' names alone. */
export async function writePlay(
  folder: string,
  {
    name,
    tasks,
    shell,
    reset = emptyRoot,
  }: Pick<Play, 'name' | 'shell'> & { tasks: readonly string[]; reset?: string },
): Promise<Play> {
  await mkdir(join(folder, name, 'files'), { recursive: true });
  const head = '- hosts: targets\n  gather_facts: false\n  tasks:\n';
  const text = head + tasks.map((task) => `    - ${task}\n`).join('');
  await writeFile(join(folder, name, 'playbook.yaml'), text);
  await writeFile(join(folder, name, 'ansible.yaml'), text);
  return { name, tasks: tasks.length, reset, ...(shell && { shell }) };
}

const emptyRoot = 'rm -rf "$2"\nmkdir -p "$2"\n';

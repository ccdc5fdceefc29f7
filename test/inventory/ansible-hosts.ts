import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { environment, pythonOfAnsible } from './ansible.ts';

/** A host pattern, and a `--limit` where there is one. */
export interface PatternQuestion {
  /** Path of the inventory, within the folder. */
  readonly inventory: string;
  /** A list only where no program is asked. */
  readonly pattern: string | readonly string[];
  readonly limit?: string;
}

/** What Ansible says. `unmatched` are its warnings of terms that name nothing. */
export type PatternAnswer = { readonly unmatched: readonly string[] } & (
  | { readonly hosts: readonly string[] }
  | { readonly error: string }
);

/** What `ansible PATTERN -i INVENTORY --list-hosts` prints, each time the program itself in a process of its own. */
export async function listHostsWithAnsible(
  folder: string,
  questions: readonly PatternQuestion[],
): Promise<readonly PatternAnswer[]> {
  const runs = await ask<{ code: number; stdout: string; stderr: string }>(folder, questions, ['program']);
  return runs.map(({ code, stdout, stderr }) => {
    const unmatched = [...stderr.matchAll(/Could not match supplied host pattern, ignoring: (.*)/g)].map(
      ([, term = '']) => term,
    );
    if (code !== 0) return { error: stderr, unmatched };
    const hosts = stdout
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    return { hosts: hosts.filter((name) => name !== ''), unmatched };
  });
}

/** The same from Ansible's code as a library, which is faster by far. */
export function matchWithAnsible(
  folder: string,
  questions: readonly PatternQuestion[],
): Promise<readonly PatternAnswer[]> {
  return ask<PatternAnswer>(folder, questions);
}

async function ask<T>(
  folder: string,
  questions: readonly PatternQuestion[],
  args: readonly string[] = [],
): Promise<readonly T[]> {
  await writeFile(join(folder, 'ansible.cfg'), '');
  const script = new URL('ansible-hosts.py', import.meta.url).pathname;
  const child = spawn(await pythonOfAnsible(), [script, ...args], {
    cwd: folder,
    env: environment(folder),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(questions));
  const [answers, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (answers === '') throw new Error(problems);
  return JSON.parse(answers) as T[];
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StampedEvent } from '../../engine/base/events.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';
import { type MortalSshd, startSshd } from '../support/sshd.ts';

/** A host reached over a real sshd, which plays can be run on. */
export interface SshBench {
  readonly sshd: MortalSshd;
  /** Where the plays' files are; `DIR` in them. Effects write there, too. */
  readonly folder: string;
  /** Plays `tasks` on the host, which is called `n1`; the files of plays at the same time stand in `place`s of their own. */
  play(
    tasks: string,
    options?: Partial<RunRequest> & { onEvent?: (event: StampedEvent) => void },
    place?: string,
  ): Promise<PlayRun>;
  /** Makes an empty file in the folder. */
  touch(name: string): void;
  /** The lines of a file in the folder; none when it is not there. */
  lines(name: string): string[];
}

/** Starts a host; `modules` are files by name, beside every playbook. */
export function withSshBench(
  body: (bench: SshBench) => Promise<void>,
  options: { readonly modules?: Readonly<Record<string, string>>; readonly path?: string } = {},
): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    // What the host keeps of effects, and its lock: not those of the machine that other tests are on.
    const env = { RUNBOOK_HOST_FOLDER: join(folder, 'host') };
    await using sshd = await startSshd({ env, ...(options.path !== undefined && { path: options.path }) });
    await body({
      sshd,
      folder,
      play: (tasks, playOptions, place = 'main') => {
        const files = { 'hosts.ini': inventoryOf(sshd), 'play.yaml': playbook(tasks), ...options.modules };
        const placed = Object.entries(files).map(([name, text]) => [name, text.replaceAll('DIR', folder)] as const);
        return play(join(folder, place), Object.fromEntries(placed), { hostKeyChecking: 'off', ...playOptions });
      },
      touch: (name) => writeFileSync(join(folder, name), ''),
      lines(name) {
        if (!readdirSync(folder).includes(name)) return [];
        return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
      },
    });
  });
}

function playbook(tasks: string): string {
  return `- hosts: n1\n  gather_facts: false\n  tasks:\n${tasks.replace(/^(?=.)/gm, '    ')}`;
}

function inventoryOf({ port, user, keyFile }: MortalSshd): string {
  const key = `ansible_ssh_private_key_file=${keyFile}`;
  return `n1 ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ${key}\n`;
}

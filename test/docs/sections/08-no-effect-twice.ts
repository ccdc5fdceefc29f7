import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CuttingProxy, createCuttingProxy } from '../../support/cutting-proxy.ts';
import { startSshd, whyNoSshd } from '../../support/sshd.ts';
import type { DocSection, Setting } from '../section.ts';

let proxy: CuttingProxy | undefined;

async function setup(folder: string): Promise<Setting> {
  const sshd = await startSshd({ env: { RUNBOOK_HOST_FOLDER: join(folder, '..', 'host') } });
  const made = await createCuttingProxy('127.0.0.1', sshd.port);
  proxy = made;
  return {
    names: { PORT: String(made.port), KEY: sshd.keyFile, USER: sshd.user },
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
    },
  };
}

/** Cuts the link as soon as an effect says by a file that it runs. */
async function cutWhen(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
  proxy?.cut('before');
}

/** What is told while the link is away, and of the effect before and after. */
function telling(text: string): string {
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return events
    .flatMap(({ type, step, text: wait, rc, description }) => {
      if (type === 'host-connected') return [`connected to ${description}`];
      if (type === 'step-started') return [`started: ${step}`];
      if (type === 'step-ended') return [`ended with ${rc}: ${step}`];
      return type === 'host-task-progress' && String(wait).includes('come back') ? [String(wait)] : [];
    })
    .join('\n');
}

const section: DocSection = {
  title: 'A lost link runs nothing twice',
  whyNot: whyNoSshd,
  setup,
  files: {
    'hosts.ini': `[nodes]
node-1 ansible_host=127.0.0.1 ansible_port=@PORT@ ansible_user=@USER@ ansible_ssh_private_key_file=@KEY@
`,
    'migrate.yaml': `- hosts: nodes
  gather_facts: false
  tasks:
    - name: Migrate the database
      shell:
        cmd: echo migrating >>log; touch running; sleep 1; echo migrated >>log
        chdir: '{{ playbook_dir }}'
`,
  },
  steady: [
    [/waiting for the connection to come back \([^)]*\)/g, 'waiting for the connection to come back (read ECONNRESET)'],
  ],
  parts: [
    `Every effect runs on its host under an id, apart from the link: its output and its exit status are kept there until the
task is recorded (for root below \`/run/runbook\`, for others below \`/tmp\`, in a folder that only they can read). When the link
is lost runbook connects again, after 0, 1, 2, 4 … 30 seconds, for two minutes (\`--reconnect-timeout\`, 0: not at all). Then a
probe is asked again, and of an effect the host is asked by its id: one that runs is waited for, one that ended is not started
again, one that never began is. So a link that goes in the middle of a migration costs time, nothing else:`,
    { file: 'migrate.yaml' },
    { act: (folder) => void cutWhen(join(folder, 'running')) },
    { run: 'runbook play migrate.yaml -i hosts.ini --host-key-checking off --output ndjson', select: telling },
    { run: 'cat log' },
    `Here the link was cut while the script ran. A restart of the host is the one case in which nobody can tell whether an effect
was run: then the task fails with \`effect-unknown\`, and is not run a second time. So does one whose shell was killed on the host.`,
    `A host that is being changed is held (\`flock\` in the same folder) until the run lets go of its connection, and a second run
fails there at once:`,
    { act: hold },
    { run: 'runbook play migrate.yaml -i hosts.ini --host-key-checking off', status: 2 },
    { act: () => letGo() },
  ],
};

let letGo = (): void => {};

/** Holds the host as another run does. */
async function hold(folder: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const lock = join(folder, '..', 'host', 'lock');
  const holder = 'run 20261121T140200Z-3fa9 of ann@ops-1 (process 4711), since 2026-11-21 14:02 UTC';
  const script = `exec 8>>'${lock}'; flock 8; printf 'other\\t${holder}\\t4242\\n' >'${lock}'; echo held; cat`;
  const child = spawn('/bin/sh', ['-c', script], { stdio: 'pipe' });
  letGo = () => child.stdin.end();
  await new Promise((resolve) => child.stdout.once('data', resolve));
}

export default section;

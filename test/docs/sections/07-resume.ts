import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StampedEvent } from '../../../engine/base/events.ts';
import type { DocSection, Setting } from '../section.ts';
import { signalWhen } from '../signal-when.ts';

let site = '';

async function setup(folder: string): Promise<Setting> {
  site = folder;
  return { env: { RUNBOOK_HOST_FOLDER: join(folder, '..', 'host') }, async [Symbol.asyncDispose]() {} };
}

/** The prose says that who resumes a run does not connect to a host that was done. */
function checkConnections(folder: string): void {
  const runs = join(folder, '.runbook', 'runs');
  const lines = readFileSync(join(runs, readdirSync(runs)[0] ?? '', 'events.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  const connected = lines
    .map((line) => JSON.parse(line) as StampedEvent)
    .flatMap((event) => (event.type === 'host-connected' ? [event.host] : []));
  if (connected.join() !== 'web-1,web-2,web-2') throw new Error(`connected: ${connected.join()}`);
}

/** What the health check looks for is another text from now on. */
function rewrite(folder: string, before: string, after: string): void {
  const path = join(folder, 'grow.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(`[grep, ${before}`, `[grep, ${after}`));
}

const section: DocSection = {
  title: 'A run is kept, and can be resumed',
  setup,
  files: {
    'hosts.ini': `[web]
web-1 ansible_connection=local
web-2 ansible_connection=local
[web:vars]
service={{ playbook_dir }}/{{ inventory_hostname }}
`,
    'site.yaml': `- hosts: web
  serial: 1
  gather_facts: false
  tasks:
    - name: Configure the service
      copy: { dest: '{{ service }}/conf', content: "workers 8\\n" }
      notify: Restart the service
    - name: Migrate the database
      shell:
        cmd: echo migrating >>log; touch running; sleep 2; echo migrated >>log; touch migrated
        chdir: '{{ service }}'
        creates: '{{ service }}/migrated'
    - name: The database is whole
      command: { argv: [grep, migrated, '{{ service }}/log'], reads: true }
  handlers:
    - name: Restart the service
      shell: { cmd: 'echo restarted >>log', chdir: '{{ service }}' }
`,
    'grow.yaml': `- hosts: web
  gather_facts: false
  tasks:
    - name: Double the workers
      copy: { dest: '{{ service }}/conf', content: "workers 16\\n" }
      notify: Restart the service
    - name: It will have them
      command: { argv: [grep, workers=16, '{{ service }}/conf'], reads: true }
  handlers:
    - name: Restart the service
      shell: { cmd: 'echo restarted >>log', chdir: '{{ service }}' }
`,
    'web-1/.keep': '',
    'web-2/.keep': '',
  },
  steady: [
    [/BEGAN +/g, 'BEGAN      '],
    [/\d+(?:\.\d+)? (?:ms|s|min \d+ s) ago +/g, '3.2 s ago  '],
  ],
  parts: [
    `A run is kept below the folder that it was started in, in \`.runbook/runs/ID/\`, for its owner alone: \`events.ndjson\` is
all that happened, \`state.ndjson\` what it takes to go on, \`run.json\` what was asked for, with a fingerprint of all that was
read. That an effect is about to start is synced to disk before it starts, and its end before the host forgets the effect. Where
that cannot be written, no further effect is run (\`journal-failed\`). So the controller may die at any moment; here it is killed with
\`kill -9\` while \`web-2\` migrates its database:`,
    { file: 'site.yaml' },
    {
      run: 'runbook play site.yaml -i hosts.ini',
      status: null,
      onLine: signalWhen(() => join(site, 'web-2', 'running'), 'SIGKILL'),
      select: (text) => `${text}Killed`,
    },
    { run: 'runbook runs' },
    { run: 'runbook show last' },
    `\`--host web-2\` tells again all that happened on one host. To resume it is the same run again, of which whatever came to
its end is taken from the record: \`web-1\` is not even connected to. \`web-2\` goes on in the midst of its task. The migration
ran on without the controller; it is found on the host [by its id](#a-lost-link-runs-nothing-twice), waited for, and not
started again. That the task changed the host is not forgotten, nor is the handler that an earlier one notified:`,
    { run: 'runbook resume last' },
    { act: checkConnections },
    { run: 'cat web-2/log' },
    `- A task that was in flight looks at its host again. A loop goes on with the item that it had come to, retries are counted
  on, a lease is taken up with the grant that was recorded.
- A host that failed or was unreachable tries its failed task again; where a rescue was tried in vain, the whole block.
  Handlers that the failure left over run first.
- What tasks registered, variables that they set and hosts that they added are there again. Values that hold a secret are not
  in the record: their tasks are asked again, and where that could not be without an effect, whoever needs them is told so.
- Inventory and options are those of the run. Passwords, and variables of \`-e\` that look secret, are given once more.
- A run that another process works on, one that is done, and a check cannot be resumed.

A run that failed is resumed in the same way, when its reason is gone:`,
    { file: 'grow.yaml' },
    { run: 'runbook play grow.yaml -i hosts.ini -f 1', status: 2 },
    `The mistake is one of the playbook: \`=\` where there is none. But a playbook that was mended is another one than the run was
begun with. Nothing is done before you say that this is meant (\`--changed\`). The same holds for roles, modules, files and
inventories:`,
    { act: (folder) => rewrite(folder, 'workers=16', 'workers 16') },
    { run: 'runbook resume last', status: 5 },
    { run: 'runbook resume last --changed' },
    `Runs are kept until you remove them. \`runbook runs prune\` leaves the latest 20, with \`--keep N\` or \`--older-than 30d\`
others; what can be resumed, or still holds a lease, it leaves in any case, unless you say \`--force\`. After another run that
failed:`,
    { act: (folder) => rewrite(folder, 'workers 16', 'workers=16') },
    { run: 'runbook play grow.yaml -i hosts.ini', status: 2, isHidden: true },
    { run: 'runbook runs' },
    { run: 'runbook runs prune --keep 0' },
  ],
};

export default section;

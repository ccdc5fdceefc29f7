import { join } from 'node:path';
import type { DocSection, Setting } from '../section.ts';
import { signalWhen } from '../signal-when.ts';

let site = '';

async function setup(folder: string): Promise<Setting> {
  site = folder;
  return { env: { RUNBOOK_HOST_FOLDER: join(folder, '..', 'host') }, async [Symbol.asyncDispose]() {} };
}

const begun = (): string => join(site, 'begun');
const first = signalWhen(begun, 'SIGINT');

const section: DocSection = {
  title: 'Ctrl-C comes in three stages',
  setup,
  files: {
    'hosts.ini': '[web]\nweb-1 ansible_connection=local\nweb-2 ansible_connection=local\n',
    'upgrade.yaml': `- hosts: web
  gather_facts: false
  serial: 1
  vars: { seconds: 1 }
  tasks:
    - name: Work on a host that nobody uses
      lease: { name: Out of the pool, hold: { path: '{{ playbook_dir }}/{{ inventory_hostname }}.out' }, on_failure: release }
      block:
        - name: Upgrade
          shell: { cmd: 'touch begun; sleep {{ seconds }}; echo upgraded >>log', chdir: '{{ playbook_dir }}' }
        - name: It works
          command: { argv: [grep, upgraded, log], chdir: '{{ playbook_dir }}', reads: true }
      always:
        - name: Tell the team
          debug: { message: '{{ inventory_hostname }} is as it is' }
`,
    'modules/hold.ts': `import { defineLease, exec, probe, sh } from 'runbook';

export default defineLease({
  name: 'hold',
  summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: () => probe(sh\`true\`, () => null),
  diff: (_current, { path }) => [{ path, before: null, after: 'held' }],
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ grant }) {
    yield exec(sh\`touch \${grant.path}\`);
  },
  *release({ grant }) {
    yield exec(sh\`rm -f \${grant.path}\`);
  },
});
`,
  },
  parts: [
    `The first Ctrl-C starts nothing new and finishes what is in flight. Only what does no work ends early: a drain, further
retries, the time after a batch. Then leases are given back as their \`on_failure\` says: by default a host that was changed and
is not finished keeps its lease, and that is told. The run ends with 130, and says how it is resumed; \`rescue\` and \`always\`
are left for then:`,
    { file: 'upgrade.yaml' },
    { run: 'runbook play upgrade.yaml -i hosts.ini', status: 130, onLine: signalWhen(begun, 'SIGINT') },
    `The second one aborts the tasks in flight, and what they run on hosts is killed. Then comes the clean-up: a module undoes
what it had begun, leases are given back, and tasks of \`rescue\` and \`always\` run that need no host, or another one. The
others are told as not run. Whoever resumes the run does all of it:`,
    { run: 'rm begun', isHidden: true },
    {
      run: 'runbook play upgrade.yaml -i hosts.ini -e seconds=600',
      status: 130,
      onLine: (line, kill) => (line.startsWith('finishing') ? kill('SIGINT') : first(line, kill)),
    },
    `The third one exits at once. What is in flight and what is still held are printed, with the commands that go on with the run
and that give back what is held; an effect that still runs on a host runs on there, and \`runbook resume\` waits for it.

SIGTERM is the first stage with a deadline, since whoever sends it is about to send SIGKILL: after a minute, or \`--grace\`
seconds, the second stage comes by itself. SIGHUP, as of a terminal that is closed, is as good as a Ctrl-C.`,
    { run: 'rm begun', isHidden: true },
    {
      run: 'runbook play upgrade.yaml -i hosts.ini -e seconds=600 --grace 1',
      status: 130,
      onLine: signalWhen(begun, 'SIGTERM'),
    },
    { run: 'test ! -e web-1.out', isHidden: true },
  ],
};

export default section;

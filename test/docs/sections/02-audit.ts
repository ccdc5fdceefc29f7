import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditDocument } from '../../../engine/report/audit/json.ts';
import type { DocSection } from '../section.ts';

const hosts = Array.from({ length: 46 }, (_, i) => `n${String(i + 1).padStart(2, '0')}`);

const section: DocSection = {
  title: 'An audit says what differs, once',
  files: {
    'hosts.ini': `[nodes]
n[01:46]

[nodes:vars]
ansible_connection=local
`,
    'nodes.yaml': `- name: Nodes
  hosts: nodes
  gather_facts: false
  tasks:
    - name: Configure containerd
      config-file:
        path: '{{ playbook_dir }}/{{ inventory_hostname }}/config.toml'
        set: { sandbox_image: registry.k8s.io/pause:3.9 }
    - name: The kubelet's token is there
      command: { cmd: "test -s '{{ playbook_dir }}/{{ inventory_hostname }}/token'", reads: true }
`,
  },
  steady: [
    [/timestamp="[^"]*"/g, 'timestamp="2026-11-21T09:31:00"'],
    [/ time="[\d.]+"/g, ' time="0.041"'],
  ],
  parts: [
    `\`runbook audit\` compares hosts with a playbook: \`play --check --diff\` with another ending. What differs is told once, with
all the hosts that it is so on; so are errors, and what cannot be known before a run with its reason. Then every host with its
standing, equal ones together.`,
    { file: 'nodes.yaml' },
    { act: (folder) => layOut(folder) },
    { run: 'runbook audit nodes.yaml -i hosts.ini', status: 2 },
    `The exit code is that of \`--check\`: 0 nothing differs, 3 something does or cannot be known, 2 a host failed, 4 one was
unreachable and none failed. The same for programs, as [one document](audit.md#json), as JUnit XML, as SARIF, or as events:`,
    {
      run: 'runbook audit nodes.yaml -i hosts.ini --output json',
      status: 2,
      select: (text) => JSON.stringify((JSON.parse(text) as AuditDocument).totals, undefined, 2),
    },
    {
      run: 'runbook audit nodes.yaml -i hosts.ini -l n46 --output junit',
      status: 2,
    },
    `\`--report FILE.html\`, which \`runbook play\` takes too, writes [a page](audit.md#the-page) of hosts × tasks with all diffs.
Where it cannot be written one learns before the first host is contacted:`,
    { run: 'runbook audit nodes.yaml -i hosts.ini --report no/such/folder/drift.html', status: 5 },
    { run: 'runbook audit nodes.yaml -i hosts.ini -l n42 --report drift.html | tail -1; ls drift.html' },
  ],
};

/** 41 nodes with an old image, one without a token. */
async function layOut(folder: string): Promise<void> {
  for (const [i, host] of hosts.entries()) {
    await mkdir(join(folder, host));
    const tag = i < 41 ? '3.6' : '3.9';
    await writeFile(join(folder, host, 'config.toml'), `version = 2\nsandbox_image = "registry.k8s.io/pause:${tag}"\n`);
    await writeFile(join(folder, host, 'token'), host === 'n46' ? '' : 'x\n');
  }
}

export default section;

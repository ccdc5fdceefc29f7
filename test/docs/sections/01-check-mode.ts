import type { DocSection } from '../section.ts';

const section: DocSection = {
  title: 'Check mode tells what a run would do',
  files: {
    'hosts.ini': '[web]\nnode-1 ansible_connection=local\n',
    'site.yaml': `- hosts: web
  handlers:
    - name: Reload
      shell: { cmd: 'true' }
  tasks:
    - name: The folder of the service
      file: { path: "{{ playbook_dir }}/srv", state: directory, mode: "0755" }
    - name: Its configuration, into the folder that is not there yet
      copy: { dest: "{{ playbook_dir }}/srv/service.conf", content: "port = 8080\\n", mode: "0640" }
    - name: The mode that it will have already
      file: { path: "{{ playbook_dir }}/srv/service.conf", state: file, mode: "0640" }
    - name: Make the key
      shell: { cmd: "echo key >{{ playbook_dir }}/srv/key", creates: "{{ playbook_dir }}/srv/key" }
      register: key
    - name: Ask the service
      command: { argv: [cat, "{{ playbook_dir }}/srv/service.conf"], reads: true }
      register: answer
    - name: What depends on the answer
      copy: { dest: "{{ playbook_dir }}/srv/port", content: found }
      when: answer.stdout.contains("8080")
      notify: Reload
    - name: What does not
      debug: { message: the key is new }
      when: key.changed || answer.stdout == ""
`,
    'broken.yaml': `- hosts: web
  tasks:
    - name: A folder that nobody makes
      copy: { dest: "{{ playbook_dir }}/nowhere/x", content: x }
`,
  },
  parts: [
    `\`--check\` asks each host how it is, compares, and stops before the first effect. What it says of a task is one of three
things:

- **ok** or **changed**, with the changes (\`--diff\` shows texts line by line): that is what a run does, if nothing fails in
  it of which check mode did not say so;
- **unknown**, with the reason: what the task needs is made by an effect that was not run;
- **failed**: what would fail in the run. A unit, a path, a user or a group that nobody provides is an error here, too.

Each host has a predicted state: files, folders, links, units, packages, users, groups and an archive's files that earlier
tasks would make, change or remove are seen by the tasks after them. What a result holds that no effect made is unknown, and
so is every condition, loop and template that needs it, but no more than that: \`&&\` and \`||\` are decided by the side that is
known.`,
    { file: 'site.yaml' },
    { run: 'runbook play site.yaml -i hosts.ini --check', status: 3 },
    'The run does what was said, and what was unknown turns out:',
    { run: 'runbook play site.yaml -i hosts.ini' },
    'Then nothing is left to say:',
    { run: 'runbook play site.yaml -i hosts.ini --check' },
    { file: 'broken.yaml' },
    { run: 'runbook play broken.yaml -i hosts.ini --check', status: 2 },
    `What check mode goes by, where something is pending:

- A command that only reads says \`reads: true\` and is run. Once anything is pending on the host its answer may be another
  one then, so it is unknown; \`depends_on: [/etc/x, unit:docker.service]\` says what alone can change it. \`unless\` and
  \`only_if\` are such questions, too. \`creates\` and \`removes\` see predicted paths.
- A command without \`creates\` or \`removes\`, a pending package and an archive that only the host reads may bring what is
  missing so far. What needs it is unknown ("package docker.io is pending: whether it provides unit docker.service is not
  known") and not an error. What is there is taken to stay as it is, and what a task makes is taken to be made by it: a
  command that changes what other tasks manage should say so.
- A task of which it is unknown whether it runs is still looked at: what it may change is unknown to the tasks after it.
- A wait that belongs to a change (\`stable_for\` and \`settled_when\` of \`systemd\`) is part of that change. One that stands
  alone, as a \`wait-for\`, is asked once, and is unknown while it is not so.`,
  ],
};

export default section;

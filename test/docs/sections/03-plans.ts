import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DocSection } from '../section.ts';

/** A plan without its digests, which nobody reads. */
function readable(text: string): string {
  const body = text.split('\n').filter((line) => !/^ +- [0-9a-f]{16} |^ +pending:$/.test(line));
  const end = body.findIndex((line) => line.startsWith('fingerprint:'));
  return [...body.slice(0, end), '# … the fingerprint of all that was read, and the seal'].join('\n');
}

const section: DocSection = {
  title: 'Saved plans',
  files: {
    'hosts.ini': '[web]\nweb-1 ansible_connection=local\nweb-2 ansible_connection=local\n',
    'site.yaml': `- hosts: web
  vars: { port: 8080, conf: "{{ playbook_dir }}/{{ inventory_hostname }}.conf" }
  tasks:
    - name: Write the configuration
      copy:
        dest: "{{ conf }}"
        content: |
          listen {{ port }}
          workers 4
      notify: Restart
  handlers:
    - name: Restart
      shell: { cmd: "echo restarted >> {{ conf }}.log" }
`,
    'web-1.conf': 'listen 80\nworkers 4\n',
    'web-2.conf': 'listen 80\nworkers 4\n',
  },
  steady: [
    // Hosts work side by side.
    [/^(.*)\[web-2\](.*)\n\1\[web-1\]\2$/gm, '$1[web-1]$2\n$1[web-2]$2'],
    [/made \S+ by .* from/, 'made 2026-01-02T03:04:05Z by ada on controller from'],
    [/^( {2}at: ).*$/m, '$12026-01-02T03:04:05Z'],
    [/^( {2}by: ).*$/m, '$1ada on controller'],
    [/\b\d{8}T\d{6}Z-[0-9a-f]{4}\b/g, '20260102T030405Z-3fa9'],
  ],
  parts: [
    'A plan is check mode in a file: what would be done on which host, to be read, agreed on, and then done as it is.',
    { file: 'site.yaml' },
    { run: 'runbook plan site.yaml -i hosts.ini -o upgrade.yaml', status: 3 },
    { file: 'upgrade.yaml', select: readable },
    `The plan holds no secret: secret values are not in it, those of \`-e\` are given once more to \`runbook apply\`, and what a
plan has to compare it has as digests that need the key \`.runbook/key\` of the folder it was made in. The file is for its
owner alone (0600). Edited by hand it is refused.

\`runbook apply\` first looks at everything that the plan was made of: playbooks, roles, variables, templates, files, modules,
inventories and what their programs said, \`-e\`, answers to prompts, and the engine. What differs is named, and nothing is
contacted:`,
    {
      act: (folder) =>
        writeFileSync(
          join(folder, 'site.yaml'),
          readFileSync(join(folder, 'site.yaml'), 'utf8').replace('8080', '9090'),
        ),
    },
    { run: 'runbook apply upgrade.yaml', status: 5 },
    {
      act: (folder) =>
        writeFileSync(
          join(folder, 'site.yaml'),
          readFileSync(join(folder, 'site.yaml'), 'utf8').replace('9090', '8080'),
        ),
    },
    `Then it does what the plan says. Just before a task acts it looks at the host once more. Here somebody has changed
\`web-2\` since:`,
    { act: (folder) => writeFileSync(join(folder, 'web-2.conf'), 'listen 80\nworkers 16\n') },
    { run: 'runbook apply upgrade.yaml', status: 2 },
    `\`web-2\` was not touched: \`state-moved\` is a failure that neither \`ignore_errors\` nor a rescue turns into a success, and
the failure budget counts it. The same holds when what was planned is done already, when a condition or the items of a
loop are no more what they were, and when a host comes to its end without all that was planned.

- What the plan calls \`unknown\` is decided when it is applied, and told as "(was unknown in the plan)". \`run_id\` and
  \`check_mode\` are unknown to a plan.
- What an earlier task of the same run did is no move. Behind a task of which nobody can say all that it changes (a
  command, a package, a unit) what is there *before* may be its doing: from there on it counts what a task would make of
  it, and that something is to be done at all.
- What a lease finds (the pods of a node) is not compared: it is another thing every minute.
- Hosts that failed or were unreachable when the plan was made are in it as such, and are left out.
- Handlers run as in the plan. A rescue runs when something fails, whatever the plan says of it.
- An apply that was interrupted is resumed with \`runbook resume\`, under the same plan.
- A plan older than a day is applied with a warning.`,
  ],
};

export default section;

import type { DocSection } from '../section.ts';

const section: DocSection = {
  title: 'A run stops before it has broken too much',
  files: {
    'hosts.ini': `[web]
web-1 release=2
web-2 release=2
web-3 release=2
web-4 release=2 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_password=x
web-5 release=bad
web-6 release=2
web-7 release=2
web-8 release=2

[web:vars]
ansible_connection=local
`,
    'release.yaml': `- hosts: web
  gather_facts: false
  serial: 2
  max_failures: 2
  tasks:
    - name: The release unpacks
      command: { argv: [test, '{{ release }}', '!=', bad], reads: true }
`,
    'canary.yaml': `- hosts: web-1,web-2,web-3,web-6
  gather_facts: false
  serial: [1, "100%"]
  bake:
    seconds: 1
    tasks:
      - name: No errors since the release
        shell: { cmd: 'echo 17 errors in the log >&2; exit 1', reads: true }
  tasks:
    - name: The release is there
      file: { path: '{{ playbook_dir }}/{{ inventory_hostname }}', state: directory }
`,
  },
  steady: [[/"seq":\d+/, '"seq":28']],
  parts: [
    `Down is a host that failed, that is unreachable, whose task timed out, or that was rolled back. All of them count, over
the batch and over all plays of the run so far, whatever the strategy. \`max_failures: N\` is a number of hosts,
\`max_fail_percentage: P\` a share of them, \`any_errors_fatal: true\` is \`max_failures: 1\`; \`--max-failures\` and
\`--max-fail-percentage\` say the same for every play, and the lower one counts. To reach a limit is enough.

A stop starts no further host and no further play. Hosts in flight are never cut off: they finish, or go through their
\`rescue\` and \`always\`. While a host is in its rescue it counts as down, so that nothing is started that would have to be
stopped a moment later.`,
    { file: 'release.yaml' },
    { run: 'runbook play release.yaml -i hosts.ini -f 1', status: 6 },
    'The numbers are in the events, too, for whoever watches many runs:',
    {
      run: 'runbook play release.yaml -i hosts.ini -f 1 --output ndjson',
      status: 6,
      select: (text) =>
        text
          .split('\n')
          .filter((line) => line.includes('"type":"stopping"'))
          .join('\n'),
    },
    `With \`serial: { window: N }\`, N hosts are in flight, and a host that ends, well or not, frees its place. The hosts of the
play are then one batch, as far as a percentage is concerned. \`max_per_group: { by: zone, n: 1 }\` holds beside all of it.

What a release breaks is not always seen at once. \`bake\` waits after a batch, then runs a health gate on its hosts. One that
fails stops the run, whatever the budget says. The first Ctrl-C ends the wait; check mode says what would be waited for and
run.`,
    { file: 'canary.yaml' },
    { run: 'runbook play canary.yaml -i hosts.ini -f 1', status: 6 },
  ],
};

export default section;

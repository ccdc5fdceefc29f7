import type { DocSection } from '../section.ts';

const section: DocSection = {
  title: 'What was done is looked at, and what was undone is called so',
  files: {
    'hosts.ini': '[web]\nweb-1\nweb-2\n[web:vars]\nansible_connection=local\n',
    'modules/motd.ts': `import { defineModule, exec, probe, sh } from 'runbook';

// It writes to the wrong file: such things happen.
export default defineModule({
  name: 'motd',
  summary: 'Keeps a message of the day',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['path', 'text'],
    properties: { path: { type: 'string' }, text: { type: 'string' } },
  },
  probe: ({ path }) => probe(sh\`cat \${path} 2>/dev/null || :\`, ({ stdout }) => stdout.trim()),
  diff: (current, { text }) => (current === text ? [] : [{ path: 'text', before: current, after: text }]),
  *apply({ args }) {
    yield exec(sh\`echo \${args.text} >\${args.path}.new\`);
  },
});
`,
    'motd.yaml': `- hosts: web-1
  gather_facts: false
  tasks:
    - name: The message
      motd: { path: '{{ playbook_dir }}/motd', text: hello }
`,
    'switch.yaml': `- hosts: web
  gather_facts: false
  tasks:
    - block:
        - name: Switch over
          shell: { cmd: 'ln -sfn new {{ inventory_hostname }}', chdir: '{{ playbook_dir }}' }
        - name: It answers
          command: { argv: [test, '{{ inventory_hostname }}', '=', web-2], reads: true }
      rescue:
        - name: Switch back
          file: { path: '{{ playbook_dir }}/{{ inventory_hostname }}', state: link, target: old, force: true }
        - meta: rolled_back
    - name: Next
      debug: { message: it goes on }
`,
  },
  parts: [
    `After the effects of a resource, the host is probed and compared again. What still differs is a failure, with the
difference. No module can leave this out; it can only say why nobody can tell, and then the recap says so.`,
    { run: 'runbook play motd.yaml -i hosts.ini -f 1', status: 2 },
    `A rescue that puts a host back as it was ends with \`meta: rolled_back\`. The host is then neither rescued nor merely failed:
it ends the run as \`rolled-back\`, with the failure that led there. It counts in the failure budget, handlers that it had
notified are forgotten (what they were for is undone), and a lease around follows its \`on_failure\` as after any failure. The
exit code is 7 when a host was rolled back and none failed or was unreachable.`,
    { file: 'switch.yaml' },
    { run: 'runbook play switch.yaml -i hosts.ini -f 1', status: 7 },
  ],
};

export default section;

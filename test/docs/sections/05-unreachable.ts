import type { DocSection } from '../section.ts';

const section: DocSection = {
  title: 'An unreachable host is an ordinary failure',
  files: {
    'hosts.ini': `[web]
web-1 ansible_connection=local
web-2 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_password=x
`,
    'pool.txt': 'web-1\nweb-2\n',
    'release.yaml': `- hosts: web
  gather_facts: false
  tasks:
    - name: Release
      block:
        - name: The release is there
          file: { path: '{{ playbook_dir }}/release', state: directory }
      rescue:
        - name: Keep what it said
          command: { argv: [journalctl, -u, web, -n, "50"], reads: true }
        - name: Out of the pool
          shell: { cmd: 'sed -i "/^{{ inventory_hostname }}$/d" pool.txt', chdir: '{{ playbook_dir }}' }
          delegate_to: localhost
    - name: Next
      debug: { message: it goes on }
`,
  },
  parts: [
    `Where a host cannot be reached, or its link is lost for good, its \`rescue\` and \`always\` run like after any other failure:
what needs only the controller or another host is done. What needs the host itself is not tried again; it is told as not
run. \`failed_task\` and \`failed_result\` say what happened (\`failed_result.code\` is \`unreachable\`).`,
    { file: 'release.yaml' },
    { run: 'runbook play release.yaml -i hosts.ini -f 1', status: 4 },
    { run: 'cat pool.txt' },
    `A host is \`rescued\` only when no task of the rescue was left out in this way. Then it goes on, and the next task that needs
it connects anew: it may be there again. If it is not, it is unreachable. A host that is not rescued stays \`unreachable\` in
the recap whatever else went wrong in its rescue, and takes no part in later tasks. With \`force_handlers\`, its handlers run
likewise; those that need it stay notified. A lease that the controller holds is given back.`,
  ],
};

export default section;

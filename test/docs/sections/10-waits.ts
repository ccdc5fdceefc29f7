import type { DocSection } from '../section.ts';

const section: DocSection = {
  title: 'Every wait has a deadline and a reason',
  files: {
    'hosts.ini': '[web]\nnode-1 ansible_connection=local\n',
    'wait.yaml': `- hosts: web
  tasks:
    - name: Wait for the API
      wait-for:
        path: /nonexistent/api.sock
        timeout: 12
`,
  },
  steady: [[/, 1[0-2](\.\d)? s of/g, ', 10 s of']],
  parts: [
    'Nothing in a run waits without an end, and nobody has to guess what for.',
    { file: 'wait.yaml' },
    { run: 'runbook play wait.yaml -i hosts.ini', status: 2 },
  ],
};

export default section;

import { createServer, type Socket } from 'node:net';
import type { DocSection, Setting } from '../section.ts';

const section: DocSection = {
  title: 'Every wait has a deadline and a reason',
  files: {
    'hosts.ini': `[web]
node-1 ansible_connection=local
[edge]
edge-[1:4] ansible_host=127.0.0.1 ansible_port=@22@ ansible_user=ops ansible_password=x
`,
    'wait.yaml': `- hosts: all
  tasks:
    - name: The API answers
      wait-for:
        socket: /run/api.sock
        timeout: 13
`,
  },
  setup: deafHost,
  steady: [
    [/, 1[0-2] s of/g, ', 10 s of'],
    [/handshake\), 10 s of 1[12] s/g, 'handshake), 10 s of 11 s'],
    // Who began a few milliseconds earlier comes first.
    [/^(4 hosts: .*)\n(node-1: .*)$/m, '$2\n$1'],
    [/waited 13\.\d s/g, 'waited 13.0 s'],
    [/within 11\.\d s/g, 'within 11.0 s'],
  ],
  parts: [
    `Nothing in a run waits without an end: connecting (20 s, \`--timeout\`), becoming another user (15 s), asking a host
about its state (60 s), every task (an hour, or its \`timeout\`), a link that was lost (\`--reconnect-timeout\`), an inventory
program (2 min), a download on the controller (30 min). Waiting for a turn under \`throttle\`, \`--forks\` or \`run_once\` ends
with the others' deadlines.

And nobody has to guess what for. At a terminal the rows at the bottom show it. Where lines scroll by, in a pipe, in CI and
above those rows, ten seconds of silence are broken by what is waited for, by whom, since when, and until when; again every
30 s, and sooner when the reason changes. Hosts that wait for the same are told together. Here \`edge-1\` to \`edge-4\` are
machines whose sshd accepts connections and then says nothing:`,
    { file: 'wait.yaml' },
    { run: 'runbook play wait.yaml -i hosts.ini --timeout 11', status: 2 },
    `In \`--output ndjson\` the same is in \`host-task-progress\` (\`text\`, \`sinceMs\`, \`deadlineMs\`; an empty \`text\` when it
is over), in \`step-started\` (\`deadlineMs\`), and in \`run-waiting\` for what no host in particular waits for.`,
  ],
};

export default section;

/** Something that accepts connections and never says a word. */
async function deafHost(): Promise<Setting> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    names: { 22: String(address.port) },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

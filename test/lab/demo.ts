import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * `npm run demo`: the main job on three real nodes, watched. Checks, moves them from Docker to containerd, and shows that
 * a second run finds nothing to do. Where the lab cannot run it plays `playbooks/hello.yaml` on this machine instead.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Command {
  readonly words: readonly string[];
  readonly expected: readonly number[];
}

const runbook = (...args: string[]): Command => ({
  words: [process.execPath, 'bin/runbook.cjs', ...args],
  expected: [0],
});
const lab = (...args: string[]): Command => ({
  words: [process.execPath, '--import', 'tsx', 'test/lab/cli.ts', ...args],
  expected: [0],
});
const inventory = 'inventories/lab.ini';
const playbook = 'playbooks/containerd.yaml';

async function main(): Promise<void> {
  const reason = whyNoLab();
  if (reason !== undefined) {
    title(`No lab here: ${reason}. A small playbook on this machine instead`);
    await run(runbook('play', 'playbooks/hello.yaml', '-i', 'localhost,', '--diff'));
    title('Once more: nothing is left to do');
    await run(runbook('play', 'playbooks/hello.yaml', '-i', 'localhost,'));
    return;
  }
  title('Three Debian nodes with systemd, sshd, Docker 20.10 and containerd 1.6');
  await run(lab('reset'));
  await nodes('before');
  title('What would be done (exit code 3: something differs)');
  await run({ ...runbook('play', playbook, '-i', inventory, '--check', '--diff'), expected: [3] });
  title('Do it, one node at a time');
  await run(runbook('play', playbook, '-i', inventory));
  await nodes('after');
  title('Once more: nothing is left to do');
  await run(runbook('play', playbook, '-i', inventory));
  await nodes('still');
  process.stdout.write('\nThe nodes are still up: `npm run lab -- ssh node-1`; `npm run lab -- down` stops them.\n');
}

/** Why this machine cannot boot nodes, or undefined when it can. */
function whyNoLab(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version')) return 'nodes are booted on Debian only';
  if (process.getuid?.() !== 0) return 'booting nodes needs root';
  return undefined;
}

async function nodes(when: string): Promise<void> {
  title(`kubectl get nodes -o wide, ${when}`);
  await run(lab('kubectl', 'get', 'nodes', '-o', 'wide'));
}

/** Runs a command in this terminal; any other exit code than the expected ones ends the demo with it. */
function run({ words, expected }: Command): Promise<void> {
  const [program = '', ...args] = words;
  process.stdout.write(`$ ${words.map((word) => (word === process.execPath ? 'node' : word)).join(' ')}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== null && expected.includes(code)) return resolve();
      process.stderr.write(`\nThe demo ends here: exit code ${code}, expected ${expected.join(' or ')}.\n`);
      process.exit(code ?? 1);
    });
  });
}

function title(text: string): void {
  process.stdout.write(`\n── ${text} ${'─'.repeat(Math.max(3, 90 - text.length))}\n\n`);
}

await main();

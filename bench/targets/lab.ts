import { readdirSync, readFileSync, statSync } from 'node:fs';
import { errorMessage } from '../../engine/base/errors.ts';
import { brokenNodes, down, up } from '../../test/lab/lab.ts';
import { type LabNode, labNodes } from '../../test/lab/node/nodes.ts';
import { paths } from '../../test/lab/settings.ts';
import { hostKeyPath, ssh } from '../../test/lab/ssh.ts';
import { readState } from '../../test/lab/state.ts';
import { givePython } from './python.ts';
import type { Targets } from './targets.ts';

/** Does something while a lab is up: the one that is, or one that is booted for it and stopped again. */
export async function withLab(work: () => Promise<void>): Promise<void> {
  if (readState() !== undefined) return work();
  try {
    await up(3);
  } catch (error) {
    console.log(`no lab: ${errorMessage(error)}\n`);
    // What needs no nodes can be measured without them.
    await down().catch((mess) => console.log(`what is there of it stays: ${errorMessage(mess)}\n`));
    return work();
  }
  try {
    await work();
  } finally {
    await down();
  }
}

/** Why there are no nodes to work on, or undefined when there are. */
export async function whyNoLab(): Promise<string | undefined> {
  const state = readState();
  if (state === undefined || state.nodeCount < 3) return 'no lab with 3 nodes is up (npm run lab -- up)';
  const broken = await brokenNodes(state.nodeCount);
  return broken.length === 0 ? undefined : `${broken.join(', ')} of the lab cannot be reached`;
}

/** The first nodes of the lab that is up; with Python on them when Ansible is to work there. */
export async function labTargets(count: number, needsPython: boolean): Promise<Targets> {
  const nodes = labNodes(count);
  if (needsPython) await givePython(nodes);
  return {
    description: `${count} lab nodes`,
    hosts: nodes.map((node) => ({
      name: node.name,
      address: node.address,
      port: 22,
      hostKey: readFileSync(`${hostKeyPath(node)}.pub`, 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' '),
      root: '/',
    })),
    keyFile: paths.key,
    serverPids: nodes.flatMap(serversOf),
    async logins() {
      const texts = await Promise.all(nodes.map((node) => onNode(node, loginsScript)));
      return new Map(texts.flatMap(loginsIn));
    },
    async execute(script) {
      await Promise.all(nodes.map((node) => onNode(node, `set -- ${node.name} /\n${script}`)));
    },
  };
}

/** journalctl has status 1 where nobody has logged in, which is an answer. */
const loginsScript = 'journalctl -u ssh -o short-unix --no-pager -S -1h -g "Accepted publickey" || true';

async function onNode(node: LabNode, script: string): Promise<string> {
  const { code, stdout, stderr } = await ssh(node, 'sh -s', { input: script });
  if (code !== 0) throw new Error(`${node.name}: exit status ${code}\n${stderr}`);
  return stdout;
}

/** `1795286876.287991 node-1 sshd[1252]: Accepted publickey for root from 10.88.0.1 port 40382 ssh2: …` */
function loginsIn(journal: string): [number, number][] {
  const lines = journal.matchAll(/^([\d.]+) .*Accepted publickey for \S+ from \S+ port (\d+) /gm);
  return [...lines].map(([, seconds, port]) => [Number(port), Number(seconds) * 1000]);
}

/** The servers that listen inside of a node: the processes whose root is the node's. */
function serversOf({ root }: LabNode): number[] {
  const { dev, ino } = statSync(root);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('[listener]')) return false;
        const at = statSync(`/proc/${pid}/root/`);
        return at.dev === dev && at.ino === ino;
      } catch {
        return false;
      }
    });
}

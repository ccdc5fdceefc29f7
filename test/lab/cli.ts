import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { apiServerUrl } from './control-plane.ts';
import { LabFailure } from './failure.ts';
import { findProgram } from './host-packages.ts';
import { brokenNodes, down, reset, up } from './lab.ts';
import { labNodes } from './node/nodes.ts';
import { readyRuntime } from './services.ts';
import { artifactPort, bridge, opsUser, paths, stateDir } from './settings.ts';
import { sshArguments } from './ssh.ts';
import { isRunning, readState } from './state.ts';

const usage = `usage: npm run lab -- COMMAND

  up [--nodes N]       boot N nodes (default 3) with Docker, an API server and a file server
  down                 stop everything, also what a crash left behind
  reset                fresh disks for all nodes, first objects for the API server
  status               what runs; exit code 0 when all of it does, 3 when not
  ssh NODE [COMMAND]   a shell or a command on a node
  kubectl ARGS…        kubectl against the lab
  env                  paths and addresses as shell assignments
`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof LabFailure) process.stderr.write(`lab: ${error.message}\n`);
  else process.stderr.write(`lab: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof LabFailure ? error.exitCode : 1;
}

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'up':
      await up(nodeCount(rest));
      return 0;
    case 'down':
      await down();
      return 0;
    case 'reset':
      await reset();
      return 0;
    case 'status':
      return status();
    case 'ssh':
      return openSsh(rest);
    case 'kubectl':
      return kubectl(rest);
    case 'env':
      return printEnvironment();
    default:
      throw new LabFailure(`${command === undefined ? 'no command' : `unknown command ${command}`}\n${usage}`, 5);
  }
}

function nodeCount(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { nodes: { type: 'string', default: '3' } } });
  const count = Number(values.nodes);
  if (!Number.isInteger(count) || count < 1 || count > 40)
    throw new LabFailure('--nodes takes a number from 1 to 40', 5);
  return count;
}

async function status(): Promise<number> {
  const state = readState();
  if (state === undefined) {
    process.stdout.write('no lab is up\n');
    return 3;
  }
  const broken = await brokenNodes(state.nodeCount);
  const lines = await Promise.all(
    labNodes(state.nodeCount).map(async ({ name, address }) => {
      const reach = broken.includes(name) ? 'no ssh' : 'ssh ok';
      return `${name}  ${address}  ${reach}  ${(await readyRuntime(name)) ?? 'not Ready'}\n`;
    }),
  );
  const services = isRunning(state.services) ? `running, process ${state.services.pid}` : 'not running';
  process.stdout.write(`${lines.join('')}services  ${services}\n`);
  return broken.length === 0 && isRunning(state.services) ? 0 : 3;
}

function openSsh([name, ...command]: readonly string[]): number {
  const node = labNodes(readState()?.nodeCount ?? 0).find((candidate) => candidate.name === name);
  if (node === undefined) throw new LabFailure(`no such node: ${name ?? '(none given)'}`, 5);
  const { status } = spawnSync('ssh', [...sshArguments(node), ...command], { stdio: 'inherit' });
  return status ?? 255;
}

function kubectl(args: readonly string[]): number {
  const program = findProgram('kubectl');
  if (program === undefined) throw new LabFailure('there is no kubectl; `up` installs it', 5);
  return spawnSync(program, ['--kubeconfig', paths.kubeconfig, ...args], { stdio: 'inherit' }).status ?? 1;
}

function printEnvironment(): number {
  const values = {
    KUBECONFIG: paths.kubeconfig,
    RUNBOOK_LAB_DIR: stateDir,
    LAB_INVENTORY: paths.inventory,
    LAB_SSH_KEY: paths.key,
    LAB_KNOWN_HOSTS: paths.knownHosts,
    LAB_API: apiServerUrl(),
    LAB_ARTIFACTS: `http://${bridge.address}:${artifactPort}`,
    LAB_OPS_USER: opsUser.name,
    LAB_OPS_PASSWORD: opsUser.password,
  };
  for (const [name, value] of Object.entries(values)) process.stdout.write(`export ${name}='${value}'\n`);
  return 0;
}

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Artifacts, ensureArtifacts } from './archive/releases.ts';
import { realPrograms } from './control-plane.ts';
import { ensureHostPackages } from './host-packages.ts';
import { writeInventory } from './inventory-file.ts';
import { kubeletProgram } from './kubelet/build.ts';
import { createBridge, removeBridge } from './network.ts';
import { nodesWithCgroups } from './node/cgroups.ts';
import { awaitNode, bootNode, destroyNode, type Loans } from './node/machine.ts';
import { type LabNode, labNodes } from './node/nodes.ts';
import { ensureRootFs, rootFsPaths } from './node/root-fs.ts';
import { say, waitFor } from './progress.ts';
import { podsRun, readyRuntime, startServices, stopServices } from './services.ts';
import { paths, stateDir } from './settings.ts';
import { ensureKeys, ssh } from './ssh.ts';
import { isRunning, readState, writeState } from './state.ts';

/** Brings the lab up, or does nothing when it is up with that many nodes. */
export async function up(nodeCount: number): Promise<void> {
  if (realPrograms() !== undefined) say('KUBE_BIN_DIR: the stand-ins give way to real programs');
  await ensureHostPackages();
  const state = readState();
  if (state !== undefined) {
    if (state.nodeCount === nodeCount && (await brokenNodes(nodeCount)).length === 0 && isRunning(state.services)) {
      say(`the lab is up already (${nodeCount} nodes)`);
      writeInventory(labNodes(nodeCount), artifacts());
      return;
    }
    say('a lab with other nodes or a broken one is there: taking it down first');
    await down();
  } else {
    await stopServices();
    await destroyLeftovers();
  }

  await ensureRootFs();
  const releases = artifacts();
  const nodes = labNodes(nodeCount);
  await ensureKeys(nodes);
  await createBridge();
  await startAfresh(nodeCount, releases);
  writeInventory(nodes, releases);
  await bootAll(nodes, releases);
}

/** Takes the lab down, also one that an interrupted `up` or a crash left in pieces. */
export async function down(): Promise<void> {
  await stopServices();
  await destroyLeftovers();
  await removeBridge();
  rmSync(paths.state, { force: true });
  say('the lab is down');
}

/** Gives every node a fresh disk with Docker, and the API server its first objects; boots the lab if none is up. */
export async function reset(): Promise<void> {
  const state = readState();
  // With no lab there is nothing to reset, and a new one is what was asked for.
  if (state === undefined || !isRunning(state.services)) return up(state?.nodeCount ?? 3);
  const releases = artifacts();
  await stopServices();
  await destroyLeftovers();
  await startAfresh(state.nodeCount, releases);
  // Another checkout may have booted the lab: this one has no inventory yet.
  writeInventory(labNodes(state.nodeCount), releases);
  await bootAll(labNodes(state.nodeCount), releases);
}

/** The nodes that do not answer over ssh. */
export async function brokenNodes(nodeCount: number): Promise<string[]> {
  const answers = await Promise.all(
    labNodes(nodeCount).map(async (node) => {
      const answers = existsSync(paths.key) && (await ssh(node, 'true', { timeoutMs: 5000 })).code === 0;
      return answers ? undefined : node.name;
    }),
  );
  return answers.filter((name) => name !== undefined);
}

/** The release archives of this root file system. */
export function artifacts(): Artifacts {
  const { rootFs, artifacts: dir } = rootFsPaths();
  return ensureArtifacts(rootFs, dir);
}

async function startAfresh(nodeCount: number, releases: Artifacts): Promise<void> {
  // Remembered before anything runs, so that an interrupted start is known to have begun.
  writeState({ nodeCount });
  writeState({ nodeCount, services: await startServices(nodeCount, releases.dir) });
}

async function bootAll(nodes: readonly LabNode[], releases: Artifacts): Promise<void> {
  say(`booting ${nodes.map(({ name }) => name).join(', ')}`);
  const kubelet = await kubeletProgram();
  const loans = nodeLoans(releases);
  await Promise.all(nodes.map((node) => bootNode(node, nodes, kubelet, loans)));
  await Promise.all(nodes.map((node) => awaitNode(node, 60_000)));
  if (realPrograms() !== undefined) {
    // The stand-in kubelet loads images by itself; a real one would ask a registry that is not there.
    const load = 'for image in /opt/runbook-lab/images/*.tar; do docker load -qi "$image"; done';
    await Promise.all(nodes.map((node) => ssh(node, load)));
  }
  say('systemd and Docker run; waiting for the nodes to be Ready');
  for (const { name } of nodes) {
    await waitFor(`${name} to be Ready`, 60_000, async () => readyRuntime(name));
  }
  await waitFor('all pods to run', 60_000, async () => ((await podsRun()) ? true : undefined));
  say(`the lab is up; inventory: ${paths.inventory}`);
}

/** The stand-in kubelet's interpreter is this one, so that nothing has to be fetched; and the images it may "pull". */
function nodeLoans(releases: Artifacts): Loans {
  return {
    node: process.execPath,
    'images/pause-3.6.tar': join(releases.dir, 'pause-3.6.tar'),
    'images/workload.tar': join(releases.dir, 'workload.tar'),
  };
}

async function destroyLeftovers(): Promise<void> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const withDisk = existsSync(paths.nodes) ? readdirSync(paths.nodes) : [];
  const names = [...new Set([...withDisk, ...nodesWithCgroups()])];
  await Promise.all(names.map((name) => destroyNode({ name, dir: join(paths.nodes, name) })));
}

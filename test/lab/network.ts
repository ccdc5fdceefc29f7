import { attempt, run } from './run.ts';
import { bridge } from './settings.ts';

/** The bridge between the nodes and this machine. This machine forwards nothing: the nodes see only the lab. */
export async function createBridge(): Promise<void> {
  const exists = (await attempt('ip', ['link', 'show', bridge.name])).code === 0;
  if (!exists) await run('ip', ['link', 'add', bridge.name, 'type', 'bridge']);
  await run('ip', ['address', 'replace', `${bridge.address}/${bridge.prefixLength}`, 'dev', bridge.name]);
  await run('ip', ['link', 'set', bridge.name, 'up']);
}

/** Removes the bridge, and the nodes' ends that a crash left on it. */
export async function removeBridge(): Promise<void> {
  await attempt('ip', ['link', 'delete', bridge.name]);
}

/** Removes the end of a node's cable that a crash left here: nspawn does not boot while the name is taken. */
export async function removeCable(nodeName: string): Promise<void> {
  await attempt('ip', ['link', 'delete', cableName(nodeName)]);
}

/** Takes a node off the network, or puts it back. */
export async function setCable(nodeName: string, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['link', 'set', cableName(nodeName), state]);
}

/** The end of a node's cable on this machine, as nspawn names it. */
export function cableName(nodeName: string): string {
  return `vb-${nodeName}`;
}

import { expect } from 'chai';
import { lab } from '../rig.ts';

/** What a migration does to a node's services, by its own journal: counted in an undisturbed run. */
export type UnitCounts = Readonly<Record<string, number>>;

/**
 * How often the services of a node were started and stopped since its boot. Whatever runbook believes: a restart that was
 * done twice is there twice.
 */
export async function unitCounts(node: string): Promise<UnitCounts> {
  const units = ['docker.service', 'docker.socket', 'containerd.service', 'kubelet.service'];
  // SD_MESSAGE_UNIT_STARTED and SD_MESSAGE_UNIT_STOPPED, of sd-messages.h.
  const jobs = new Map([
    ['39f53479d3a045ac8e11786248231fbf', 'started'],
    ['9d1aaa27d60140bd96365438aad20286', 'stopped'],
  ]);
  const matches = [...jobs.keys()].map((id) => `MESSAGE_ID=${id}`).join(' ');
  const lines = (await lab.ssh(node, `journalctl -b -o json ${matches}`)).split('\n').filter(Boolean);
  const counts: Record<string, number> = {};
  for (const line of lines) {
    // The journal's own fields (systemd.journal-fields(7)).
    const { UNIT, MESSAGE_ID } = JSON.parse(line) as { UNIT?: string; MESSAGE_ID?: string };
    if (UNIT === undefined || !units.includes(UNIT)) continue;
    const key = `${UNIT} ${jobs.get(MESSAGE_ID ?? '')}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort());
}

/** What one undisturbed migration adds to these counts. */
export const ofOneMigration: UnitCounts = {
  'containerd.service started': 1,
  'containerd.service stopped': 1,
  'docker.service stopped': 1,
  'docker.socket stopped': 1,
  'kubelet.service started': 1,
  'kubelet.service stopped': 1,
};

/** What was added to counts. */
export function added(now: UnitCounts, before: UnitCounts): UnitCounts {
  const counts = Object.entries(now).map(([key, count]) => [key, count - (before[key] ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** What was written to a node object: the path is the same for cordon, annotation and uncordon, so the bodies tell. */
export async function cordonsOf(node: string): Promise<{ readonly cordons: number; readonly uncordons: number }> {
  const writes = (await lab.api.writes()).filter(
    ({ method, path, code }) => method === 'PATCH' && code === 200 && path.startsWith(`/api/v1/nodes/${node}`),
  );
  const with_ = (pattern: RegExp): number => writes.filter(({ body }) => pattern.test(body)).length;
  return { cordons: with_(/"unschedulable":true/), uncordons: with_(/"unschedulable":(null|false)/) };
}

/** The end that every run must come to, however it was disturbed: on containerd, in service, nothing held, nothing left. */
export async function expectMigrated(node: string): Promise<void> {
  expect(await lab.runtimeOf(node), node).to.match(/^containerd:\/\/1\.6\./);
  expect(await lab.isSchedulable(node), `${node} schedulable`).to.equal(true);
  const annotations = await lab.kubectl('get', 'node', node, '-o', 'jsonpath={.metadata.annotations}');
  expect(annotations.stdout, `${node}: annotations`).to.not.contain('runbook');
  const masked = await lab.ssh(node, 'systemctl is-enabled docker.service docker.socket');
  expect(masked, `${node}: docker`).to.equal('masked\nmasked\n');
}

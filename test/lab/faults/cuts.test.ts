import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createEventBus, type HostSummary, type StampedEvent } from '../../../engine/base/events.ts';
import { runPlaybook } from '../../../engine/run/run.ts';
import { type CutPoint, type CuttingProxy, createCuttingProxy } from '../../support/cutting-proxy.ts';
import { lab } from '../rig.ts';
import { added, cordonsOf, expectMigrated, ofOneMigration, type UnitCounts, unitCounts } from './migration.ts';

/** The link to a node is cut before, during or after every effect of the migration, and again before what comes next. */
describe('playbooks/containerd.yaml over links that are cut at every step', function () {
  this.timeout(900_000);
  const points: readonly CutPoint[] = ['before', 'during', 'after'];
  const proxies = new Map<string, CuttingProxy>();
  let folder = '';
  let clean: readonly UnitCounts[] = [];

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
    folder = await mkdtemp(join(tmpdir(), 'runbook-lab-'));
    for (const node of lab.nodes) proxies.set(node, await createCuttingProxy(lab.address(node), 22));
    clean = await Promise.all(lab.nodes.map(unitCounts));
  });
  after(async () => {
    for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** The lab's inventory, with every node behind its proxy. */
  async function inventoryBehindProxies(): Promise<string> {
    const text = await readFile(lab.inventoryPath, 'utf8');
    const path = join(folder, 'lab.ini');
    const lines = text.split('\n').map((line) => {
      const node = line.split(' ')[0] ?? '';
      const proxy = proxies.get(node);
      if (!proxy) return line;
      const alias = `ansible_ssh_common_args='-o UserKnownHostsFile=${lab.knownHostsPath} -o HostKeyAlias=${lab.address(node)}'`;
      return `${line.replace(/ansible_host=\S+/, 'ansible_host=127.0.0.1')} ansible_port=${proxy.port} ${alias}`;
    });
    await writeFile(path, lines.join('\n'));
    return path;
  }

  it('does every effect once, and ends as an undisturbed run', async () => {
    const bus = createEventBus(Date.now, (error) => {
      throw error;
    });
    const steps = new Map<CutPoint, number>();
    let summary: readonly HostSummary[] = [];
    bus.subscribe((event: StampedEvent) => {
      if (event.type === 'run-ended') summary = event.summary;
      if ((event.type !== 'step-started' && event.type !== 'step-ended') || event.delegatedTo !== undefined) return;
      const proxy = proxies.get(event.host);
      const point = event.type === 'step-ended' ? 'before' : points[lab.nodes.indexOf(event.host) % points.length];
      if (!proxy || !point) return;
      steps.set(point, (steps.get(point) ?? 0) + 1);
      proxy.cut(point);
    });
    await lab.api.clearWrites();
    const never = new AbortController().signal;
    const { exitCode } = await runPlaybook({
      playbook: 'playbooks/containerd.yaml',
      inventory: [await inventoryBehindProxies()],
      isCheckMode: false,
      isDiff: false,
      tags: [],
      skipTags: [],
      extraVars: {},
      forks: 10,
      moduleDirectories: [],
      connection: {},
      journalDirectory: folder,
      signal: never,
      abort: never,
      bus,
    });
    expect(exitCode, JSON.stringify(summary.map(({ host, state, failure }) => ({ host, state, failure })))).to.equal(0);
    const cuts = [...proxies.values()].reduce((sum, proxy) => sum + proxy.cuts, 0);
    expect(cuts).to.be.at.least(100);
    for (const [i, node] of lab.nodes.entries()) {
      await expectMigrated(node);
      expect(await lab.ssh(node, 'ls -A /run/runbook/effects 2>/dev/null'), `${node}: effects left`).to.equal('');
      expect(await cordonsOf(node), node).to.deep.equal({ cordons: 1, uncordons: 1 });
      expect(added(await unitCounts(node), clean[i] ?? {}), `${node} (cut ${points[i]})`).to.deep.equal(ofOneMigration);
    }
    console.log(`        ${cuts} links cut: ${[...steps].map(([point, n]) => `${n} ${point}`).join(', ')} an effect`);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CliEvents, playEvents } from '../support/cli.ts';
import { lab } from './rig.ts';

/** A node that cannot be drained is left as it was, with nothing done under the lease, and the message names what stood in the way. */
describe('a drain that does not go through', function () {
  this.timeout(180_000);
  let folder = '';
  let node = '';

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
    folder = await mkdtemp(join(tmpdir(), 'runbook-lab-'));
    // A node with a pod of the budget.
    const { stdout } = await lab.kubectl(
      'get',
      'pods',
      '-A',
      '-l',
      'app=web',
      '-o',
      'jsonpath={.items[0].spec.nodeName}',
    );
    node = stdout.trim();
  });
  afterEach(() => lab.api.setFaults({}));
  after(() => rm(folder, { recursive: true, force: true }));

  async function drain(): Promise<CliEvents> {
    const playbook = join(folder, 'play.yaml');
    const lease =
      "kubectl-drain: { node: '{{ kube_node_name }}', kubeconfig: '{{ kubeconfig }}', delete_emptydir_data: true, timeout: 12 }";
    const effect = 'command: { argv: [touch, /opt/lab-must-not-exist] }';
    await writeFile(
      playbook,
      `- hosts: nodes\n  tasks:\n    - lease: { name: Drained, ${lease}, delegate_to: localhost }\n      block:\n        - ${effect}\n`,
    );
    return playEvents([playbook, '-i', lab.inventoryPath, '--limit', node]);
  }

  async function nothingWasDone(run: CliEvents): Promise<void> {
    expect(run.exitCode, JSON.stringify(run.summary)).to.equal(2);
    expect(run.changed).to.deep.equal([]);
    expect(run.summary[0]?.leases).to.deep.equal([]);
    expect(await lab.isSchedulable(node)).to.equal(true);
    expect(await lab.ssh(node, 'ls /opt/lab-must-not-exist 2>&1')).to.contain('No such file');
  }

  it('for a budget: it is retried until the deadline, the budget and its pod are named, the node is uncordoned again', async () => {
    await lab.api.setFaults({ blockedBudgets: ['default/web'] });
    await lab.api.clearWrites();
    const run = await drain();
    expect(run.summary[0]?.failure?.message).to.contain('PodDisruptionBudget').and.contain('web');
    const refused = (await lab.api.writes()).filter(({ code }) => code === 429);
    expect(refused.length, 'refused evictions').to.be.greaterThan(1);
    await nothingWasDone(run);
  });

  it('for a refused cordon: nothing is evicted, although kubectl cordon would end with 0', async () => {
    await lab.api.setFaults({ forbidNodePatch: [node] });
    await lab.api.clearWrites();
    const run = await drain();
    expect(run.summary[0]?.failure?.message).to.match(/forbidden/i);
    expect((await lab.api.writes()).filter(({ path }) => path.endsWith('/eviction'))).to.deep.equal([]);
    await nothingWasDone(run);
  });
});

import { expect } from 'chai';
import { type CliEvents, playEvents } from '../support/cli.ts';
import { differences } from './digest.ts';
import { added, ofOneMigration, unitCounts } from './faults/migration.ts';
import { lab } from './rig.ts';

const playbook = 'playbooks/containerd.yaml';

/** The main job, on real nodes: checked, applied, and unchanged by a second run. The order of the tests is the story. */
describe('playbooks/containerd.yaml', function () {
  this.timeout(600_000);
  this.bail(true);

  let checked: CliEvents;
  const play = (...args: string[]): Promise<CliEvents> => playEvents([playbook, '-i', lab.inventoryPath, ...args]);

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
  });

  it('starts from nodes on Docker', async () => {
    for (const node of lab.nodes) expect(await lab.runtimeOf(node)).to.match(/^docker:\/\/20\.10\./);
  });

  it('--check says that every node differs, and changes nothing: neither on the nodes nor in the cluster', async () => {
    const digests = (): Promise<ReadonlyMap<string, string>[]> =>
      Promise.all(lab.nodes.map((node) => lab.digestOf(node)));
    const before = await digests();
    await lab.api.clearWrites();
    checked = await play('--check', '--diff');
    expect(checked.exitCode, checked.stderr + failuresIn(checked)).to.equal(3);
    for (const host of checked.summary) expect(host.state).to.equal('changed');
    const after = await digests();
    const moved = before.flatMap((digest, i) => differences(digest, after[i] ?? new Map()));
    expect(moved).to.deep.equal([]);
    expect(await lab.api.writes()).to.deep.equal([]);
  });

  it('moves every node to containerd and puts it back into service', async () => {
    const clean = await Promise.all(lab.nodes.map(unitCounts));
    const run = await play();
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    for (const [i, node] of lab.nodes.entries()) {
      expect(added(await unitCounts(node), clean[i] ?? {}), node).to.deep.equal(ofOneMigration);
    }
    for (const node of lab.nodes) {
      expect(await lab.runtimeOf(node)).to.match(/^containerd:\/\/1\.6\./);
      expect(await lab.isSchedulable(node), `${node} schedulable`).to.equal(true);
    }
    // The prediction was true: what check mode called changed, unchanged or left out is what the run made of it.
    const predicted = endsOf(checked);
    const happened = endsOf(run);
    const claims = [...predicted].filter(([, outcome]) => outcome !== 'unknown');
    const wrong = claims.filter(([key, outcome]) => happened.get(key) !== outcome);
    expect(wrong.map(([key, outcome]) => `${key}: ${outcome}, then ${happened.get(key)}`)).to.deep.equal([]);
    const unknown = predicted.size - claims.length;
    expect(unknown / predicted.size, `${unknown} of ${predicted.size} unknown`).to.be.at.most(0.05);
    console.log(`        ${claims.length} of ${predicted.size} outcomes predicted, all true; ${unknown} unknown`);
  });

  it('finds nothing to do the second time, and neither cordons nor drains', async () => {
    await lab.api.clearWrites();
    const run = await play();
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    expect(run.changed).to.deep.equal([]);
    expect(await lab.api.writes()).to.deep.equal([]);
  });

  it('--check then says that nothing differs, with exit code 0', async () => {
    const run = await play('--check');
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    expect(run.changed).to.deep.equal([]);
  });

  it('leaves nothing of docker behind that could come back or that pods would stumble over', async () => {
    for (const node of lab.nodes) {
      const units = await lab.ssh(
        node,
        'systemctl is-enabled docker.service docker.socket; systemctl is-active docker.service docker.socket',
      );
      expect(units.split('\n').filter(Boolean)).to.deep.equal(['masked', 'masked', 'inactive', 'inactive']);
      expect(await lab.ssh(node, 'find /var/log/pods /var/log/containers -xtype l')).to.equal('');
      expect(await lab.ssh(node, 'pgrep -f "[n]amespace moby" || echo none')).to.equal('none\n');
      // Every address that is taken belongs to a sandbox that containerd has.
      const leaked = `for f in /var/lib/cni/networks/*/10.*; do id=$(head -n 1 "$f" | tr -d '\\r'); ctr -n k8s.io containers ls -q | grep -qx "$id" || echo "$f"; done`;
      expect(await lab.ssh(node, leaked)).to.equal('');
      const cmdline = await lab.ssh(
        node,
        'tr "\\0" "\\n" < /proc/$(systemctl show -p MainPID --value kubelet)/cmdline',
      );
      expect(cmdline)
        .to.contain('--container-runtime-endpoint=unix:///run/containerd/containerd.sock')
        .and.not.contain('--network-plugin');
    }
  });

  it('changes only what drifted, without a drain, when a node on containerd differs', async () => {
    const [node = ''] = lab.nodes;
    await lab.ssh(
      node,
      'sed -i "s/max_container_log_line_size.*/max_container_log_line_size = 1/" /etc/containerd/config.toml',
    );
    await lab.api.clearWrites();
    const run = await play();
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    expect(run.changed.every((key) => key.startsWith(`${node} `))).to.equal(true);
    expect(run.changed.length).to.be.greaterThan(0);
    expect(await lab.api.writes()).to.deep.equal([]);
  });

  it('makes up for a restart that an earlier run did not live to do', async () => {
    const [node = ''] = lab.nodes;
    await lab.ssh(node, 'touch /etc/containerd/config.toml');
    const run = await play();
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    expect(run.changed).to.have.length(1);
    expect(run.changed[0]).to.match(new RegExp(`^${node} .* Restart containerd with what is new$`));
    expect((await play()).changed).to.deep.equal([]);
  });
});

describe('playbooks/containerd.yaml when a node does not come up', function () {
  this.timeout(600_000);

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
  });

  it('rolls the node back to Docker, leaves it cordoned, and starts no other node', async () => {
    const [first = '', second = ''] = lab.nodes;
    // The kubelet of this node will refuse its flags once they are changed.
    const run = await playEvents([
      playbook,
      '-i',
      lab.inventoryPath,
      '-e',
      '{"kubelet_extra_flags": {"--no-such-flag": "x"}}',
    ]);
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(6);
    expect(run.summary.map((host) => host.state)).to.deep.equal(['rolled-back', 'ok', 'ok']);
    expect(await lab.runtimeOf(first)).to.match(/^docker:/);
    expect(await lab.isSchedulable(first)).to.equal(false);
    expect(run.summary[0]?.leases).to.have.length(1);
    expect(await lab.runtimeOf(second)).to.match(/^docker:/);
    expect(await lab.isSchedulable(second)).to.equal(true);
  });

  it('goes through on the next run, and the node is back in service: the cordon was its own', async () => {
    const run = await playEvents([playbook, '-i', lab.inventoryPath]);
    expect(run.exitCode, run.stderr + failuresIn(run)).to.equal(0);
    for (const node of lab.nodes) {
      expect(await lab.runtimeOf(node)).to.match(/^containerd:/);
      expect(await lab.isSchedulable(node)).to.equal(true);
    }
  });
});

/** How each task ended on each host, by both; the node's tasks that were not reached in the prediction are not in it. */
function endsOf(run: CliEvents): ReadonlyMap<string, string> {
  return new Map(
    run.events.flatMap((event) =>
      event.type === 'host-task-ended' ? [[`${event.host} ${event.task.id} ${event.task.name}`, event.outcome]] : [],
    ),
  );
}

/** What failed, for the message of an assertion. */
function failuresIn(run: CliEvents): string {
  return run.summary
    .map((host) => (host.failure ? `\n${host.host}: ${host.failure.task}: ${host.failure.message}` : ''))
    .join('');
}

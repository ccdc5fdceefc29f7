import { expect } from 'chai';
import { differences } from './digest.ts';
import { waitFor } from './progress.ts';
import { lab } from './rig.ts';

/** The lab itself: what other tests take for granted. */
describe('the lab', function () {
  this.timeout(60_000);

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
  });

  afterEach(() => lab.api.setFaults({}));

  it('has nodes with systemd and no Python', async () => {
    for (const node of lab.nodes) {
      expect(await lab.ssh(node, 'systemctl is-system-running')).to.equal('running\n');
      expect(await lab.ssh(node, 'command -v python3')).to.equal('');
    }
  });

  it('runs pods in Docker under the labels of kubelet, with the leftovers of dockershim', async () => {
    const [node = ''] = lab.nodes;
    const names = await lab.ssh(
      node,
      'docker ps --filter label=io.kubernetes.docker.type=podsandbox --format "{{.Label \\"io.kubernetes.container.name\\"}}" | sort -u; ' +
        'docker ps --filter label=io.kubernetes.container.name=main --filter label=io.kubernetes.pod.uid -q | wc -l',
    );
    expect(names.split('\n')[0]).to.equal('POD');
    expect(Number(names.split('\n')[1])).to.be.greaterThan(0);
    expect(await lab.ssh(node, 'readlink -f /var/log/containers/*.log')).to.contain('-json.log');
    expect(await lab.ssh(node, 'ls /var/lib/cni/networks/lab')).to.match(/^10\.244\.1\./);
  });

  it('shows the runtime in the real kubectl', async () => {
    const { stdout } = await lab.kubectl('get', 'nodes', '-o', 'wide');
    expect(stdout).to.match(/CONTAINER-RUNTIME\nnode-1 +Ready +<none> .* 10\.88\.0\.11 .* docker:\/\/20\.10/);
  });

  it('lets ops become root with a password only', async () => {
    const [node = ''] = lab.nodes;
    expect((await lab.execute(node, 'sudo -n id -u', 'ops')).code).to.not.equal(0);
    const { stdout } = await lab.execute(node, `echo ${lab.opsUser.password} | sudo -S -p '' id -u`, 'ops');
    expect(stdout).to.equal('0\n');
  });

  it('cordons, drains and uncordons, and replaces what was evicted elsewhere', async () => {
    const drain = await lab.kubectl(
      'drain',
      'node-1',
      '--ignore-daemonsets',
      '--delete-emptydir-data',
      '--timeout=30s',
    );
    expect(drain.code, drain.stderr).to.equal(0);
    expect(await lab.isSchedulable('node-1')).to.equal(false);
    const { stdout } = await lab.kubectl('get', 'pods', '-n', 'default', '-o', 'wide');
    expect(stdout).to.not.contain('node-1');
    expect((await lab.kubectl('uncordon', 'node-1')).code).to.equal(0);
    expect(await lab.isSchedulable('node-1')).to.equal(true);
  });

  it('refuses an eviction that the budget forbids, in the words of the real server', async () => {
    await lab.api.setFaults({ blockedBudgets: ['default/web'] });
    const drain = await lab.kubectl('drain', 'node-2', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=3s');
    expect(drain.code).to.not.equal(0);
    expect(drain.stderr).to.contain("Cannot evict pod as it would violate the pod's disruption budget");
    expect((await lab.api.writes()).map(({ code }) => code)).to.contain(429);
    await lab.kubectl('uncordon', 'node-2');
  });

  it('refuses to patch a node when told to', async () => {
    await lab.api.setFaults({ forbidNodePatch: ['node-3'] });
    const { stderr } = await lab.kubectl('cordon', 'node-3');
    expect(stderr).to.contain('forbidden');
    expect(await lab.isSchedulable('node-3')).to.equal(true);
  });

  it('keeps a pod that never terminates', async () => {
    const { stdout: pod } = await lab.kubectl(
      'get',
      'pods',
      '-l',
      'app=cache',
      '-o',
      'jsonpath={.items[0].metadata.name}',
    );
    await lab.api.setFaults({ stuckPods: ['default/cache'] });
    await lab.kubectl('delete', 'pod', pod, '--wait=false');
    const gone = await lab.kubectl('wait', '--for=delete', `pod/${pod}`, '--timeout=2s');
    expect(gone.code).to.not.equal(0);
    await lab.api.setFaults({});
    const later = await lab.kubectl('wait', '--for=delete', `pod/${pod}`, '--timeout=20s');
    expect(later.code, later.stderr).to.equal(0);
  });

  it('has a kubelet that refuses the flags of other versions', async () => {
    expect(await lab.ssh('node-1', '/usr/bin/kubelet --version')).to.equal('Kubernetes v1.23.17\n');
    const { code, stderr } = await lab.execute('node-1', '/usr/bin/kubelet --network-plugin=cni --no-such-flag=1');
    expect(code).to.equal(1);
    expect(stderr).to.equal('Error: failed to parse kubelet flag: unknown flag: --no-such-flag\n');
  });

  it('says that a node is not Ready while its runtime is down', async () => {
    await lab.ssh('node-3', 'systemctl stop docker.socket docker.service');
    await waitFor('node-3 to be not Ready', 10_000, async () =>
      (await lab.runtimeOf('node-3')) === '' ? true : undefined,
    );
    const { stdout } = await lab.kubectl('get', 'node', 'node-3', '-o', 'jsonpath={.status.conditions}');
    expect(stdout).to.contain('container runtime is down');
    await lab.ssh('node-3', 'systemctl start docker.socket docker.service');
    const ready = await lab.kubectl('wait', '--for=condition=Ready', 'node/node-3', '--timeout=15s');
    expect(ready.code, ready.stderr).to.equal(0);
  });

  it('has a digest that stays the same on an idle node and shows any change', async () => {
    const before = await lab.digestOf('node-2');
    expect(differences(before, await lab.digestOf('node-2'))).to.deep.equal([]);
    await lab.ssh('node-2', 'chmod 600 /etc/hosts; touch /usr/local/new; systemctl restart dbus');
    const changed = differences(before, await lab.digestOf('node-2')).map((line) => line.split(':')[0]);
    expect(changed).to.include.members(['/etc/hosts', '/usr/local/new', 'unit dbus.service']);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { type CliEvents, playEvents, runCli } from '../../support/cli.ts';
import { lab } from '../rig.ts';

/** What becomes of a node's cordon, and of other runs, when something else goes wrong than a task. */
describe('a node that is drained', function () {
  this.timeout(300_000);
  let folder = '';
  let node = '';

  before(async () => {
    await lab.ensureUp();
  });
  beforeEach(async () => {
    await lab.reset();
    folder = await mkdtemp(join(tmpdir(), 'runbook-lab-'));
    const { stdout } = await lab.kubectl(
      ...['get', 'pods', '-A', '-l', 'app=web', '-o', 'jsonpath={.items[0].spec.nodeName}'],
    );
    node = stdout.trim();
  });
  afterEach(async () => {
    await lab.api.setFaults({});
    await rm(folder, { recursive: true, force: true });
  });

  /** One effect on the drained node that takes some seconds. */
  async function drainAnd(
    effect: string,
    options: { onFailure?: string; timeout?: number; onEvent?: (event: StampedEvent) => void } = {},
  ): Promise<CliEvents> {
    const playbook = join(folder, 'play.yaml');
    const lease = [
      `        kubectl-drain: { node: '{{ kube_node_name }}', kubeconfig: '{{ kubeconfig }}', kubectl: '{{ kubectl }}', delete_emptydir_data: true, timeout: ${options.timeout ?? 60} }`,
      '        delegate_to: localhost',
      ...(options.onFailure ? [`        on_failure: ${options.onFailure}`] : []),
    ].join('\n');
    await writeFile(
      playbook,
      `- hosts: nodes\n  tasks:\n    - lease:\n        name: Drained\n${lease}\n      block:\n        - shell: { cmd: ${JSON.stringify(effect)} }\n`,
    );
    return playEvents([playbook, '-i', lab.inventoryPath, '--limit', node, '--reconnect-timeout', '30'], {
      cwd: folder,
      onLine(line) {
        if (line.startsWith('{')) options.onEvent?.(JSON.parse(line) as StampedEvent);
      },
    });
  }

  it('and loses its power while it is worked on: the run ends, says so, and leaves the cordon with its owner and a way to end it', async () => {
    let isOff = false;
    const run = await drainAnd('sleep 30; echo done >/opt/lab-done', {
      onEvent(event) {
        if (event.type !== 'step-started' || event.delegatedTo !== undefined || isOff) return;
        isOff = true;
        void sleep(500).then(() => lab.powerOff(node));
      },
    });
    expect(run.exitCode, JSON.stringify(run.summary)).to.equal(4);
    expect(run.summary[0]?.state).to.equal('unreachable');
    // Something under the lease may have changed the node: it stays out of service until a human has looked.
    expect(run.summary[0]?.leases).to.have.length(1);
    expect(await lab.isSchedulable(node)).to.equal(false);
    const listed = await runCli(['leases'], { cwd: folder });
    expect(listed.stdout).to.contain(node).and.contain('Drained');
    const released = await runCli(['leases', 'release', '--all'], { cwd: folder });
    expect(released.exitCode, released.stdout + released.stderr).to.equal(0);
    expect(await lab.isSchedulable(node)).to.equal(true);
    expect((await runCli(['leases'], { cwd: folder })).stdout).to.not.contain('Drained');
  });

  it('and whose sshd is killed while it is worked on: the effect is attached to again, and done once', async () => {
    let isKilled = false;
    const run = await drainAnd('sleep 4; echo done >>/opt/lab-done', {
      onEvent(event) {
        if (event.type !== 'step-started' || event.delegatedTo !== undefined || isKilled) return;
        isKilled = true;
        void sleep(1000).then(() => lab.ssh(node, 'pkill -KILL -f "^sshd: " ').catch(() => undefined));
      },
    });
    expect(run.exitCode, JSON.stringify(run.summary)).to.equal(0);
    expect(isKilled).to.equal(true);
    expect(await lab.ssh(node, 'cat /opt/lab-done')).to.equal('done\n');
    expect(await lab.isSchedulable(node)).to.equal(true);
  });

  it('once a PodDisruptionBudget that blocks it lets go', async () => {
    await lab.api.setFaults({ blockedBudgets: ['default/web'] });
    const reasons = new Set<string>();
    const run = await drainAnd('echo done >>/opt/lab-done', {
      onEvent(event) {
        if (event.type !== 'host-task-progress' || !event.text.includes('PodDisruptionBudget')) return;
        if (reasons.size === 0) void lab.api.setFaults({});
        reasons.add(event.text);
      },
    });
    expect(run.exitCode, JSON.stringify(run.summary)).to.equal(0);
    expect([...reasons].join('\n')).to.match(/waiting for .*web.*PodDisruptionBudget web/);
    expect(await lab.ssh(node, 'cat /opt/lab-done')).to.equal('done\n');
    expect(await lab.isSchedulable(node)).to.equal(true);
  });

  it('by two runs at once: the second waits for the first, and never are both at work', async () => {
    const effect = 'echo begin >>/opt/lab-log; sleep 3; echo end >>/opt/lab-log';
    const first = drainAnd(effect);
    await sleep(1500);
    const [one, two] = await Promise.all([first, drainAnd(effect)]);
    expect(one.exitCode, JSON.stringify(one.summary)).to.equal(0);
    expect(two.exitCode, JSON.stringify(two.summary)).to.equal(0);
    expect(await lab.ssh(node, 'cat /opt/lab-log')).to.equal('begin\nend\nbegin\nend\n');
    const waits = two.events.flatMap((event) => (event.type === 'host-task-progress' ? [event.text] : []));
    expect(waits.join('\n')).to.match(/held by/);
    expect(await lab.isSchedulable(node)).to.equal(true);
  });
});

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import type { AnyLease } from '../../engine/module/contract.ts';
import type { Step, StepResult } from '../../engine/module/step.ts';
import drainLease from '../../modules/kubectl-drain.ts';
import { createKubeCluster, hasKubectl, type KubeCluster } from '../support/kube-cluster.ts';
import { checkedArguments, runLocally, withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** kubectl-drain with the real kubectl, against the lab's API server: what runs see of each other, and of kured. */
describe('the maintenance lock of kubectl-drain', function () {
  this.timeout(180_000);
  let cluster: KubeCluster;

  before(function () {
    if (!hasKubectl) this.skip();
  });
  beforeEach(async () => {
    cluster = await createKubeCluster();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const inventory = '[all:vars]\nansible_connection=local\n[nodes]\nnode-1\nnode-2\nnode-3\n';

  /** Works on nodes under the lease; what `more` says goes into its arguments. */
  async function drain(
    folder: string,
    {
      nodes = 'node-1',
      more = '',
      tasks = 'command: { argv: [touch, "DIR/{{ inventory_hostname }}"] }',
      play: head = '',
    },
    options: Parameters<typeof play>[2] = {},
  ): Promise<PlayRun> {
    const yaml = `- hosts: ${nodes}
${head}  tasks:
    - lease:
        name: Drained
        kubectl-drain: { node: "{{ inventory_hostname }}", kubeconfig: DIR/kubeconfig, delete_emptydir_data: true, grace_period: 0, ${more.includes('timeout') ? '' : 'timeout: 20'}${more} }
        delegate_to: localhost
      block:
        - { name: Work, ${tasks} }
`;
    const files = {
      kubeconfig: cluster.kubeconfig,
      'hosts.ini': inventory,
      'play.yaml': yaml.replaceAll('DIR', folder),
    };
    return play(folder, files, options);
  }

  const isSchedulable = async (node: string): Promise<boolean> => {
    const { spec, metadata } = await cluster.node(node);
    return (spec as { unschedulable?: boolean }).unschedulable !== true && !metadata.annotations?.['runbook.io/drain'];
  };
  const holderOfLock = async (): Promise<unknown> =>
    ((await cluster.lock()).spec as { holderIdentity?: string }).holderIdentity;
  const progressOf = (events: readonly StampedEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'host-task-progress' && event.text !== '' ? [event.text] : []));

  it('is held while the node is, and free with it', () =>
    withTemporaryFolder(async (folder) => {
      const run = await drain(folder, { tasks: `command: { argv: [cp, "${'DIR/kubeconfig'}", DIR/done] }` });
      expect(run.exitCode, run.said('Drained')).to.equal(0);
      expect(existsSync(join(folder, 'done'))).to.equal(true);
      expect(await isSchedulable('node-1')).to.equal(true);
      expect(await holderOfLock()).to.equal(undefined);
      const [taken] = (await cluster.writes()).filter(({ path }) => path.includes('/leases'));
      const lease = JSON.parse(taken?.body ?? '') as {
        spec: Record<string, unknown>;
        metadata: { annotations: object };
      };
      const { runId } = run.events[0] as { runId: string };
      expect(lease.spec).to.include({ holderIdentity: `runbook/${runId}`, leaseDurationSeconds: 300 });
      expect(lease.spec.renewTime).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(JSON.stringify(lease.metadata.annotations)).to.include('node-1').and.include(runId);
    }));

  it('is waited for while another run has it, naming it, and two runs at once both come to their end', () =>
    withTemporaryFolder(async (folder) => {
      const wait = `shell: { cmd: "touch DIR/first; while [ ! -e DIR/go ]; do sleep 0.1; done" }`;
      let second: Promise<PlayRun> | undefined;
      const first = await drain(
        folder,
        { tasks: wait },
        {
          onEvent(event) {
            if (event.type !== 'step-started' || event.task.name !== 'Work' || second) return;
            second = withTemporaryFolder((other) =>
              drain(
                other,
                { nodes: 'node-2' },
                {
                  onEvent(late) {
                    if (late.type === 'host-task-progress' && late.text.includes('held by')) void letGo(folder);
                  },
                },
              ),
            );
          },
        },
      );
      const later = await second;
      expect([first.exitCode, later?.exitCode]).to.deep.equal([0, 0]);
      const { runId } = first.events[0] as { runId: string };
      const [text] = progressOf(later?.events ?? []);
      expect(text).to.match(
        new RegExp(
          `^waiting for the maintenance lock kube-system/runbook-node-maintenance, held by run ${runId} \\(.+@.+\\) since 20.+Z$`,
        ),
      );
      expect(await holderOfLock()).to.equal(undefined);
    }));

  it('is one for all nodes that a run has in hand, and free with the last of them', () =>
    withTemporaryFolder(async (folder) => {
      const run = await drain(folder, { nodes: 'node-1,node-2', play: '  serial: { window: 2 }\n' });
      expect(run.exitCode, JSON.stringify(run.summary)).to.equal(0);
      const holders = (await cluster.writes())
        .filter(({ path, code }) => path.includes('/leases') && code < 300)
        .map(({ body }) => (JSON.parse(body) as { spec?: { holderIdentity?: string | null } }).spec?.holderIdentity);
      expect(
        holders.filter((holder) => holder === null),
        'times it was freed',
      ).to.have.length(1);
      expect(await holderOfLock()).to.equal(undefined);
    }));

  it('fails naming the holder when it is not free in time, and nothing was cordoned', () =>
    withTemporaryFolder(async (folder) => {
      await putLock({ holderIdentity: 'runbook/run-9', renewTime: microTime(0), acquireTime: microTime(-60) });
      const run = await drain(folder, { more: 'timeout: 1' });
      expect(run.exitCode).to.equal(2);
      expect(run.said('Drained')).to.match(/^the maintenance lock .* is still held by run run-9 since .*Z, after 1 s$/);
      expect(run.events.map(({ type }) => type)).to.include('lease-released');
      expect((await cluster.writes()).filter(({ path }) => path.includes('/nodes/'))).to.deep.equal([]);
      expect(await holderOfLock()).to.equal('runbook/run-9');
    }));

  it('is taken over when its holder has not renewed it for five minutes, and that is said', () =>
    withTemporaryFolder(async (folder) => {
      await putLock({ holderIdentity: 'runbook/run-9', renewTime: microTime(-301), acquireTime: microTime(-600) });
      const run = await drain(folder, {});
      expect(run.exitCode).to.equal(0);
      const end = run.events.find((event) => event.type === 'host-task-ended' && event.task.name === 'Drained');
      expect(end)
        .to.have.property('message')
        .that.matches(/^took over the maintenance lock of run run-9: it expired, it was last renewed at 20.*Z$/);
      expect(await holderOfLock()).to.equal(undefined);
    }));

  it('is free while a failed node stays cordoned: that one is out of service, not the cluster', () =>
    withTemporaryFolder(async (folder) => {
      const run = await drain(folder, { tasks: 'shell: { cmd: exit 1 }' });
      expect(run.exitCode).to.equal(2);
      expect(run.summary[0]?.leases).to.have.length(1);
      expect(await holderOfLock()).to.equal(undefined);
      const { metadata, spec } = await cluster.node('node-1');
      expect(spec).to.include({ unschedulable: true });
      const annotation = JSON.parse(metadata.annotations?.['runbook.io/drain'] ?? '') as object;
      expect(annotation).to.include({ schedulable: true, kept: 'the block failed after the host was changed' });
      const next = await drain(folder, { tasks: 'command: { argv: ["true"] }' });
      expect(next.exitCode).to.equal(0);
      expect(await isSchedulable('node-1')).to.equal(true);
    }));

  it('may not be used: check mode says which right is missing, and how to do without', () =>
    withTemporaryFolder(async (folder) => {
      await cluster.setFaults({ forbidden: ['leases'] });
      for (const isCheckMode of [true, false]) {
        const run = await drain(folder, {}, { isCheckMode });
        const failure = run.summary[0]?.failure;
        expect(failure?.message).to.include(
          'the maintenance lock (Lease kube-system/runbook-node-maintenance) cannot be used',
        );
        expect(failure?.hint)
          .to.include('apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, patch]')
          .and.include('maintenance_lock: false');
      }
      const without = await drain(folder, { more: ', maintenance_lock: false' });
      expect(without.exitCode).to.equal(0);
    }));

  it('says while it drains which pod and which budget it waits for, and goes on when the budget frees it', () =>
    withTemporaryFolder(async (folder) => {
      const node = await cluster.nodeWith('web');
      await cluster.setFaults({ blockedBudgets: ['default/web'] });
      const waits: string[] = [];
      const run = await drain(
        folder,
        { nodes: node },
        {
          onEvent(event) {
            if (event.type !== 'host-task-progress' || !event.text.includes('eviction')) return;
            waits.push(event.text);
            expect(event.deadlineMs).to.equal(event.sinceMs + 20_000);
            void cluster.setFaults({});
          },
        },
      );
      expect(run.exitCode, run.said('Drained')).to.equal(0);
      expect(waits[0]).to.match(/^waiting for eviction of web-\w+-\w+ \(PodDisruptionBudget web\)/);
      expect(await isSchedulable(node)).to.equal(true);
    }));

  it('is given back at the first Ctrl-C when the node is not drained yet, within a round of kubectl', () =>
    withTemporaryFolder(async (folder) => {
      const node = await cluster.nodeWith('web');
      await cluster.setFaults({ blockedBudgets: ['default/web'] });
      const interrupt = new AbortController();
      const run = await drain(
        folder,
        { nodes: node },
        {
          signal: interrupt.signal,
          onEvent(event) {
            if (event.type === 'host-task-progress' && event.text.includes('eviction'))
              interrupt.abort(new Error('Ctrl-C'));
          },
        },
      );
      expect(run.exitCode).to.equal(130);
      expect(run.summary[0]?.state).to.equal('interrupted');
      expect(await isSchedulable(node)).to.equal(true);
      expect(await holderOfLock()).to.equal(undefined);
    }));

  describe('and a human', () => {
    it("who cordoned the node before: it stays cordoned after the run, and is nobody else's", () =>
      withTemporaryFolder(async (folder) => {
        await cluster.patch('/api/v1/nodes/node-1', { spec: { unschedulable: true } });
        const run = await drain(folder, {});
        expect(run.exitCode, run.said('Drained')).to.equal(0);
        const { spec, metadata } = await cluster.node('node-1');
        expect(spec).to.include({ unschedulable: true });
        expect(metadata.annotations).to.not.have.property('runbook.io/drain');
      }));

    it('who cordons the node between our look and our cordon: it stays cordoned after the run', () =>
      withTemporaryFolder(async (folder) => {
        const kubectl = join(folder, 'kubectl');
        const script = `#!/bin/sh
case "$*" in *'patch node node-1'*)
  [ -e ${folder}/cordoned ] || { : > ${folder}/cordoned; kubectl --kubeconfig ${folder}/kubeconfig cordon node-1; } >&2 ;;
esac
exec kubectl "$@"
`;
        await writeFile(kubectl, script, { mode: 0o755 });
        const run = await drain(folder, { more: `, kubectl: ${kubectl}` });
        expect(run.exitCode, run.said('Drained')).to.equal(0);
        expect((await cluster.node('node-1')).spec).to.include({ unschedulable: true });
        const refused = (await cluster.writes()).filter(({ code }) => code === 409);
        expect(refused.map(({ path }) => path.replace(/\?.*/, ''))).to.deep.equal(['/api/v1/nodes/node-1']);
      }));
  });

  describe('is renewed', () => {
    const grant = { node: 'node-1', run: 'run-2', by: 'ops@ctl', since: '2026-11-21T05:15:00Z', schedulable: true };
    const now = Date.now();

    /** Renews as the engine does, at a time of its own. */
    const renew = (folder: string, ms: number): Promise<unknown> => {
      const args = checkedArguments(drainLease, { node: 'node-1', kubeconfig: join(folder, 'kubeconfig') });
      const run = { runId: 'run-2', who: 'ops@ctl', host: 'node-1', now: () => now + ms };
      const steps = (drainLease as AnyLease).renew?.({ args, grant, ...run });
      return driveLocally(steps as Generator<Step, unknown, StepResult>);
    };
    const hold = async (folder: string): Promise<void> => {
      await writeFile(join(folder, 'kubeconfig'), cluster.kubeconfig);
      const annotations = { 'runbook.io/drain': JSON.stringify({ run: 'run-2', schedulable: true }) };
      await cluster.patch('/api/v1/nodes/node-1', { metadata: { annotations }, spec: { unschedulable: true } });
    };

    it('with the node', () =>
      withTemporaryFolder(async (folder) => {
        await hold(folder);
        await putLock({ holderIdentity: 'runbook/run-2', renewTime: microTime(0), acquireTime: microTime(-60) });
        expect(await renew(folder, 120_000)).to.equal(undefined);
        const { renewTime, leaseTransitions } = (await cluster.lock()).spec as Record<string, string>;
        expect(Date.parse(renewTime ?? '')).to.equal(now + 120_000);
        expect(leaseTransitions, 'it has not changed hands').to.equal(undefined);
        const { metadata } = await cluster.node('node-1');
        const { renewed } = JSON.parse(metadata.annotations?.['runbook.io/drain'] ?? '') as { renewed: string };
        expect(Math.abs(Date.parse(renewed) - now - 120_000)).to.be.lessThan(1000);
      }));

    it('unless another run took it over: that is said', () =>
      withTemporaryFolder(async (folder) => {
        await hold(folder);
        await putLock({ holderIdentity: 'runbook/run-9', renewTime: microTime(0), acquireTime: microTime(0) });
        const answer = (await renew(folder, 0)) as { lost: string };
        expect(answer.lost).to.match(
          /^the maintenance lock kube-system\/runbook-node-maintenance is held by run run-9 since /,
        );
      }));

    it('and taken once more where somebody removed it', () =>
      withTemporaryFolder(async (folder) => {
        await hold(folder);
        expect(await renew(folder, 0)).to.equal(undefined);
        expect(await holderOfLock()).to.equal('runbook/run-2');
      }));
  });

  describe('where there is kured', () => {
    const daemonSet = '/apis/apps/v1/namespaces/kube-system/daemonsets';
    const lockName = 'weave.works/kured-node-lock';
    const lockOfKured = async (): Promise<string | undefined> => {
      const { metadata } = (await cluster.request('GET', `${daemonSet}/kured`)) as unknown as {
        metadata: { annotations?: Record<string, string> };
      };
      return metadata.annotations?.[lockName];
    };
    const install = (args: readonly string[], annotations: object = {}): Promise<unknown> =>
      cluster.request('POST', daemonSet, {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'kured', namespace: 'kube-system', annotations },
        spec: {
          template: { metadata: { labels: { name: 'kured' } }, spec: { containers: [{ name: 'kured', args }] } },
        },
      });

    it('holds its lock in its own format while it works, and gives it back', () =>
      withTemporaryFolder(async (folder) => {
        await install(['--period=1h']);
        const run = await drain(folder, {
          tasks: `shell: { cmd: "kubectl --kubeconfig DIR/kubeconfig get ds -n kube-system kured -o json > DIR/seen" }`,
        });
        expect(run.exitCode, run.said('Drained')).to.equal(0);
        const { runId } = run.events[0] as { runId: string };
        const seen = JSON.parse(await readFile(join(folder, 'seen'), 'utf8')) as {
          metadata: { annotations: Record<string, string> };
        };
        const lock = JSON.parse(seen.metadata.annotations[lockName] ?? '') as { created: string };
        // Not the node's name: a kured that starts on the node would take the lock for its own and uncordon the node.
        expect(lock).to.deep.include({ nodeID: `runbook/${runId}`, metadata: { unschedulable: false }, TTL: 300e9 });
        expect(Date.parse(lock.created)).to.be.greaterThan(0);
        expect(await lockOfKured()).to.equal(undefined);
      }));

    it('fills every place of a lock for several nodes', () =>
      withTemporaryFolder(async (folder) => {
        await install(['--concurrency=2']);
        const run = await drain(folder, {
          tasks: `shell: { cmd: "kubectl --kubeconfig DIR/kubeconfig get ds -n kube-system kured -o json > DIR/seen" }`,
        });
        expect(run.exitCode, run.said('Drained')).to.equal(0);
        const seen = JSON.parse(await readFile(join(folder, 'seen'), 'utf8')) as {
          metadata: { annotations: Record<string, string> };
        };
        const lock = JSON.parse(seen.metadata.annotations[lockName] ?? '') as { maxOwners: number; locks: unknown[] };
        expect(lock.maxOwners).to.equal(2);
        expect(lock.locks).to.have.length(2);
      }));

    it('waits while it reboots a node', () =>
      withTemporaryFolder(async (folder) => {
        const lock = {
          nodeID: 'node-3',
          metadata: { unschedulable: false },
          created: '2026-11-21T05:00:00.123456789Z',
          TTL: 0,
        };
        await install([], { [lockName]: JSON.stringify(lock) });
        const texts: string[] = [];
        const run = await drain(
          folder,
          {},
          {
            onEvent(event) {
              if (event.type !== 'host-task-progress' || !event.text.includes('kured')) return;
              texts.push(event.text);
              void cluster.patch(`${daemonSet}/kured`, { metadata: { annotations: { [lockName]: null } } });
            },
          },
        );
        expect(run.exitCode, run.said('Drained')).to.equal(0);
        expect(texts[0]).to.equal(
          "waiting for kured's lock (DaemonSet kube-system/kured), held by node-3 since 2026-11-21T05:00:00.123456789Z",
        );
      }));

    it('leaves it alone where it is told to', () =>
      withTemporaryFolder(async (folder) => {
        await install([], { [lockName]: '{"nodeID":"node-3","created":"2026-11-21T05:00:00Z","TTL":0}' });
        const run = await drain(folder, { more: ', kured: off' });
        expect(run.exitCode, run.said('Drained')).to.equal(0);
      }));
  });

  function putLock(spec: object): Promise<unknown> {
    return cluster.request('POST', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'runbook-node-maintenance', namespace: 'kube-system' },
      spec: { leaseDurationSeconds: 300, ...spec },
    });
  }
});

function microTime(secondsFromNow: number): string {
  return new Date(Date.now() + secondsFromNow * 1000).toISOString().replace('Z', '000Z');
}

/** Runs a module's steps on this machine. */
async function driveLocally<R>(steps: Generator<Step, R, StepResult>): Promise<R> {
  let turn = steps.next();
  while (!turn.done) {
    if (turn.value.kind !== 'exec') throw new Error(`not expected: ${turn.value.kind}`);
    turn = steps.next(await runLocally(turn.value.script, turn.value.stdin));
  }
  return turn.value;
}

async function letGo(folder: string): Promise<void> {
  await writeFile(join(folder, 'go'), '');
}

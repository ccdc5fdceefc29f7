import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AnyResource, ProbeOutput } from '../../engine/module/contract.ts';
import kubeNode from '../../modules/kube-node.ts';
import { checkedArguments, diffOf, output, stepsOf } from '../support/module-rig.ts';
import { failureOf } from './support.ts';

const module = kubeNode as AnyResource;
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/modules/kube/1.32/node-read.json', import.meta.url), 'utf8'),
) as ProbeOutput;
const recorded120 = JSON.parse(
  readFileSync(new URL('../fixtures/modules/kube/1.20/node-read.json', import.meta.url), 'utf8'),
) as ProbeOutput;
const socket = 'kubeadm.alpha.kubernetes.io/cri-socket';

describe('kube-node', () => {
  for (const [version, answer] of [['1.20', recorded120] as const, ['1.32', recorded] as const]) {
    it(`reads through kubectl ${version} what the cluster says of the node`, () => {
      const result = resultOf(answer);
      expect(result).to.include({
        runtime_version: 'docker://20.10.24+dfsg1',
        kubelet_version: 'v1.23.17',
        unschedulable: false,
        ready: true,
        internal_ip: '10.88.0.11',
        hostname: 'n1',
      });
      expect(result.annotations).to.include({ [socket]: '/var/run/dockershim.sock' });
    });
  }

  it('takes as heartbeat what is newer: the status or the Lease', () => {
    expect(resultOf(recorded).heartbeat).to.equal('2026-11-02T10:00:21.482913Z');
    const oldLease = replaced(recorded, '2026-11-02T10:00:21.482913Z', '2026-11-02T09:00:00.000000Z');
    expect(resultOf(oldLease).heartbeat).to.equal('2026-11-02T10:00:07Z');
    const noLease = replaced(recorded, '#runbook-answer lease 0', '#runbook-answer lease 1');
    expect(resultOf(noLease).heartbeat).to.equal('2026-11-02T10:00:07Z');
  });

  it('is satisfied when it has only to read', async () => {
    expect(await diffOf(module, { node: 'n1' }, recorded)).to.deep.equal([]);
  });

  it('sets and removes annotations and labels in one patch', async () => {
    const args = {
      node: 'n1',
      annotations: { [socket]: 'unix:///run/containerd/containerd.sock', absent: null },
      labels: { 'beta.kubernetes.io/os': null, 'kubernetes.io/os': 'linux' },
    };
    expect(await diffOf(module, args, recorded)).to.deep.equal([
      {
        path: `annotations.${socket}`,
        before: '/var/run/dockershim.sock',
        after: 'unix:///run/containerd/containerd.sock',
        resource: 'node:n1',
      },
      { path: 'labels.beta.kubernetes.io/os', before: 'linux', after: null, resource: 'node:n1' },
    ]);
    const [step, ...others] = await stepsOf(module, args, recorded);
    expect(others).to.deep.equal([]);
    expect(step?.kind === 'exec' && step.script.text).to.include(
      `patch node n1 --type=merge -p '{"metadata":{"annotations":{"${socket}":"unix:///run/containerd/containerd.sock","absent":null},` +
        `"labels":{"beta.kubernetes.io/os":null,"kubernetes.io/os":"linux"}}}'`,
    );
  });

  it('cordons and uncordons', async () => {
    const cordoned = replaced(recorded, '"podCIDR":', '"unschedulable": true, "podCIDR":');
    expect(await diffOf(module, { node: 'n1', unschedulable: true }, cordoned)).to.deep.equal([]);
    expect(await diffOf(module, { node: 'n1', unschedulable: false }, cordoned)).to.deep.equal([
      { path: 'spec.unschedulable', before: true, after: false, resource: 'node:n1' },
    ]);
    const [step] = await stepsOf(module, { node: 'n1', unschedulable: false }, cordoned);
    expect(step?.kind === 'exec' && step.script.text).to.include('"spec":{"unschedulable":null}');
  });

  it('says who refused when it may not patch', async () => {
    const refused = output('', 1, 'Error from server (Forbidden): nodes "n1" is forbidden: User "x" cannot patch');
    const message = await failureOf(
      stepsOf(module, { node: 'n1', annotations: { a: 'b' } }, recorded, { answers: [refused] }),
    );
    expect(message).to.include('node n1 cannot be changed: the API server refuses it (403)');
  });

  it('fails for a node that is not there, and for an API server that does not answer', async () => {
    expect(await failureOf(diffOf(module, { node: 'n1' }, missing))).to.include(
      'there is no such object in the cluster',
    );
    expect(await failureOf(diffOf(module, { node: 'n1' }, silent))).to.include('the API server cannot be reached');
  });

  describe('waits', () => {
    const migrated = replaced(recorded, 'docker://20.10.24+dfsg1', 'containerd://1.6.20');

    it('for the runtime, for Ready and for a status that is younger than the restart', () => {
      const wait = { runtime: 'containerd://', newer_than: '2026-11-02T10:00:05.250Z' };
      expect(answerOf(wait, migrated)).to.equal(true);
      expect(answerOf(wait, recorded)).to.equal('its runtime is docker://20.10.24+dfsg1');
    });

    it('not for the Lease: it is renewed before the first new status is posted', () => {
      const wait = { newer_than: '2026-11-02T10:00:20Z' };
      expect(answerOf(wait, migrated)).to.equal(
        'its status is from 2026-11-02T10:00:07Z, before 2026-11-02T10:00:20.000Z',
      );
    });

    it('with the reason of the kubelet when it is not Ready', () => {
      const down = replaced(
        migrated,
        /"reason": "KubeletReady",\s*"status": "True"/,
        '"reason": "KubeletNotReady", "status": "False"',
      );
      expect(answerOf({}, down)).to.match(/^it is not Ready \(KubeletNotReady: /);
      expect(answerOf({ ready: false }, down)).to.equal(true);
    });

    it('on while the API server is away or the node not registered yet, and twice in a row', () => {
      expect(answerOf({}, silent)).to.equal('the API server does not answer');
      expect(answerOf({}, missing)).to.equal('there is no such node');
      expect(settle({})).to.include({ timeoutMs: 300_000, intervalMs: 2000, consecutive: 2 });
    });

    it('on from the first question, unless something is to be changed too', async () => {
      for (const answer of [silent, missing]) {
        expect(await diffOf(module, { node: 'n1', wait: {} }, answer)).to.deep.equal([]);
        expect(resultOf(answer, { wait: {} })).to.deep.equal({});
        const args = { node: 'n1', wait: {}, annotations: { a: 'b' } };
        expect(await failureOf(diffOf(module, args, answer))).to.match(/cannot be reached|no such object/);
      }
    });

    it('not at all when it may not read the node', () => {
      const refused = output(
        '\n#runbook-answer node 1\n',
        0,
        'Error from server (Forbidden): no\n#runbook-answer node\n',
      );
      expect(() => answerOf({}, refused)).to.throw('refuses it (403)');
    });

    it('refuses a time that is none', () => {
      expect(() => settle({ newer_than: 'yesterday' })).to.throw('newer_than must be a time in ISO 8601');
    });
  });
});

const missing = output(
  '\n#runbook-answer node 1\n',
  0,
  'Error from server (NotFound): nodes "n1" not found\n\n#runbook-answer node\n',
);
const silent = output(
  '\n#runbook-answer node 1\n',
  0,
  'The connection to the server 10.88.0.1:6443 was refused - did you specify the right host or port?\n\n#runbook-answer node\n',
);

function resultOf(answer: ProbeOutput, more: Record<string, unknown> = {}): Record<string, unknown> {
  const args = checkedArguments(module, { node: 'n1', ...more });
  return { ...module.result?.(module.probe(args, undefined).parse(answer), args, undefined) };
}

function settle(wait: Record<string, unknown>) {
  const asked = module.settle?.(checkedArguments(module, { node: 'n1', wait }), undefined);
  if (!asked) throw new Error('nothing is waited for');
  return asked;
}

function answerOf(wait: Record<string, unknown>, answer: ProbeOutput): true | string {
  const asked = settle(wait);
  return asked.done(asked.probe.parse(answer));
}

function replaced(answer: ProbeOutput, what: string | RegExp, by: string): ProbeOutput {
  const stdout = answer.stdout.replaceAll(typeof what === 'string' ? what : new RegExp(what, 'g'), by);
  if (stdout === answer.stdout) throw new Error(`the recorded answer has no ${what}`);
  return { ...answer, stdout };
}

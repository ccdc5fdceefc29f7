import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AnyLease, Diff, ProbeOutput } from '../../engine/module/contract.ts';
import type { Step, StepResult } from '../../engine/module/step.ts';
import drain from '../../modules/kubectl-drain.ts';
import { evicteesOf, whatHolds } from '../../modules/lib/kube-drain.ts';
import { checkedArguments, output } from '../support/module-rig.ts';
import { mistakesOf } from './support.ts';

const lease = drain as AnyLease;
const usual = { node: 'n1', timeout: 7, grace_period: 1, delete_emptydir_data: true };

describe('kubectl-drain', () => {
  describe('says beforehand', () => {
    it('that it cordons, and which pods it evicts: not those of DaemonSets, static or finished ones', () => {
      expect(diffOf('1.32', 'plain')).to.deep.equal([
        { path: 'spec.unschedulable', before: false, after: true, resource: 'node:n1' },
        {
          path: 'pods to evict',
          before: ['default/web-7d4b9c6f5-k2x8p', 'default/web-7d4b9c6f5-zm4qd', 'default/cache-0'],
          after: [],
          resource: 'node:n1',
        },
      ]);
    });

    it('the same through kubectl 1.20', () => {
      expect(diffOf('1.20', 'plain')).to.deep.equal(diffOf('1.32', 'plain'));
    });

    it('which budget holds a pod now', () => {
      expect(JSON.stringify(diffOf('1.32', 'budget'))).to.include(
        'web-7d4b9c6f5-k2x8p (now held by PodDisruptionBudget default/web, which allows 0 disruptions (2 healthy, 2 wanted))',
      );
    });

    it('what kubectl would refuse, before the node is cordoned', () => {
      expect(() => diffOf('1.32', 'plain', { delete_emptydir_data: false })).to.throw(
        'default/cache-0: its emptyDir "scratch" would be lost (delete_emptydir_data: true allows it)',
      );
      expect(() => diffOf('1.32', 'plain', { ignore_daemonsets: false })).to.throw(
        'kube-system/kube-proxy-7rdsk: it belongs to a DaemonSet',
      );
    });

    it('that nothing is to be done for a node that a human has cordoned and emptied', () => {
      const emptied = withoutPods(recordedProbe('1.32', 'human'));
      expect(lease.diff(parse(emptied), args())).to.deep.equal([]);
    });

    it('that a cordon of an earlier run has to be taken over, even when the node is empty', () => {
      const emptied = withoutPods(recordedProbe('1.32', 'own'));
      expect(lease.diff(parse(emptied), args())).to.deep.equal([
        { path: 'runbook.io/drain', before: 'run-1', after: 'this run', resource: 'node:n1' },
      ]);
    });
  });

  describe('takes a node', () => {
    for (const version of ['1.20', '1.32']) {
      it(`with kubectl ${version}: cordons and says who holds it, reads back, drains, looks again`, () => {
        const { steps, grant } = acquire(version, 'plain');
        expect(steps.map(purpose)).to.deep.equal([
          'cordoning node n1',
          'reading node n1 back',
          'draining node n1',
          'listing the pods on node n1',
        ]);
        expect(text(steps[0])).to.include(
          `patch node n1 --type=merge -p '{"metadata":{"annotations":{"runbook.io/drain":"run-2"}},"spec":{"unschedulable":true}}'`,
        );
        expect(text(steps[2])).to.match(
          /drain n1 --timeout=7s --grace-period=1 --ignore-daemonsets --delete-emptydir-data$/,
        );
        expect(grant).to.deep.equal({
          node: 'n1',
          cordonedByUs: true,
          holder: 'run-2',
          evicted: ['default/web-7d4b9c6f5-k2x8p', 'default/web-7d4b9c6f5-zm4qd', 'default/cache-0'],
        });
      });

      it(`with kubectl ${version}: a cordon that the API server refuses is a failure, and there is nothing to undo`, () => {
        const { steps, error } = acquire(version, 'forbidden');
        expect(steps.map(purpose)).to.deep.equal(['cordoning node n1', 'the API server to answer', 'reading node n1']);
        expect(error?.message).to.include('cordoning node n1 failed: the API server refuses it (403)');
        expect(error?.message).to.include('cannot patch resource "nodes"');
        expect(error?.message).to.include('node n1 is not cordoned');
      });
    }

    it('with kubectl before 1.20 under the old name of the emptyDir option', () => {
      const old = recordedProbe('1.20', 'plain').stdout.replace('"minor": "20"', '"minor": "18+"');
      const { steps } = acquire('1.20', 'plain', {}, output(old));
      expect(text(steps[2])).to.include('--delete-local-data').and.not.include('--delete-emptydir-data');
    });

    it('and believes what it reads back, not that the PATCH was taken', () => {
      const answers = recordedSteps('1.32', 'plain.acquire');
      const untouched = recordedSteps('1.32', 'plain.release').at(-1) ?? output('');
      const { error } = drive(
        lease.acquire({ args: args(), current: parse(recordedProbe('1.32', 'plain')), runId: 'run-2' }),
        [answers[0] ?? output(''), untouched, untouched, untouched],
      );
      expect(error?.message).to.include('node n1 was not cordoned, although the API server took the change');
    });

    it('and looks whether it is still cordoned once it is empty', () => {
      const answers = recordedSteps('1.32', 'plain.acquire');
      const listed = answers[3] ?? output('');
      const uncordoned = output(listed.stdout.replace('"unschedulable": true', '"unschedulable": false'));
      expect(uncordoned.stdout).to.not.equal(listed.stdout);
      const current = parse(recordedProbe('1.32', 'plain'));
      const { error } = drive(lease.acquire({ args: args(), current, runId: 'run-2' }), [
        ...answers.slice(0, 3),
        uncordoned,
        ...recordedSteps('1.32', 'plain.release'),
      ]);
      expect(error?.message).to.include('somebody uncordoned node n1 while it was drained');
    });

    it('and when a budget holds its pods, names them and the budget, and uncordons again', () => {
      const { steps, error } = acquire('1.32', 'budget');
      expect(error?.message.split('\n')).to.deep.equal([
        'node n1 could not be drained: 2 pods are left (deadline 7 s)',
        'default/web-7d4b9c6f5-k2x8p: is held by PodDisruptionBudget default/web, which allows 0 disruptions (2 healthy, 2 wanted)',
        'default/web-7d4b9c6f5-zm4qd: is held by PodDisruptionBudget default/web, which allows 0 disruptions (2 healthy, 2 wanted)',
        'kubectl: error when evicting pods/"web-7d4b9c6f5-zm4qd" -n "default": global timeout reached: 7s',
        'node n1 was uncordoned again',
      ]);
      expect(steps.map(purpose).slice(4)).to.deep.equal([
        'the API server to answer',
        'reading node n1',
        'uncordoning node n1',
        'reading node n1 back',
      ]);
    });

    it('and when a pod does not end, says since when', () => {
      const { error } = acquire('1.32', 'stuck');
      expect(error?.message).to.include(
        'default/cache-0: is being deleted since 2026-11-02T10:00:30Z and has not ended',
      );
    });

    it('and says how to uncordon by hand when undoing fails too', () => {
      const answers = recordedSteps('1.32', 'budget.acquire').slice(0, 6);
      const refused = recordedSteps('1.32', 'forbidden.acquire')[0] ?? output('');
      const { error } = drive(
        lease.acquire({ args: args(), current: parse(recordedProbe('1.32', 'budget')), runId: 'run-2' }),
        [...answers, refused],
      );
      expect(error?.message).to.include('node n1 IS STILL CORDONED, because uncordoning failed too');
      expect(error?.message).to.include('kubectl uncordon n1 && kubectl annotate node n1 runbook.io/drain-');
    });

    it('also undoes when a step fails under it: a deadline, a lost link', () => {
      const generator = lease.acquire({
        args: args(),
        current: parse(recordedProbe('1.32', 'plain')),
        runId: 'run-2',
      });
      const answers = recordedSteps('1.32', 'plain.acquire');
      generator.next();
      generator.next(answers[0] ?? output(''));
      expect(purpose(generator.next(answers[1] ?? output('')).value as Step)).to.equal('draining node n1');
      expect(purpose(generator.throw(new Error('the link is lost')).value as Step)).to.equal(
        'the API server to answer',
      );
    });
  });

  describe('a node that a human cordoned', () => {
    it('is drained, but neither annotated nor uncordoned', () => {
      const { steps, grant } = acquire('1.32', 'human');
      expect(steps.map(purpose)).to.deep.equal(['draining node n1', 'listing the pods on node n1']);
      expect(grant).to.include({ cordonedByUs: false });
      expect(release('1.32', 'human', grant).steps).to.deep.equal([]);
    });
  });

  describe('a node that an earlier run kept', () => {
    it('is taken over and uncordoned in the end', () => {
      const { grant, steps } = acquire('1.32', 'own');
      expect(purpose(steps[0])).to.equal('cordoning node n1');
      expect(grant).to.include({ cordonedByUs: true, holder: 'run-2' });
      const { steps: given } = release('1.32', 'own', grant);
      expect(text(given[2])).to.include(
        `-p '{"metadata":{"annotations":{"runbook.io/drain":null}},"spec":{"unschedulable":null}}'`,
      );
    });

    it('stays cordoned when it cannot be drained: it was so before', () => {
      const answers = [
        ...recordedSteps('1.32', 'own.acquire').slice(0, 2),
        ...recordedSteps('1.32', 'budget.acquire').slice(2, 4),
      ];
      const current = parse(recordedProbe('1.32', 'own'));
      const { steps, error } = drive(lease.acquire({ args: args(), current, runId: 'run-2' }), answers);
      expect(steps).to.have.length(4);
      expect(error?.message).to.include('node n1 was cordoned before and stays so');
    });
  });

  describe('gives a node back', () => {
    it('waits for the API server, looks whether the cordon is still its own, uncordons, reads back', () => {
      const { steps, error } = release('1.32', 'plain', { cordonedByUs: true, holder: 'run-2' });
      expect(error).to.equal(undefined);
      expect(steps.map(purpose)).to.deep.equal([
        'the API server to answer',
        'reading node n1',
        'uncordoning node n1',
        'reading node n1 back',
      ]);
    });

    it('leaves a cordon that somebody took over meanwhile, and says so', () => {
      const { steps, error } = release('1.32', 'plain', { cordonedByUs: true, holder: 'run-1' });
      expect(steps).to.have.length(2);
      expect(error?.message).to.include('node n1 stays cordoned: its annotation runbook.io/drain now says "run-2"');
    });

    it('is done when somebody uncordoned it meanwhile', () => {
      const uncordoned = recordedSteps('1.32', 'plain.release').at(-1) ?? output('');
      const { error, steps } = drive(
        lease.release({ args: args(), grant: { node: 'n1', cordonedByUs: true, holder: 'run-2', evicted: [] } }),
        [uncordoned, uncordoned],
      );
      expect(error).to.equal(undefined);
      expect(steps).to.have.length(2);
    });
  });

  describe('fails clearly', () => {
    it('without the node', () => {
      expect(() => parse(recordedProbe('1.32', 'nonode'))).to.throw('node n1: there is no such object in the cluster');
    });

    it('without the API server', () => {
      expect(() => parse(recordedProbe('1.32', 'dead'))).to.throw('node n1: the API server cannot be reached');
    });

    it('without kubectl', () => {
      const missing = output(
        '\n#runbook-answer version 127\n',
        0,
        'sh: 1: kubectl: not found\n\n#runbook-answer version\n',
      );
      expect(() => parse(missing)).to.throw('kubectl: kubectl cannot be run where this task runs');
    });

    it('for a name that no node can have', () => {
      expect(mistakesOf(lease, { node: 'N1; rm' })[0]).to.include('must look like');
    });
  });

  describe('budgets', () => {
    const pod = (name: string, labels: Record<string, string>, namespace = 'default') => ({
      metadata: { name, namespace, uid: name, labels, ownerReferences: [{ kind: 'ReplicaSet', controller: true }] },
    });
    const budget = (name: string, selector: unknown, apiVersion = 'policy/v1') => ({
      apiVersion,
      metadata: { name, namespace: 'default' },
      spec: { selector },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 },
    });
    const rules = { ignore_daemonsets: true, delete_emptydir_data: false, force: false };
    const evictees = (pods: unknown[], budgets: unknown[]) =>
      evicteesOf(
        { name: 'pods', ...output(JSON.stringify({ items: pods })) },
        { name: 'budgets', ...output(JSON.stringify({ items: budgets })) },
        rules,
      );
    const names = (selector: unknown, labels: Record<string, string>, apiVersion?: string, namespace?: string) =>
      evictees([pod('p', labels, namespace)], [budget('b', selector, apiVersion)])[0]?.budgets.map((b) => b.name);

    it('cover what their selector selects, in their namespace', () => {
      const inWeb = { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'api'] }] };
      expect(names(inWeb, { app: 'web' })).to.deep.equal(['default/b']);
      expect(names(inWeb, { app: 'db' })).to.deep.equal([]);
      expect(names(inWeb, { app: 'web' }, 'policy/v1', 'other')).to.deep.equal([]);
      const notOld = { matchExpressions: [{ key: 'old', operator: 'DoesNotExist' }] };
      expect(names(notOld, { app: 'web' })).to.deep.equal(['default/b']);
    });

    it('with an empty selector cover every pod in policy/v1, and none in v1beta1', () => {
      expect(names({}, { app: 'web' })).to.deep.equal(['default/b']);
      expect(names({}, { app: 'web' }, 'policy/v1beta1')).to.deep.equal([]);
    });

    it('two over one pod are an error that no waiting cures', () => {
      const left = evictees([pod('p', { app: 'web' })], [budget('a', {}), budget('b', {})]);
      expect(whatHolds(left, left)[0]).to.equal(
        'default/p: is covered by 2 PodDisruptionBudgets (default/a, default/b); the API server evicts no such pod',
      );
    });

    it('are not to blame for a pod that came after the cordon', () => {
      const left = evictees([pod('new', {})], []);
      expect(whatHolds(left, [])[0]).to.include('came after the node was cordoned');
    });

    it('may be unreadable: the drain works all the same', () => {
      const pods = { name: 'pods', ...output(JSON.stringify({ items: [pod('p', {})] })) };
      expect(evicteesOf(pods, { name: 'budgets', ...output('', 1, 'Forbidden') }, rules)).to.have.length(1);
    });
  });
});

function args(more: Record<string, unknown> = {}): never {
  return checkedArguments(lease, { ...usual, ...more });
}

function recordedProbe(version: string, name: string): ProbeOutput {
  return JSON.parse(readFileSync(fixture(version, `${name}.probe`), 'utf8')) as ProbeOutput;
}

function recordedSteps(version: string, name: string): StepResult[] {
  return JSON.parse(readFileSync(fixture(version, name), 'utf8')) as StepResult[];
}

function fixture(version: string, name: string): URL {
  return new URL(`../fixtures/modules/kube/${version}/${name}.json`, import.meta.url);
}

function parse(recorded: ProbeOutput, more: Record<string, unknown> = {}): unknown {
  return lease.probe(args(more)).parse(recorded);
}

function diffOf(version: string, name: string, more: Record<string, unknown> = {}): Diff {
  return lease.diff(parse(recordedProbe(version, name), more), args(more));
}

/** The same answer for a node without pods. */
function withoutPods(recorded: ProbeOutput): ProbeOutput {
  const end = recorded.stdout.indexOf('#runbook-answer node 0') + '#runbook-answer node 0'.length;
  const budgets = recorded.stdout.slice(recorded.stdout.indexOf('#runbook-answer pods 0'));
  return { ...recorded, stdout: `${recorded.stdout.slice(0, end)}\n{"items":[]}\n${budgets}` };
}

interface Driven {
  readonly steps: Step[];
  readonly grant?: Record<string, unknown>;
  readonly error?: Error;
}

function acquire(version: string, name: string, more: Record<string, unknown> = {}, probed?: ProbeOutput): Driven {
  const current = parse(probed ?? recordedProbe(version, name), more);
  return drive(lease.acquire({ args: args(more), current, runId: 'run-2' }), recordedSteps(version, `${name}.acquire`));
}

function release(version: string, name: string, grant: unknown): Driven {
  return drive(lease.release({ args: args(), grant }), recordedSteps(version, `${name}.release`));
}

function drive(generator: Generator<Step, unknown, StepResult>, answers: readonly StepResult[]): Driven {
  const steps: Step[] = [];
  try {
    let turn = generator.next();
    while (!turn.done) {
      const answer = answers[steps.length];
      if (answer === undefined) throw new Error(`no answer is recorded for: ${purpose(turn.value)}`);
      steps.push(turn.value);
      turn = generator.next(answer);
    }
    return { steps, ...(turn.value !== undefined && { grant: turn.value as Record<string, unknown> }) };
  } catch (error) {
    return { steps, error: error as Error };
  }
}

function purpose(step: Step | undefined): string {
  if (step?.kind === 'wait') return step.wait.what;
  return (step?.kind === 'exec' ? step.purpose : undefined) ?? '';
}

function text(step: Step | undefined): string {
  return step?.kind === 'exec' ? step.script.text : '';
}

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AnyLease, Diff, ProbeOutput } from '../../engine/module/contract.ts';
import type { Step, StepResult } from '../../engine/module/step.ts';
import drain from '../../modules/kubectl-drain.ts';
import { evicteesOf, whatHolds } from '../../modules/lib/kube-drain.ts';
import { checkedArguments, output } from '../support/module-rig.ts';
import { mistakesOf } from './support.ts';

const lease = drain as AnyLease;
// What was recorded knows no lock; that is tested against an API, in kubectl-drain-lock.test.ts.
const usual = { node: 'n1', timeout: 7, grace_period: 1, delete_emptydir_data: true, maintenance_lock: false };
const patched = ['cordoning node n1', 'reading node n1 back'];
/** Of a node that takes no pods already. */
const noted = ['noting who holds node n1', 'reading node n1 back'];
const drained = ['draining node n1', 'listing the pods on node n1'];
const given = ['the API server to answer', 'reading node n1', 'uncordoning node n1', 'reading node n1 back'];

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
        expect(steps.map(purpose)).to.deep.equal([...patched, ...drained]);
        const { metadata, spec } = patchIn(steps[0]);
        expect(spec).to.deep.equal({ unschedulable: true });
        expect(metadata.resourceVersion).to.match(/^\d+$/);
        expect(holderIn(steps[0])).to.deep.equal({
          run: 'run-2',
          by: 'ops@ctl',
          since: '2026-11-21T05:15:00Z',
          schedulable: true,
          renewed: '2026-11-21T05:15:00Z',
        });
        expect(text(steps[2])).to.match(
          /drain n1 --timeout=5s --grace-period=1 --ignore-daemonsets --delete-emptydir-data$/,
        );
        expect(grant).to.deep.equal({
          node: 'n1',
          run: 'run-2',
          by: 'ops@ctl',
          since: '2026-11-21T05:15:00Z',
          schedulable: true,
        });
      });

      it(`with kubectl ${version}: a cordon that the API server refuses is a failure, and there is nothing to undo`, () => {
        const { steps, error, grant } = acquire(version, 'forbidden');
        expect(steps.map(purpose)).to.deep.equal(['cordoning node n1']);
        expect(error?.message).to.include('cordoning node n1 failed: the API server refuses it (403)');
        expect(error?.message).to.include('cannot patch resource "nodes"');
        const untouched = recordedSteps(version, 'forbidden.acquire').slice(1);
        const undone = drive(releasing(grant, { isUndo: true }), { 'reading node n1': untouched.slice(1) });
        expect(undone.error).to.equal(undefined);
        expect(undone.steps.map(purpose)).to.deep.equal(given.slice(0, 2));
      });
    }

    it('with kubectl before 1.20 under the old name of the emptyDir option', () => {
      const old = recordedProbe('1.20', 'plain').stdout.replace('"minor": "20"', '"minor": "18+"');
      const { steps } = acquire('1.20', 'plain', {}, output(old));
      expect(text(steps[2])).to.include('--delete-local-data').and.not.include('--delete-emptydir-data');
    });

    it('and believes what it reads back, not that the PATCH was taken', () => {
      const untouched = recordedSteps('1.32', 'plain.release').at(-1) ?? output('');
      const { error } = acquire('1.32', 'plain', {}, undefined, { 'reading node n1 back': [untouched] });
      expect(error?.message).to.include('node n1 was not cordoned, although the API server took the change');
    });

    it('and looks whether it is still cordoned once it is empty', () => {
      const listed = recordedSteps('1.32', 'plain.acquire')[3] ?? output('');
      const uncordoned = output(listed.stdout.replace('"unschedulable": true', '"unschedulable": false'));
      expect(uncordoned.stdout).to.not.equal(listed.stdout);
      const { error } = acquire('1.32', 'plain', {}, undefined, { 'listing the pods on node n1': [uncordoned] });
      expect(error?.message).to.include('somebody uncordoned node n1 while it was drained');
    });

    it('and when a budget holds its pods, tells while it waits, tries until the deadline, and names them and the budget', () => {
      const { steps, error, waits } = acquire('1.32', 'budget');
      expect(error?.message.split('\n')).to.deep.equal([
        'node n1 could not be drained: 2 pods are left (deadline 7 s)',
        'default/web-7d4b9c6f5-k2x8p: is held by PodDisruptionBudget default/web, which allows 0 disruptions (2 healthy, 2 wanted)',
        'default/web-7d4b9c6f5-zm4qd: is held by PodDisruptionBudget default/web, which allows 0 disruptions (2 healthy, 2 wanted)',
      ]);
      const wait = 'eviction of web-7d4b9c6f5-k2x8p (PodDisruptionBudget web) and 1 more pod, 7 s in all';
      expect(waits).to.deep.equal([wait]);
      expect(steps.filter((step) => purpose(step) === 'draining node n1').map(timeoutOf)).to.deep.equal(['5s', '1s']);
    });

    it('and when a pod does not end, says since when', () => {
      const { error } = acquire('1.32', 'stuck');
      expect(error?.message).to.include(
        'default/cache-0: is being deleted since 2026-11-02T10:00:30Z and has not ended',
      );
    });

    it('and when kubectl fails for another reason than time, tries no second round', () => {
      const refused = output(
        '',
        1,
        'error when evicting pods/"web" -n "default": admission webhook denied the request',
      );
      const { error, steps } = acquire('1.32', 'budget', {}, undefined, { 'draining node n1': [refused] });
      expect(error?.message).to.include(
        'kubectl: error when evicting pods/"web" -n "default": admission webhook denied',
      );
      expect(steps.map(purpose)).to.deep.equal([...patched, ...drained]);
    });

    it('that a human cordons after it was looked at: that is seen, and it stays cordoned in the end', () => {
      const conflict = output('', 1, 'Error from server (Conflict): Operation cannot be fulfilled on nodes "n1"');
      const cordoned = output(JSON.stringify({ metadata: { resourceVersion: '99' }, spec: { unschedulable: true } }));
      const { steps, error } = acquire('1.32', 'plain', {}, undefined, {
        'cordoning node n1': [conflict],
        'reading node n1': [cordoned],
      });
      expect(error).to.equal(undefined);
      expect(steps.map(purpose).slice(0, 3)).to.deep.equal([
        'cordoning node n1',
        'reading node n1',
        'noting who holds node n1',
      ]);
      expect(patchIn(steps[2])).to.not.have.property('spec');
      expect(patchIn(steps[2]).metadata.resourceVersion).to.equal('99');
      expect(holderIn(steps[2])).to.include({ run: 'run-2', schedulable: false });
    });

    it('that another run is at work on: it is waited for, and named when it does not end', () => {
      const theirs = { run: 'run-9', by: 'ann@ctl-2', since: '2026-11-21T05:00:00Z', schedulable: true };
      const text = JSON.stringify({ ...theirs, renewed: '2026-11-21T05:14:30Z' });
      const { steps, error, waits } = acquire('1.32', 'plain', {}, annotated('plain', text), {
        'reading node n1': [nodeOf(text)],
      });
      const who = 'run run-9 (ann@ctl-2) since 2026-11-21T05:00:00Z';
      expect(error?.message).to.equal(`node n1 is still held by ${who}`);
      expect(waits).to.deep.equal(Array(2).fill(`node n1, held by ${who}, 7 s in all`));
      expect(steps.map(purpose)).to.not.include('cordoning node n1');
    });

    for (const [why, more] of [
      ['has not renewed it for long', { renewed: '2026-11-21T05:00:00Z' }],
      ['has ended and kept it', { renewed: '2026-11-21T05:14:59Z', kept: 'the block failed' }],
    ] as const) {
      it(`of a run that ${why}: it is taken over, with what that one knew of it`, () => {
        const text = JSON.stringify({ run: 'run-9', schedulable: false, ...more });
        const { steps, grant } = acquire('1.32', 'plain', {}, annotated('plain', text));
        expect(steps.map(purpose)).to.deep.equal([...noted, ...drained]);
        expect(grant).to.include({ run: 'run-2', schedulable: false, former: text });
        expect(holderIn(steps[0])).to.include({ run: 'run-2', schedulable: false });
      });
    }
  });

  describe('a node that a human cordoned', () => {
    it('is drained, and says who holds it; giving it back leaves it cordoned', () => {
      const { steps, grant } = acquire('1.32', 'human', {}, undefined, {
        'reading node n1 back': [recordedSteps('1.32', 'plain.acquire')[1] ?? output('')],
      });
      expect(steps.map(purpose)).to.deep.equal([...noted, ...drained]);
      expect(holderIn(steps[0])).to.include({ run: 'run-2', schedulable: false });
      expect(grant).to.include({ schedulable: false });
      const held = nodeOf(JSON.stringify({ run: 'run-2', schedulable: false }));
      const back = drive(releasing(grant), { 'reading node n1': [held], 'reading node n1 back': [nodeOf()] });
      expect(back.error).to.equal(undefined);
      expect(back.steps.map(purpose)[2]).to.equal('letting go of node n1');
      expect(patchIn(back.steps[2])).to.deep.equal({
        metadata: { resourceVersion: '7', annotations: { 'runbook.io/drain': null } },
      });
    });
  });

  describe('a node that an earlier run kept', () => {
    it('is taken over, also with the annotation of older versions, and uncordoned in the end', () => {
      const { grant, steps } = acquire('1.32', 'own');
      expect(purpose(steps[0])).to.equal('noting who holds node n1');
      expect(grant).to.include({ run: 'run-2', schedulable: true, former: 'run-1' });
      const back = release('1.32', 'own', grant);
      const { metadata, spec } = patchIn(back.steps[2]);
      expect(metadata.annotations).to.deep.equal({ 'runbook.io/drain': null });
      expect(spec).to.deep.equal({ unschedulable: null });
    });

    it('stays cordoned and its own when it cannot be drained', () => {
      const held = nodeOf(JSON.stringify({ run: 'run-2', schedulable: true }));
      const grant = { node: 'n1', run: 'run-2', by: 'ops@ctl', schedulable: true, former: 'run-1' };
      const { steps, error } = drive(releasing(grant, { isUndo: true }), { 'reading node n1': [held] });
      expect(error).to.equal(undefined);
      expect(steps.map(purpose).slice(2)).to.deep.equal(['leaving to its former holder node n1']);
      expect(patchIn(steps[2])).to.deep.equal({
        metadata: { resourceVersion: '7', annotations: { 'runbook.io/drain': 'run-1' } },
      });
    });
  });

  describe('keeps a node', () => {
    const grant = { node: 'n1', run: 'run-2', by: 'ops@ctl', since: '2026-11-21T05:15:00Z', schedulable: true };
    const held = JSON.stringify({ run: 'run-2', schedulable: true, renewed: '2026-11-21T05:15:00Z' });

    it('by saying again that it holds it', () => {
      const { steps, result } = drive(renewing(grant), { 'reading node n1': [nodeOf(held)] });
      expect(result).to.equal(undefined);
      expect(holderIn(steps[1])).to.deep.equal({ run: 'run-2', schedulable: true, renewed: '2026-11-21T05:15:00Z' });
    });

    it('and decides anew when the node has changed in between', () => {
      const conflict = output('', 1, 'Error from server (Conflict): the object has been modified');
      const other = nodeOf(JSON.stringify({ run: 'run-3', by: 'ann@ctl-2', schedulable: true }));
      const { result } = drive(renewing(grant), {
        'reading node n1': [nodeOf(held), other],
        'renewing the hold on node n1': [conflict],
      });
      expect(result).to.deep.equal({
        lost: 'node n1 is not held by this run any more: its annotation runbook.io/drain now says run run-3 (ann@ctl-2)',
      });
    });

    it('and has lost it when somebody uncordons it', () => {
      const { result } = drive(renewing(grant), { 'reading node n1': [nodeOf(held, false)] });
      expect(result).to.deep.equal({ lost: 'somebody uncordoned node n1 while this run held it' });
    });
  });

  describe('gives a node back', () => {
    const grant = { node: 'n1', run: 'run-2', by: 'ops@ctl', schedulable: true };

    it('waits for the API server, looks whether the cordon is still its own, uncordons, reads back', () => {
      const { steps, error, result } = release('1.32', 'plain', grant);
      expect(error).to.equal(undefined);
      expect(result).to.equal(undefined);
      expect(steps.map(purpose)).to.deep.equal(given);
    });

    it('leaves a cordon that somebody took over meanwhile, and says so', () => {
      const { steps, result } = release('1.32', 'plain', { ...grant, run: 'run-1' });
      expect(steps).to.have.length(2);
      expect((result as { lost: string }).lost).to.include(
        'node n1 stays cordoned: its annotation runbook.io/drain now says run run-2 while this run held it',
      );
    });

    it('says how to uncordon by hand when somebody took its annotation away', () => {
      const { result } = drive(releasing(grant), { 'reading node n1': [nodeOf()] });
      expect((result as { lost: string }).lost)
        .to.include('its annotation runbook.io/drain was removed')
        .and.include('kubectl uncordon n1 && kubectl annotate node n1 runbook.io/drain-');
    });

    it('is done when somebody uncordoned it meanwhile', () => {
      const uncordoned = recordedSteps('1.32', 'plain.release').at(-1) ?? output('');
      const { error, steps } = drive(releasing(grant), { 'reading node n1': [uncordoned] });
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
  readonly steps: readonly Step[];
  readonly result?: unknown;
  /** What was waited for, each with the time that it has. */
  readonly waits: readonly string[];
  readonly error?: Error;
}

const started = Date.parse('2026-11-21T05:15:00Z');
let time = started;
const run = { runId: 'run-2', who: 'ops@ctl', host: 'h1', now: () => time };

type Answers = Readonly<Record<string, readonly StepResult[]>>;

function acquire(
  version: string,
  name: string,
  more: Record<string, unknown> = {},
  probed?: ProbeOutput,
  answers: Answers = {},
): Driven & { readonly grant: Record<string, unknown> } {
  time = started;
  const current = parse(probed ?? recordedProbe(version, name), more);
  const grant = lease.grant({ args: args(more), current, ...run }) as Record<string, unknown>;
  const recorded = recordedSteps(version, `${name}.acquire`);
  const known =
    name === 'human'
      ? { ...named(drained, recorded), [patched[0] ?? '']: [output('')] }
      : named([...patched, ...drained], recorded);
  return { ...drive(lease.acquire({ args: args(more), current, grant, ...run }), { ...known, ...answers }), grant };
}

function release(version: string, name: string, grant: unknown): Driven {
  return drive(releasing(grant), named(given, recordedSteps(version, `${name}.release`)));
}

function releasing(grant: unknown, { isUndo = false } = {}): Generator<Step, unknown, StepResult> {
  time = started;
  return lease.release({ args: args(), grant, isUndo, ...run });
}

function renewing(grant: unknown): Generator<Step, unknown, StepResult> {
  time = started;
  return lease.renew?.({ args: args(), grant, ...run }) as Generator<Step, unknown, StepResult>;
}

/** Answers by what they answer. */
function named(purposes: readonly string[], answers: readonly StepResult[]): Answers {
  return Object.fromEntries(purposes.flatMap((what, i) => (answers[i] ? [[what, [answers[i]]]] : [])));
}

/** Drives a module with answers by purpose; the last one of a purpose holds from there on. Time passes where it would. */
function drive(generator: Generator<Step, unknown, StepResult>, answers: Answers): Driven {
  const steps: Step[] = [];
  const waits: string[] = [];
  const seen = new Map<string, number>();
  try {
    let turn = generator.next();
    while (!turn.done) {
      const step = turn.value;
      if (step.kind === 'pause') {
        waits.push(`${step.waitingFor}, ${(step.deadlineMs - step.sinceMs) / 1000} s in all`);
        time += step.ms;
        turn = generator.next(output(''));
        continue;
      }
      steps.push(step);
      if (steps.length > 50) throw new Error('it does not end');
      if (purpose(step) === 'draining node n1') time += Number.parseInt(timeoutOf(step), 10) * 1000;
      const known = answers[purpose(step)] ?? [output('')];
      const number = seen.get(purpose(step)) ?? 0;
      seen.set(purpose(step), number + 1);
      turn = generator.next(known[number] ?? known.at(-1) ?? output(''));
    }
    return { steps, waits, result: turn.value };
  } catch (error) {
    return { steps, waits, error: error as Error };
  }
}

function purpose(step: Step | undefined): string {
  if (step?.kind === 'wait') return step.wait.what;
  return (step?.kind === 'exec' ? step.purpose : undefined) ?? '';
}

function text(step: Step | undefined): string {
  return step?.kind === 'exec' ? step.script.text : '';
}

function timeoutOf(step: Step | undefined): string {
  return /--timeout=(\S+)/.exec(text(step))?.[1] ?? '';
}

/** What a step patches. */
function patchIn(step: Step | undefined): { metadata: Record<string, unknown>; spec?: unknown } {
  const [, json = 'null'] = / -p '(.*)' -o name$/.exec(text(step)) ?? [];
  return JSON.parse(json) as { metadata: Record<string, unknown> };
}

/** Who a step says that holds the node. */
function holderIn(step: Step | undefined): unknown {
  const { annotations } = patchIn(step).metadata as { annotations: Record<string, string> };
  return JSON.parse(annotations['runbook.io/drain'] ?? 'null');
}

/** A Node with this annotation. */
function nodeOf(annotation?: string, unschedulable = true): ProbeOutput {
  const annotations = annotation === undefined ? {} : { 'runbook.io/drain': annotation };
  return output(JSON.stringify({ metadata: { resourceVersion: '7', annotations }, spec: { unschedulable } }));
}

/** A recorded probe's answer, of a cordoned node with this annotation. */
function annotated(name: string, annotation: string): ProbeOutput {
  const recorded = recordedProbe('1.32', name);
  const [before = '', node = '', ...rest] = recorded.stdout.split(
    /(?<=#runbook-answer version 0)|(?=#runbook-answer node 0)/,
  );
  const object = JSON.parse(node) as { metadata: { annotations: object }; spec: object };
  const held = {
    ...object,
    metadata: { ...object.metadata, annotations: { 'runbook.io/drain': annotation } },
    spec: { ...object.spec, unschedulable: true },
  };
  return { ...recorded, stdout: [before, `\n${JSON.stringify(held)}\n`, ...rest].join('') };
}

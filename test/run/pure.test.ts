import { expect } from 'chai';
import fc from 'fast-check';
import { createEventBus, type HostSummary, type StampedEvent } from '../../engine/base/events.ts';
import { createMasker, type Masker } from '../../engine/base/masker.ts';
import type { Task } from '../../engine/language/playbook.ts';
import { cutBatches } from '../../engine/run/batches.ts';
import { exitCodeOf } from '../../engine/run/exit-code.ts';
import { maskValue } from '../../engine/run/journal/values.ts';
import { releaseDecision } from '../../engine/run/lease-hold.ts';
import { maskedBus } from '../../engine/run/masking.ts';
import { createPredictedState } from '../../engine/run/predicted.ts';
import { isSelected } from '../../engine/run/selection.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { play } from '../support/play.ts';

describe('serial', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'];
  it('is one batch where nothing is said', () => expect(cutBatches(hosts, [])).to.deep.equal([hosts]));
  it('repeats the last size', () =>
    expect(cutBatches(hosts, [{ hosts: 1 }, { hosts: 2 }])).to.deep.equal([['a'], ['b', 'c'], ['d', 'e']]));
  it('takes percentages of all hosts, at least one', () => {
    expect(cutBatches(hosts, [{ percent: 40 }])).to.deep.equal([['a', 'b'], ['c', 'd'], ['e']]);
    expect(cutBatches(hosts, [{ percent: 1 }])[0]).to.deep.equal(['a']);
  });
  it('gives every host exactly one batch, in order', () => {
    const size = fc.oneof(
      fc.record({ hosts: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 50 }), fc.array(size, { maxLength: 4 }), (all, sizes) => {
        const batches = cutBatches(all, sizes);
        expect(batches.flat()).to.deep.equal(all);
        expect(batches.every((batch) => batch.length > 0)).to.equal(true);
      }),
    );
  });
});

describe('tags', () => {
  const task = (...tags: string[]): Task => ({ tags }) as unknown as Task;
  const table: [string[], string[], string[], boolean][] = [
    [['a'], [], [], true],
    [['a'], ['a'], [], true],
    [['a'], ['b'], [], false],
    [['a', 'b'], ['a'], ['b'], false],
    [['always'], ['b'], [], true],
    [['always'], ['b'], ['always'], false],
    [['never'], [], [], false],
    [['never', 'clean'], ['clean'], [], true],
    [[], ['all'], [], true],
    [['always', 'never'], [], [], true],
    [['a'], ['tagged'], [], true],
    [['a', 'never'], ['tagged'], [], false],
    [[], ['tagged'], [], false],
    [[], ['untagged'], [], true],
    [['a'], ['untagged'], [], false],
    [['a'], [], ['tagged'], false],
    [[], [], ['tagged'], true],
    [[], [], ['untagged'], false],
    [['a'], [], ['untagged'], true],
    [['a'], [], ['all'], false],
    [['always'], [], ['all'], true],
    [['always'], [], ['all', 'always'], false],
  ];
  for (const [tags, only, skip, expected] of table) {
    it(`[${tags}] with --tags [${only}] --skip-tags [${skip}] is ${expected ? 'in' : 'out'}`, () =>
      expect(isSelected(task(...tags), only, skip)).to.equal(expected));
  }
});

describe('the exit code', () => {
  const none = { ok: 1, changed: 0, skipped: 0, unknown: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 };
  const host = (state: HostSummary['state'], counts: Partial<HostSummary['counts']> = {}) => ({
    state,
    counts: { ...none, ...counts },
  });
  const end = { isCheckMode: false, isInterrupted: false, isStopped: false };
  const table: [string, number, Parameters<typeof exitCodeOf>[0]][] = [
    ['done', 0, { ...end, summary: [host('ok'), host('changed', { changed: 2 })] }],
    ['a failed host beside an unreachable one', 2, { ...end, summary: [host('failed'), host('unreachable')] }],
    ['only unreachable', 4, { ...end, summary: [host('ok'), host('unreachable')] }],
    ['a host that was rolled back', 7, { ...end, summary: [host('changed'), host('rolled-back', { failed: 1 })] }],
    ['rolled back beside unreachable', 4, { ...end, summary: [host('rolled-back'), host('unreachable')] }],
    ['rolled back beside failed', 2, { ...end, summary: [host('rolled-back'), host('failed')] }],
    [
      'the budget, one rolled back',
      6,
      { ...end, isStopped: true, summary: [host('rolled-back'), host('not-started')] },
    ],
    ['check: a difference', 3, { ...end, isCheckMode: true, summary: [host('changed', { changed: 1 })] }],
    ['check: unknown', 3, { ...end, isCheckMode: true, summary: [host('ok', { unknown: 1 })] }],
    ['check: nothing', 0, { ...end, isCheckMode: true, summary: [host('ok')] }],
    ['the budget', 6, { ...end, isStopped: true, summary: [host('failed'), host('not-started')] }],
    ['interrupted', 130, { ...end, isInterrupted: true, isStopped: true, summary: [host('interrupted')] }],
  ];
  for (const [title, code, input] of table) it(`${code}: ${title}`, () => expect(exitCodeOf(input)).to.equal(code));
});

describe('a lease at the end of its block', () => {
  const clause = (onFailure: 'auto' | 'keep' | 'release') => ({ onFailure }) as Parameters<typeof releaseDecision>[0];
  const table: ['auto' | 'keep' | 'release', boolean, 'succeeded' | 'failed' | 'interrupted', boolean][] = [
    ['auto', true, 'succeeded', true],
    ['keep', true, 'succeeded', true],
    ['auto', false, 'failed', true],
    ['auto', true, 'failed', false],
    ['release', true, 'failed', true],
    ['keep', false, 'failed', false],
    ['auto', true, 'interrupted', false],
    ['auto', false, 'interrupted', true],
  ];
  for (const [policy, hasEffects, how, released] of table) {
    it(`${how}, ${hasEffects ? 'something' : 'nothing'} changed, on_failure ${policy}: ${released ? 'released' : 'kept'}`, () =>
      expect(releaseDecision(clause(policy), { hasEffects }, how).release).to.equal(released));
  }
});

describe('predicted state', () => {
  it('remembers changes by resource, and that there were any', () => {
    const predicted = createPredictedState();
    expect(predicted.any).to.equal(false);
    predicted.record([
      { path: 'ActiveState', before: 'active', after: 'inactive', resource: 'unit:docker.service' },
      { path: 'x', before: 1, after: 2 },
    ]);
    expect(predicted.any).to.equal(true);
    expect(predicted.of('unit:docker.service')).to.deep.equal({ ActiveState: 'inactive' });
    expect(predicted.of('unit:other.service')).to.deep.equal({});
  });
});

function knowing(text: string): Masker {
  const masker = createMasker();
  masker.secret(text);
  return masker;
}

describe('masking', () => {
  it('keeps a secret out of every text of an event, in plain and in base64', () => {
    const seen: StampedEvent[] = [];
    const bus = createEventBus(
      () => 0,
      () => undefined,
    );
    bus.subscribe((event) => seen.push(event));
    const base64 = Buffer.from('s3cret').toString('base64');
    maskedBus(bus, knowing('s3cret')).emit({ type: 'stopping', reason: `sudo said s3cret and ${base64}` });
    expect(seen[0]).to.have.property('reason', 'sudo said ******** and ********');
  });

  it('leaves the words alone by which events are told apart, whatever the secret is', () => {
    const seen: StampedEvent[] = [];
    const bus = createEventBus(Date.now, () => {});
    bus.subscribe((event) => seen.push(event));
    maskedBus(bus, knowing('stopping')).emit({ type: 'stopping', reason: 'stopping' });
    expect(seen[0]).to.include({ type: 'stopping', reason: '********' });
  });

  it('keeps a secret out of what hosts and modules say, where it is a key or a number, too, and leaves all else as it is', () => {
    const seen: StampedEvent[] = [];
    const bus = createEventBus(Date.now, () => {});
    bus.subscribe((event) => seen.push(event));
    const task = { id: '1', name: 'It', module: 'copy', place: 'play.yaml:1:1' };
    const result = { type: 'host-task-ended', task, host: 'h1', outcome: 'changed', durationMs: 1 } as const;
    const change = { path: 'pin', before: { 314159: 1, n: [1, 314159n, null] }, after: { kept: ['x', 314159, true] } };
    maskedBus(bus, knowing('314159')).emit({ ...result, changes: [change] });
    const hidden = {
      path: 'pin',
      before: { '********': 1, n: [1, '********', null] },
      after: { kept: ['x', '********', true] },
    };
    expect(seen[0]).to.deep.include({ ...result, changes: [hidden] });
    expect(maskValue([change, undefined], knowing('314159'))).to.deep.equal([hidden, undefined]);
    expect(maskValue(change, knowing('something else'))).to.deep.equal({
      ...change,
      before: { 314159: 1, n: [1, { $bigint: '314159' }, null] },
    });
  });

  it('covers the passwords of the inventory', () =>
    withTemporaryFolder(async (folder) => {
      const files = {
        'hosts.ini': '[all:vars]\nansible_connection=local\nansible_become_password=hunter2\n[web]\nh1\n',
        'play.yaml': '- hosts: h1\n  tasks: [{ debug: { message: "{{ ansible_become_password }}" } }]\n',
      };
      const run = await play(folder, files);
      expect(run.summary[0]?.state).to.equal('ok');
      expect(JSON.stringify(run.events)).to.not.contain('hunter2');
    }));
});

import { expect } from 'chai';
import { heldBy, kuredOf, ownersOf } from '../../modules/lib/kube-kured.ts';

const now = Date.parse('2026-11-21T06:00:00Z');

/** kured as its DaemonSet says, with this lock. */
function kured(text?: string, container: object = {}, annotation = 'weave.works/kured-node-lock') {
  const metadata = { name: 'kured', namespace: 'kube-system', resourceVersion: '7' };
  const annotations = text === undefined ? {} : { [annotation]: text };
  return kuredOf({
    metadata: { ...metadata, annotations },
    spec: { template: { spec: { containers: [container] } } },
  });
}

const lock = (nodeID: string, more: object = {}) => ({
  nodeID,
  metadata: { unschedulable: false },
  created: '2026-11-21T05:50:00.123456789Z',
  TTL: 0,
  ...more,
});

describe("kured's lock", () => {
  const owners: readonly (readonly [what: string, text: string | undefined, ids: readonly string[]])[] = [
    ['nobody has it where there is no annotation', undefined, []],
    ['a node has it', JSON.stringify(lock('node-3')), ['node-3']],
    ['one whose time is over does not', JSON.stringify(lock('node-3', { TTL: 5 * 60e9 })), []],
    ['one whose time is not over does', JSON.stringify(lock('node-3', { TTL: 30 * 60e9 })), ['node-3']],
    ['several nodes', JSON.stringify({ maxOwners: 2, locks: [lock('node-1'), lock('node-3')] }), ['node-1', 'node-3']],
    ['several, given back', JSON.stringify({ maxOwners: 2, locks: null }), []],
  ];
  for (const [what, text, ids] of owners) {
    it(`is read: ${what}`, () => {
      expect(ownersOf(kured(text), now).map(({ id }) => id)).to.deep.equal(ids);
    });
  }

  const settings: readonly (readonly [what: string, container: object, annotation: string, concurrency: number])[] = [
    ['as it is by default', {}, 'weave.works/kured-node-lock', 1],
    ['flags', { command: ['/usr/bin/kured', '--concurrency=3', '--lock-annotation', 'x/y'] }, 'x/y', 3],
    ['variables', { args: [], env: [{ name: 'KURED_CONCURRENCY', value: '2' }] }, 'weave.works/kured-node-lock', 2],
  ];
  for (const [what, container, annotation, concurrency] of settings) {
    it(`stands where its DaemonSet says: ${what}`, () => {
      expect(kured('{}', container, annotation)).to.include({ annotation, concurrency, text: '{}', version: '7' });
    });
  }

  it('is written as kured writes it, with an end of its own, and in every place', () => {
    expect(JSON.parse(heldBy(kured(), 'runbook/run-1', now, 300_000))).to.deep.equal({
      nodeID: 'runbook/run-1',
      metadata: { unschedulable: false },
      created: '2026-11-21T06:00:00.000Z',
      TTL: 300e9,
    });
    const many = kured(undefined, { args: ['--concurrency=3'] });
    const text = heldBy(many, 'runbook/run-1', now, 300_000);
    expect(ownersOf({ ...many, text }, now)).to.have.length(3);
    expect(ownersOf({ ...many, text }, now + 300_000)).to.deep.equal([]);
  });
});

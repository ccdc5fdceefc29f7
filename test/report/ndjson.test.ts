import { expect } from 'chai';
import { eventToJson } from '../../engine/base/event-json.ts';
import { createNdjsonReporter } from '../../engine/report/ndjson.ts';
import { change, eventStream, nodes } from './event-stream.ts';
import { fakeOutput } from './fake-output.ts';

describe('ndjson', () => {
  it('writes every event as one line of JSON, and nothing else to standard output', async () => {
    const { events } = eventStream(nodes(2))
      .task('t', nodes(2), { 'node-1': { outcome: 'changed', changes: [change('content', 'a\n', 'b\n')] } })
      .end(0);
    const output = fakeOutput();
    const errors = fakeOutput();
    const reporter = createNdjsonReporter(output, errors);
    for (const event of events) reporter.on(event);
    reporter.note('finishing tasks in flight');
    await reporter.close();
    const lines = output.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(events);
    expect(errors.text).to.equal('finishing tasks in flight\n');
  });

  it('gives a diagnostic its place, not its file', () => {
    const source = { path: 'site.yaml', text: 'a: 1\nb: 2\n' };
    const diagnostic = { severity: 'warning', message: 'm', range: { source, start: 5, end: 6 } } as const;
    const event = { v: 1, seq: 0, time: '2026-01-01T00:00:00.000Z', type: 'warning', diagnostic } as const;
    expect(JSON.parse(eventToJson(event))).to.have.deep.property('diagnostic', {
      severity: 'warning',
      message: 'm',
      file: 'site.yaml',
      line: 2,
      column: 1,
    });
  });

  it('writes the whole numbers of expressions as numbers while they fit', () => {
    const [, , , , ended] = eventStream(['n']).task('t', ['n'], {
      n: { changes: [change('a', 2n, 2n ** 70n)] },
    }).events;
    if (!ended) throw new Error('no event');
    expect(JSON.parse(eventToJson(ended))).to.have.nested.property('changes[0].before', 2);
    expect(JSON.parse(eventToJson(ended))).to.have.nested.property('changes[0].after', String(2n ** 70n));
  });
});

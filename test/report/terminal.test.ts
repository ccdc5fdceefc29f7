import { expect } from 'chai';
import { createTerminalReporter } from '../../engine/report/terminal.ts';
import type { EventStream } from './event-stream.ts';
import { change, eventStream, nodes, taskRef } from './event-stream.ts';
import { type FakeOutput, fakeOutput, screenOf } from './fake-output.ts';

describe('terminal', () => {
  it('draws live rows under the permanent lines, and gives the terminal back at the end', async () => {
    const output = fakeOutput({ isTTY: true });
    const { stream, reporter, send } = startRun(output);
    send(stream.task('Install', nodes(2), { 'node-1': { outcome: 'changed', changes: [change('mode', 1, 2)] } }));
    send(begin(stream));
    await frames(output, 2);
    const during = screenOf(output.text);
    expect(during.isCursorShown).to.equal(false);
    expect(during.lines.slice(0, 5)).to.deep.equal([
      'site.yaml: 2 hosts (run r1)',
      '',
      'PLAY nodes on node-1, node-2',
      'TASK Install',
      'changed: [node-1] mode',
    ]);
    expect(during.lines).to.have.length(8);
    expect(during.lines[5]).to.match(/^ {2}· node-1 {2}changed {2}Install$/);
    expect(during.lines[6]).to.match(/^ {2}\S node-2 {2}Wait {2}\d+ s$/);

    reporter.note('finishing tasks in flight');
    await frames(output, 1);
    expect(screenOf(output.text).lines[5]).to.equal('finishing tasks in flight');

    send(stream.end(0));
    await reporter.close();
    const after = screenOf(output.text);
    expect(after.isCursorShown).to.equal(true);
    expect(after.lines.slice(5, 8)).to.deep.equal(['finishing tasks in flight', '', 'RECAP']);
    expect(after.lines.join('\n')).not.to.include('Wait');
  });

  it('gives the terminal back at once when it must, and draws no more', async () => {
    const output = fakeOutput({ isTTY: true });
    const { stream, reporter, send } = startRun(output);
    send(begin(stream));
    await frames(output, 1);
    reporter.restore();
    const { lines, isCursorShown } = screenOf(output.text);
    expect(isCursorShown).to.equal(true);
    expect(lines.at(-1)).to.equal('PLAY nodes on node-1, node-2');
    const { length } = output.text;
    await reporter.close();
    expect(output.text).to.have.length(length);
  });

  it('says what went wrong before the first frame', async () => {
    const output = fakeOutput({ isTTY: true });
    const reporter = createTerminalReporter(output, Date);
    reporter.note('reading');
    await reporter.close();
    expect(output.text).to.equal('reading\n');
  });

  it('writes no colour when none is wanted', async () => {
    const output = fakeOutput({ isTTY: true, color: false });
    const { stream, reporter, send } = startRun(output);
    send(begin(stream));
    await frames(output, 2);
    send(stream.end(2));
    await reporter.close();
    expect(output.text).not.to.match(/\u001b\[[\d;]*m/);
  });

  it('costs one frame for a burst of events', async () => {
    const output = fakeOutput({ isTTY: true });
    const { stream, reporter, send } = startRun(output);
    const task = taskRef('Wait', 3);
    for (let i = 0; i < 20_000; i++) {
      stream.add({ type: 'host-task-progress', task, host: 'node-1', text: `try ${i}`, sinceMs: 0, deadlineMs: 1 });
    }
    send(stream);
    await frames(output, 1);
    expect(frameCount(output.text)).to.be.at.most(3);
    send(stream.end(0));
    await reporter.close();
  });
});

function startRun(output: FakeOutput): {
  stream: EventStream;
  reporter: ReturnType<typeof createTerminalReporter>;
  send: (stream: EventStream) => void;
} {
  const stream = eventStream(nodes(2));
  const now = (): number => Date.parse(stream.events.at(-1)?.time ?? '');
  const reporter = createTerminalReporter(output, { now });
  let sent = 0;
  return {
    stream,
    reporter,
    send({ events }) {
      for (const event of events.slice(sent)) reporter.on(event);
      sent = events.length;
    },
  };
}

function begin(stream: EventStream): EventStream {
  const task = taskRef('Wait', 3);
  stream.add({ type: 'task-started', task, hosts: ['node-2'], isHandler: false });
  return stream.add({ type: 'host-task-started', task, host: 'node-2' });
}

function frameCount(text: string): number {
  return text.split('nodes  task').length - 1;
}

/** Resolves when this many more frames have been drawn. */
async function frames(output: FakeOutput, more: number): Promise<void> {
  const wanted = frameCount(output.text) + more;
  while (frameCount(output.text) < wanted) await new Promise((resolve) => setTimeout(resolve, 10));
}

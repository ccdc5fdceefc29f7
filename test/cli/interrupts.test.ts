import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { watchInterrupts } from '../../engine/cli/interrupts.ts';

describe('interrupts', () => {
  it('come in three stages, whatever the signal: finish, abort, exit', () => {
    const source = new EventEmitter();
    const said: string[] = [];
    const interrupts = watchInterrupts(source, {
      note: (text) => said.push(text),
      exitNow: () => said.push('exit'),
      graceMs: 60_000,
    });
    const stages = (): boolean[] => [interrupts.signal.aborted, interrupts.abort.aborted];
    expect(stages()).to.deep.equal([false, false]);
    source.emit('SIGINT', 'SIGINT');
    expect(stages()).to.deep.equal([true, false]);
    source.emit('SIGTERM', 'SIGTERM');
    expect(stages()).to.deep.equal([true, true]);
    source.emit('SIGHUP', 'SIGHUP');
    expect(said).to.deep.equal([
      'finishing tasks in flight; press Ctrl-C again to abort them',
      'aborting tasks in flight, and cleaning up what needs no host; press Ctrl-C again to exit at once',
      'exit',
    ]);
    expect(interrupts.signal.reason).to.be.an('error').with.property('message', 'interrupted by SIGINT');
  });

  it('are left to others when the run is over', () => {
    const source = new EventEmitter();
    watchInterrupts(source, { note: () => {}, exitNow: () => {}, graceMs: 1 })[Symbol.dispose]();
    expect(source.eventNames()).to.deep.equal([]);
  });

  it('by SIGTERM leave so much time, and then come to the second stage by themselves', async () => {
    const source = new EventEmitter();
    const said: string[] = [];
    let passTime = (): void => {};
    const clock = { sleep: () => new Promise<void>((resolve) => (passTime = resolve)) };
    const interrupts = watchInterrupts(source, {
      note: (text) => said.push(text),
      exitNow: () => said.push('exit'),
      graceMs: 20_000,
      clock,
    });
    source.emit('SIGTERM', 'SIGTERM');
    expect(said[0]).to.contain('what is left after 20 s is aborted');
    expect(interrupts.abort.aborted).to.equal(false);
    passTime();
    await Promise.resolve();
    expect(interrupts.abort.aborted).to.equal(true);
    source.emit('SIGTERM', 'SIGTERM');
    expect(said.at(-1)).to.equal('exit');
  });
});

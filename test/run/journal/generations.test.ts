import { expect } from 'chai';
import { applyLine, createRunState, cutOfHost, generationOf, hostStateOf } from '../../../engine/run/journal/fold.ts';
import type { StateLine } from '../../../engine/run/journal/lines.ts';

type Outcome = 'ok' | 'changed' | 'failed';

/** A run as its lines tell it; `k` is a task that comes again, a handler for example. */
function run() {
  const state = createRunState();
  const add = (line: StateLine): void => applyLine(state, line);
  const host = 'h';
  const generation = (): number => generationOf(hostStateOf(state, host), 'k');
  const process = (): void => {
    const cut = cutOfHost(hostStateOf(state, host));
    if (cut) add({ t: 'cut', host, ...cut });
    add({ t: 'began', time: '', pid: 1 });
  };
  process();
  return {
    process,
    generation,
    /** Begins an effect, and says which generation of `k` it is of. */
    effect(): number {
      const of = generation();
      add({ t: 'effect', host, key: 'k', item: '', changes: [] });
      return of;
    },
    end(outcome: Outcome, { isOpen = false, key = 'k' } = {}): void {
      const failure = outcome === 'failed' && { code: 'task-failed', message: '', ...(isOpen && { isOpen }) };
      add({ t: 'task', host, key, end: { result: { outcome, changes: [], ...(failure && { failure }) } } });
    },
    kept: (key = 'k') => add({ t: 'kept', host, key }),
    forgot: () => add({ t: 'forgot', host }),
    dropped: () => add({ t: 'dropped', host, key: 'k' }),
    block: (at: 'body' | 'rescue' | 'always') =>
      add({ t: 'block', host, ...(at === 'body' ? { at, hasRescue: false } : { at }) }),
  };
}

describe('what the effects of a task that comes again are called', () => {
  it('is another name each time, and the same one until the task has ended', () => {
    const { effect, end, generation } = run();
    expect([effect(), effect()]).to.deep.equal([0, 0]);
    end('changed');
    expect(effect()).to.equal(1);
    end('failed');
    // Nothing was begun under it.
    end('ok');
    expect(generation()).to.equal(2);
  });

  it('is not one of before when what was done is replayed, or is not asked for any more', () => {
    for (const isKept of [true, false]) {
      const { effect, end, process, kept, forgot } = run();
      for (let i = 0; i < 2; i++) {
        effect();
        end('changed');
      }
      process();
      if (isKept) kept();
      else forgot();
      expect(effect(), isKept ? 'kept' : 'forgot').to.equal(2);
    }
  });

  it('is the same after a process was killed, though the task had failed before without an effect', () => {
    // force_handlers: it failed when its host was asked, and is run again at the end.
    const handler = run();
    handler.end('failed');
    const begun = handler.effect();
    handler.process();
    expect(handler.generation()).to.equal(begun);
    // The same text in the body of a block and in its always.
    const always = run();
    always.block('body');
    always.end('failed');
    always.block('always');
    const there = always.effect();
    always.process();
    expect(always.generation()).to.equal(there);
  });

  it('is the same where nobody saw the end of the effect, and another one after that', () => {
    const { effect, end, process, generation } = run();
    effect();
    end('failed', { isOpen: true });
    process();
    expect(generation()).to.equal(0);
    // It is found to have ended, and nothing is left to do.
    end('ok');
    expect(effect()).to.equal(1);
  });

  it('is the one of the last effect, where one before it is open too', () => {
    const killed = run();
    killed.effect();
    killed.end('failed', { isOpen: true });
    const last = killed.effect();
    killed.process();
    expect(killed.generation()).to.equal(last);
    const ended = run();
    ended.effect();
    ended.end('failed', { isOpen: true });
    ended.effect();
    ended.end('changed');
    ended.process();
    expect(ended.generation()).to.equal(2);
  });

  it('is a new one after an interruption, which has killed the effect', () => {
    const { effect, dropped, process, generation } = run();
    effect();
    dropped();
    process();
    expect(generation()).to.equal(1);
  });
});

import { expect } from 'chai';
import { applyLine, createRunState, cutOfHost, generationOf, hostStateOf } from '../../../engine/run/journal/fold.ts';
import type { EncodedEnd, StateLine } from '../../../engine/run/journal/lines.ts';

type Outcome = 'ok' | 'changed' | 'failed' | 'skipped';

/** A run as its lines tell it; `k` is a task that comes again, a handler for example. */
function run() {
  const state = createRunState();
  const add = (line: StateLine): void => applyLine(state, line);
  const host = 'h';
  const generation = (key = 'k'): number => generationOf(hostStateOf(state, host), key);
  const process = (): void => {
    const cut = cutOfHost(hostStateOf(state, host));
    if (cut) add({ t: 'cut', host, ...cut });
    add({ t: 'began', time: '', pid: 1 });
  };
  process();
  return {
    process,
    generation,
    /** Begins an effect, and says which generation of its key it is of. */
    effect(key = 'k', item = ''): number {
      const of = generation(key);
      add({ t: 'effect', host, key, item, changes: [] });
      return of;
    },
    end(outcome: Outcome, { isOpen = false, key = 'k', isHandler = false } = {}): void {
      const end = endOf(outcome, isOpen);
      add({ t: 'task', host, key, end, ...(isHandler && { of: 'handler' }) });
    },
    facts: () => add({ t: 'task', host, key: 'facts', end: endOf('ok', false), of: 'facts' }),
    down: () => add({ t: 'down', host }),
    itemEnd: (item: string, outcome: Outcome) => add({ t: 'item', host, key: 'k', item, end: endOf(outcome, false) }),
    begunItems: () => [...(hostStateOf(state, host).begun.get('k')?.effects.keys() ?? [])],
    isRetried: () => hostStateOf(state, host).isRetried,
    items: () => [...(hostStateOf(state, host).begun.get('k')?.items.keys() ?? [])],
    left: () => hostStateOf(state, host).left.map(({ key }) => key),
    kept: (key = 'k') => add({ t: 'kept', host, key }),
    forgot: () => add({ t: 'forgot', host }),
    dropped: () => add({ t: 'dropped', host, key: 'k' }),
    block: (at: 'body' | 'rescue' | 'always' | 'failed') =>
      add({
        ...{ t: 'block', host },
        ...(at === 'body' ? { at, hasRescue: true } : at === 'failed' ? { at: 'end', status: 'failed' } : { at }),
      }),
  };
}

function endOf(outcome: Outcome, isOpen: boolean): EncodedEnd {
  const failure = outcome === 'failed' && { code: 'task-failed', message: '', ...(isOpen && { isOpen }) };
  return { result: { outcome, changes: [], ...(failure && { failure }) } };
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

  it('is a new one for an always that was cut off, once the block is done again', () => {
    for (const how of ['killed', 'open']) {
      const { effect, end, process, generation, block } = run();
      block('body');
      effect('body');
      end('failed', { key: 'body' });
      block('always');
      const before = effect();
      if (how === 'open') end('failed', { isOpen: true });
      process();
      // Nothing is done as yet, and perhaps nothing is to be.
      expect(generation(), how).to.equal(before);
      effect('body');
      expect(effect(), how).to.equal(before + 1);
    }
  });

  it('is the same for a handler that was cut off and is run first, also where a whole block is done again', () => {
    for (const isBlock of [false, true]) {
      const { effect, end, process, block } = run();
      block('body');
      end('failed', { key: 'body' });
      if (isBlock) {
        block('rescue');
        end('changed', { key: 'undo' });
        end('failed', { key: 'rescue' });
      }
      block('failed');
      const before = effect();
      process();
      expect(effect(), String(isBlock)).to.equal(before);
      end('changed', { isHandler: true });
      effect('body');
      expect(effect(), String(isBlock)).to.equal(before + 1);
    }
  });

  it('is the same for a task that was cut off before the handler that failed before it, when it came to be run again', () => {
    const { effect, end, process } = run();
    const before = effect();
    end('failed', { isOpen: true });
    process();
    end('failed', { key: 'handler', isHandler: true });
    process();
    effect('handler');
    end('ok', { key: 'handler', isHandler: true });
    expect(effect()).to.equal(before);
  });

  it('is a new one in a block that is done again, whose rescue may have undone what nobody saw the end of', () => {
    const { effect, end, process, block } = run();
    block('body');
    const before = effect();
    end('failed', { isOpen: true });
    block('rescue');
    end('changed', { key: 'undo' });
    end('failed', { key: 'rescue' });
    block('failed');
    process();
    expect(effect()).to.equal(before + 1);
  });
});

describe('what is known of a task that is run again', () => {
  it('is what it began for an item that failed, but not for those that ended well', () => {
    const { effect, end, itemEnd, process, begunItems } = run();
    effect('k', 'a');
    itemEnd('a', 'changed');
    effect('k', 'b');
    itemEnd('b', 'failed');
    end('failed');
    process();
    expect(begunItems()).to.deep.equal(['b']);
  });

  it('is nothing of a task after the failure, which left no end where an include or another host failed', () => {
    const { itemEnd, end, process, items, down } = run();
    down();
    itemEnd('a', 'changed');
    end('changed');
    process();
    expect(items()).to.deep.equal([]);
  });

  it('is what was not replayed by then, where another playbook fails before it', () => {
    const { end, process, left } = run();
    end('ok', { key: 'one' });
    end('failed');
    process();
    end('failed', { key: 'new' });
    process();
    expect(left()).to.deep.equal(['one']);
  });

  it('is which handlers ended well after the failure', () => {
    const { end, process, kept, left } = run();
    end('changed', { key: 'before', isHandler: true });
    end('failed', { key: 'body' });
    end('changed', { key: 'well', isHandler: true });
    end('failed', { key: 'badly', isHandler: true });
    end('skipped', { key: 'left out', isHandler: true });
    end('changed', { key: 'always' });
    process();
    expect(left()).to.deep.equal(['before', 'well']);
    for (const key of ['before', 'well']) kept(key);
    end('ok', { key: 'badly', isHandler: true });
    end('failed', { key: 'body' });
    process();
    expect(left()).to.deep.equal(['before', 'well', 'badly']);
  });

  it('is that the host failed before, until a task has ended since', () => {
    const { end, process, kept, isRetried, facts } = run();
    end('ok', { key: 'before' });
    end('failed');
    for (const _ of ['', 'killed before it came to anything']) {
      process();
      kept('before');
      expect(isRetried()).to.equal(true);
    }
    facts();
    end('ok', { key: 'handler', isHandler: true });
    expect(isRetried()).to.equal(true);
    end('ok');
    expect(isRetried()).to.equal(false);
    process();
    expect(isRetried()).to.equal(false);
  });
});

import { expect } from 'chai';
import type { Clock } from '../../engine/base/clock.ts';
import { RunbookError, StillOpenError } from '../../engine/base/errors.ts';
import { sh } from '../../engine/base/sh.ts';
import { createHostLink } from '../../engine/run/host-link.ts';
import type { Connection, EffectOptions } from '../../engine/transport/transport.ts';

type Answer = 'answer' | 'lose' | 'refuse';

/** A host whose links do and say what is listed, one list for each; a text instead of a list is why it cannot be reached. */
function rig(links: readonly (readonly Answer[] | RunbookError)[], reconnectMs = 120_000) {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    // Ended by what is waited for at the same time, if it comes first: here that takes no time.
    sleep: async (ms) => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      if (ms < 3_000_000) now += ms;
      else await new Promise(() => {});
    },
  };
  const log: string[] = [];
  const remaining = [...links];
  let lost = 0;
  const connect = async (): Promise<Connection> => {
    const link = remaining.shift() ?? unreachable('no route to host');
    log.push(`connect at ${now / 1000} s`);
    if (link instanceof RunbookError) throw link;
    const answers = [...link];
    const boot = `boot-${links.length - remaining.length}`;
    const answer = async <T>(value: T): Promise<T> => {
      const next = answers.shift() ?? 'answer';
      if (next === 'lose') throw unreachable('lost the connection to node-1: read ECONNRESET');
      if (next === 'refuse') throw new RunbookError('become-failed', 'no');
      return value;
    };
    const done = { rc: 0, stdout: '', stderr: '', durationMs: 0 };
    return {
      description: 'node-1',
      boot,
      run: () => answer(done),
      effect: (_script, options: EffectOptions) => {
        log.push(`effect ${options.id} started in ${options.startedIn}`);
        return answer({ ...done, lock: 'none' as const });
      },
      settle: () => answer(new Map()),
      forget: () => answer(undefined),
      put: () => answer({}),
      [Symbol.asyncDispose]: async () => undefined,
    };
  };
  const open = () =>
    createHostLink({
      connect,
      clock,
      reconnectMs,
      signal: new AbortController().signal,
      onLost: async () => {
        lost++;
      },
    });
  return { open, log, lost: () => lost };
}

function unreachable(message: string): RunbookError {
  return new RunbookError('unreachable', message);
}

const hour = 3_600_000;
const quick = { timeoutMs: hour };

describe('a link to a host', () => {
  it('is made again when it is lost, with longer and longer pauses, and says what it waits for', async () => {
    const away = unreachable('no route to host');
    const { open, log } = rig([['answer', 'lose'], away, away, away, ['answer']]);
    const link = await open();
    await link.run(sh`:`, quick);
    const waits: string[] = [];
    await link.run(sh`:`, { ...quick, onWait: ({ text, deadlineMs }) => waits.push(`${text}|${deadlineMs}`) });
    expect(log).to.deep.equal([
      'connect at 0 s',
      'connect at 0 s',
      'connect at 1 s',
      'connect at 3 s',
      'connect at 7 s',
    ]);
    // An empty text ends the wait.
    expect(waits).to.deep.equal(['waiting for the connection to come back (read ECONNRESET)|120000', '|undefined']);
  });

  it('is given up after the time that the run has for it', async () => {
    const { open, log, lost } = rig([['answer', 'lose']]);
    const link = await open();
    await link.run(sh`:`, quick);
    const error = await link.run(sh`:`, quick).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'unreachable' });
    expect((error as Error).message).to.equal(
      'lost the connection to node-1: read ECONNRESET; it did not come back within 2 min 0 s (no route to host)',
    );
    expect(log.at(-1)).to.equal('connect at 120 s');
    expect(lost()).to.equal(1);
  });

  it('is not made again where the run does not wait, and where the host never said anything', async () => {
    const none = rig([['answer', 'lose']], 0);
    const first = await none.open();
    await first.run(sh`:`, quick);
    expect(await first.run(sh`:`, quick).catch((reason: unknown) => reason)).to.include({ code: 'unreachable' });
    expect(none.log).to.have.length(1);
    const mute = rig([['lose'], ['lose'], ['lose'], ['answer']]);
    const second = await mute.open();
    expect(await second.run(sh`:`, quick).catch((reason: unknown) => reason)).to.include({ code: 'unreachable' });
    expect(mute.log).to.have.length(3);
  });

  it('asks for an effect again by its id, and in which boot it may have been started', async () => {
    const { open, log } = rig([['answer', 'lose'], ['answer']]);
    const link = await open();
    await link.run(sh`:`, quick);
    await link.effect(sh`:`, { ...quick, id: 'e1' });
    expect(log.slice(1)).to.deep.equal([
      'effect e1 started in undefined',
      'connect at 0 s',
      'effect e1 started in boot-1',
    ]);
  });

  it('is one for all who wait for it', async () => {
    const { open, log } = rig([['answer', 'lose', 'lose', 'lose'], ['answer']]);
    const link = await open();
    await link.run(sh`:`, quick);
    await Promise.all([link.run(sh`:`, quick), link.run(sh`:`, quick), link.run(sh`:`, quick)]);
    expect(log).to.have.length(2);
  });

  it('to a host that comes back with another key is not used', async () => {
    const { open } = rig([['answer', 'lose'], new RunbookError('host-key', 'the key has changed')]);
    const link = await open();
    await link.run(sh`:`, quick);
    expect(await link.run(sh`:`, quick).catch((reason: unknown) => reason)).to.include({ code: 'host-key' });
  });

  it('that is not made again leaves open what became of the effect', async () => {
    const changed = rig([['answer', 'lose'], new RunbookError('host-key', 'the key has changed')]);
    const refused = rig([['answer', 'lose'], ['refuse']]);
    for (const { open } of [changed, refused]) {
      const link = await open();
      await link.run(sh`:`, quick);
      const end: unknown = await link.effect(sh`:`, { ...quick, id: 'e1' }).catch((reason: unknown) => reason);
      expect(end).to.be.instanceOf(StillOpenError);
    }
    const early = rig([['refuse']]);
    const link = await early.open();
    const end: unknown = await link.effect(sh`:`, { ...quick, id: 'e1' }).catch((reason: unknown) => reason);
    expect(end).to.include({ code: 'become-failed' }).and.not.to.be.instanceOf(StillOpenError);
  });

  it('does not hide what the host says', async () => {
    const { open, log } = rig([['answer', 'refuse', 'answer']]);
    const link = await open();
    await link.run(sh`:`, quick);
    expect(await link.run(sh`:`, quick).catch((reason: unknown) => reason)).to.include({ code: 'become-failed' });
    expect(log).to.have.length(1);
  });
});

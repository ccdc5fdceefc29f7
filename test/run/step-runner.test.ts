import { expect } from 'chai';
import type { Clock } from '../../engine/base/clock.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { type Script, sh } from '../../engine/base/sh.ts';
import { failure, probe } from '../../engine/module/contract.ts';
import { exec, put, type Step, type StepResult, waitFor } from '../../engine/module/step.ts';
import { createAnswers } from '../../engine/run/ahead/answers.ts';
import { type AskingAhead, createQuestion } from '../../engine/run/ahead/ask.ts';
import { createEffectIds } from '../../engine/run/effect-ids.ts';
import { createStepRunner, failureView } from '../../engine/run/step-runner.ts';
import type { Connection, ScriptBehind, ScriptResult } from '../../engine/transport/transport.ts';

/** A connection that answers from a list and a clock that moves when somebody sleeps. */
function rig(
  answers: Partial<ScriptResult>[],
  durable?: (log: string[]) => Promise<void>,
  beforeStep: () => void = () => undefined,
) {
  let now = 0;
  const log: string[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  const connection: Connection = {
    description: 'fake',
    run: async (script, options) => {
      log.push(`run ${script.text} (${options.timeoutMs} ms)`);
      return { rc: 0, stdout: '', stderr: '', durationMs: 0, ...answers.shift() };
    },
    effect: async (script, { id, timeoutMs }) => {
      log.push(`effect ${id.replace(/^[^-]+-|-[^-]+$/g, '')} ${script.text} (${timeoutMs} ms)`);
      return { rc: 0, stdout: '', stderr: '', durationMs: 0, lock: 'none', ...answers.shift() };
    },
    settle: async () => new Map(),
    forget: async () => undefined,
    put: async (path, _, options) => {
      log.push(`put ${path} ${options.mode}`);
      return { backup: `${path}~` };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const steps = createStepRunner({
    connect: async () => connection,
    become: undefined,
    environment: {},
    deadline: 100_000,
    clock,
    signal: new AbortController().signal,
    effects: createEffectIds(),
    ...(durable && { durable: () => durable(log) }),
    beforeStep,
    onActing: () => undefined,
    lock: undefined,
    onStepStarted: (step) => log.push(`started ${step}`),
    onStepEnded: (step, rc) => log.push(`ended ${step} ${rc}`),
    onWait: ({ text }) => log.push(text),
    telling: (_, body) => body(({ text }) => log.push(text)),
  });
  return { steps, log, clock };
}

describe('steps', () => {
  it('are announced before and after, and their results go back to the module', async () => {
    const { steps, log } = rig([{ stdout: 'one' }]);
    function* module(): Generator<Step, string, StepResult> {
      const first = yield exec(sh`echo one`);
      const second = yield put('/etc/x', 'text', { mode: '0644' });
      return first.stdout + second.stdout;
    }
    expect(await steps.drive(module())).to.equal('one/etc/x~');
    expect(log).to.deep.equal([
      'started echo one',
      'effect 1.1 echo one (100000 ms)',
      'ended echo one 0',
      'started put /etc/x',
      'put /etc/x 0644',
      'ended put /etc/x 0',
    ]);
  });

  it('fail with the purpose, the status and what the tool said, thrown into the module so that it can clean up', async () => {
    const { steps, log } = rig([{ rc: 1, stderr: 'Job failed\n' }]);
    function* module(): Generator<Step, void, StepResult> {
      try {
        yield exec(sh`systemctl start x`, { purpose: 'start x.service' });
      } finally {
        yield exec(sh`rm -f /tmp/x`);
      }
    }
    const error: unknown = await steps.drive(module()).catch((e: unknown) => e);
    expect((error as Error).message).to.equal('start x.service: exit status 1\nJob failed');
    expect(log.at(-1)).to.equal('ended rm -f /tmp/x 0');
  });

  it('are not run before what was told of them is on disk, and not at all when that cannot be', async () => {
    const full = new Error('the disk is full');
    for (const problem of [undefined, full]) {
      const { steps, log } = rig([{}], async (lines) => {
        await new Promise((resolve) => setImmediate(resolve));
        lines.push('durable');
        if (problem) throw problem;
      });
      function* module(): Generator<Step, void, StepResult> {
        yield exec(sh`rm x`);
      }
      const error: unknown = await steps.drive(module()).catch((e: unknown) => e);
      expect(error).to.equal(problem);
      const effect = problem ? [] : ['effect 1.1 rm x (100000 ms)'];
      expect(log).to.deep.equal(['started rm x', 'durable', ...effect, `ended rm x ${problem ? -1 : 0}`]);
    }
  });

  it('are not run when a lease is lost while the disk takes its time', async () => {
    let isLost = false;
    const { steps, log } = rig(
      [{}],
      async () => {
        isLost = true;
      },
      () => {
        if (isLost) throw new Error('the lease is lost');
      },
    );
    function* module(): Generator<Step, void, StepResult> {
      yield exec(sh`rm x`);
    }
    const error: unknown = await steps.drive(module()).catch((e: unknown) => e);
    expect((error as Error).message).to.equal('the lease is lost');
    expect(log).to.deep.equal(['started rm x', 'ended rm x -1']);
  });

  it('may end with other statuses where the module says so', async () => {
    const { steps } = rig([{ rc: 3 }, { rc: 9 }]);
    function* module(): Generator<Step, number[], StepResult> {
      return [(yield exec(sh`a`, { okCodes: [0, 3] })).rc, (yield exec(sh`b`, { okCodes: 'any' })).rc];
    }
    expect(await steps.drive(module())).to.deep.equal([3, 9]);
  });
});

describe('waiting', () => {
  const isReady = probe(sh`state`, ({ stdout }) => stdout);
  const wait = {
    what: 'the node',
    probe: isReady,
    done: (s: string) => s === 'ready' || `it is ${s}`,
    timeoutMs: 5000,
  };

  it('asks until it is so', async () => {
    const { steps, log } = rig([{ stdout: 'starting' }, { stdout: 'ready' }]);
    await steps.drive(
      (function* () {
        yield waitFor(wait);
      })(),
    );
    expect(log).to.include('waiting for the node (it is starting)');
  });

  it('asks again where it must be so several times in a row', async () => {
    const { steps, log } = rig([{ stdout: 'ready' }, { stdout: 'starting' }, { stdout: 'ready' }, { stdout: 'ready' }]);
    await steps.wait({ ...wait, consecutive: 2 });
    expect(log.filter((line) => line.startsWith('run'))).to.have.length(4);
  });

  it('ends with what it waited for, how long, and the last reason', async () => {
    const { steps } = rig(Array.from({ length: 10 }, () => ({ stdout: 'starting' })));
    const error: unknown = await steps.wait(wait).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(RunbookError).with.property('code', 'timeout');
    expect((error as Error).message).to.equal('waited 5.0 s for the node: it is starting');
  });

  it('ends at once when the module says that it never will be so', async () => {
    const { steps, clock } = rig([{ stdout: 'failed' }]);
    const never = {
      ...wait,
      done: () => {
        throw failure('it failed');
      },
    };
    expect(((await steps.wait(never).catch((e: unknown) => e)) as Error).message).to.equal('it failed');
    expect(clock.now()).to.equal(0);
  });
});

describe('a failure as events carry it', () => {
  it('keeps code and hint of an expected one, and the stack of a bug', () => {
    expect(failureView(new RunbookError('unreachable', 'no route', { hint: 'look' }))).to.deep.equal({
      code: 'unreachable',
      message: 'no route',
      hint: 'look',
    });
    expect(failureView(new TypeError('x is not a function')).message).to.match(/this is a bug[\s\S]*step-runner\.test/);
  });
});

describe('what a step is sent along with', () => {
  /** Drives a module whose state is asked for by `how`, and tells what went to the host. */
  async function drive(
    steps: () => Generator<Step, unknown, StepResult>,
    { question = probe(sh`how`, ({ stdout }) => stdout), isAhead = true, isHanging = false } = {},
  ): Promise<{ log: string[]; answer: string }> {
    const log: string[] = [];
    const answer = { rc: 0, stdout: 'it is so', stderr: '', durationMs: 0 };
    const send = (text: string, { behind }: { readonly behind?: ScriptBehind | undefined }): void => {
      log.push(behind ? `${text}, then ${behind.script.text}` : text);
      behind?.onSent(isHanging ? killed(behind) : Promise.resolve(answer));
    };
    const killed = ({ signal }: ScriptBehind): Promise<ScriptResult> =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          log.push('killed');
          reject(new Error('killed'));
        });
      });
    const answers = createAnswers(() => 0);
    const clock: Clock = {
      now: () => Date.now(),
      sleep: isHanging ? async () => undefined : () => new Promise(() => undefined),
    };
    const runner = createStepRunner({
      connect: async () =>
        ({
          run: async (script) => {
            log.push(script.text);
            return answer;
          },
          effect: async (script, options) => {
            send(script.text, options);
            return { ...answer, rc: script.text === 'false' ? 1 : 0, lock: 'none' };
          },
          put: async (path, _, options) => {
            send(`put ${path}`, options);
            return {};
          },
        }) as Pick<Connection, 'run' | 'effect' | 'put'> as Connection,
      become: undefined,
      environment: {},
      deadline: Date.now() + 100_000,
      clock,
      signal: new AbortController().signal,
      effects: createEffectIds(),
      ...(isAhead && { ahead: { answers, clock, coming: async () => [], askedBy: 'task' } }),
      onActing: () => answers.forget(),
      lock: undefined,
      onStepStarted: () => undefined,
      onStepEnded: () => undefined,
      onWait: () => undefined,
      telling: (_, body) => body(() => undefined),
    });
    await runner.drive(steps(), question).catch(() => log.push('failed'));
    // Somebody else acts on the host.
    if (isHanging) answers.forget();
    return { log, answer: await runner.ask(question) };
  }

  it('is the question how the host is after it, which is not asked again', async () => {
    const { log, answer } = await drive(function* () {
      yield put('/etc/x', 'text');
    });
    expect([log, answer]).to.deep.equal([['put /etc/x, then how'], 'it is so']);
  });

  it('is nothing where the step says that another one follows', async () => {
    const { log } = await drive(function* () {
      yield exec(sh`one`, { moreFollows: true });
      yield put('/etc/x', 'text', { moreFollows: true });
      yield exec(sh`two`);
    });
    expect(log).to.deep.equal(['one', 'put /etc/x', 'two, then how']);
  });

  it('is asked once more after a step that follows all the same', async () => {
    const { log } = await drive(function* () {
      yield exec(sh`one`);
      yield exec(sh`two`);
    });
    expect(log).to.deep.equal(['one, then how', 'two, then how']);
  });

  it('is of no use after a failure, and nothing goes along with what cleans up', async () => {
    const { log } = await drive(function* () {
      try {
        yield exec(sh`false`);
      } finally {
        yield exec(sh`tidy`);
      }
    });
    expect(log).to.deep.equal(['false, then how', 'tidy', 'failed', 'how']);
  });

  it('is given up where its answer is of no use, before the same is asked anew', async () => {
    const one = function* (): Generator<Step, void, StepResult> {
      yield exec(sh`one`);
    };
    expect((await drive(one, { isHanging: true })).log).to.deep.equal(['one, then how', 'killed', 'how']);
  });

  it('is nothing where each question goes by itself, or this one has to', async () => {
    const one = function* (): Generator<Step, void, StepResult> {
      yield exec(sh`one`);
    };
    expect((await drive(one, { isAhead: false })).log).to.deep.equal(['one', 'how']);
    const question = probe(sh`how`, ({ stdout }) => stdout, { isAlone: true });
    expect((await drive(one, { question })).log).to.deep.equal(['one', 'how']);
  });
});

describe('a question that is asked with those of coming tasks', () => {
  it('costs its task no more time than its own, however long theirs take', async () => {
    let now = 0;
    const clock: Clock = { now: () => now, sleep: async () => undefined };
    const given: number[] = [];
    const run: Connection['run'] = async (_, { timeoutMs, parts }) => {
      given.push(timeoutMs);
      const ended = { rc: 0, stdout: '', stderr: '', durationMs: 0 };
      if (!parts) return ended;
      now += 1000;
      parts.onRest?.();
      now += 9000;
      const { mark } = parts;
      return { ...ended, stdout: `\n${mark} 0 0\n\n${mark} 1 0\n`, stderr: `\n${mark} 0\n\n${mark} 1\n` };
    };
    const hanging = createQuestion('another', { script: sh`hang`, timeoutMs: 60_000 }, undefined, {});
    const coming: AskingAhead['coming'] = async (_, isWanted) => [hanging].filter(isWanted);
    const runner = createStepRunner({
      connect: async () => ({ run }) as Pick<Connection, 'run'> as Connection,
      become: undefined,
      environment: {},
      deadline: 40_000,
      clock,
      signal: new AbortController().signal,
      effects: createEffectIds(),
      ahead: { answers: createAnswers(() => now), clock, coming, askedBy: 'task' },
      onActing: () => undefined,
      lock: undefined,
      onStepStarted: () => undefined,
      onStepEnded: () => undefined,
      onWait: () => undefined,
      telling: (_, body) => body(() => undefined),
    });
    const ask = (script: Script): Promise<void> => runner.ask(probe(script, () => undefined));
    for (const script of [sh`first`, sh`second`]) await ask(script);
    expect([given, runner.deadline]).to.deep.equal([[40_000, 39_000], 49_000]);
    // Effects are over: from here on it has the time of the task again.
    await runner.drive((function* (): Generator<Step, void, StepResult> {})());
    await ask(sh`third`);
    expect(given.at(-1)).to.equal(39_000);
  });
});

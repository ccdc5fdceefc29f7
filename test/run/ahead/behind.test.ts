import { expect } from 'chai';
import { RunbookError } from '../../../engine/base/errors.ts';
import { sh } from '../../../engine/base/sh.ts';
import { createAnswers } from '../../../engine/run/ahead/answers.ts';
import { createQuestion, type Question } from '../../../engine/run/ahead/ask.ts';
import { askBehind } from '../../../engine/run/ahead/behind.ts';
import { CutShortError, ShellEndedError } from '../../../engine/transport/shell.ts';
import type { ScriptResult } from '../../../engine/transport/transport.ts';

const question = (asker: string): Question =>
  createQuestion(asker, { script: sh`echo ${asker}`, timeoutMs: 60_000 }, undefined, {});

const never = (): boolean => false;

/** What a batch of as many probes prints, each the number of its place. */
function printed(text: string): ScriptResult {
  const [, mark = ''] = /printf '\\n%s %d %d\\n' (\w{32}) /.exec(text) ?? [];
  const numbers = [...text.matchAll(/; rb_mark (\d+) \$\?$/gm)].map(([, number]) => Number(number));
  const stdout = numbers.map((n) => `answer ${n}\n${mark} ${n} 0\n`).join('');
  const stderr = numbers.map((n) => `\n${mark} ${n}\n`).join('');
  return { rc: 0, stdout: `\n${mark} 0 0\n${stdout}`, stderr: `\n${mark} 0\n${stderr}`, durationMs: 0 };
}

/** A question of task `a` behind its effect, with those of `b` and `c`. */
async function rig() {
  const answers = createAnswers(() => 0);
  const [a, b, c] = [question('a'), question('b'), question('c')];
  const coming = async (atMost: number, isWanted: (other: Question) => boolean): Promise<readonly Question[]> =>
    [b, c].filter(isWanted).slice(0, atMost);
  const slept: number[] = [];
  let wake = (): void => undefined;
  const sleep = (ms: number): Promise<void> => {
    slept.push(ms);
    return new Promise((resolve) => {
      wake = resolve;
    });
  };
  const options = { timeoutMs: 60_000, timeLeftMs: () => 60_000, environment: undefined, signal: undefined };
  const behind = await askBehind(a, options, undefined, { answers, coming, clock: { now: () => 0, sleep } });
  const answer = (result: Promise<ScriptResult> = Promise.resolve(printed(behind.sent.script.text))): void => {
    result.catch(() => undefined);
    behind.sent.onSent(result);
  };
  const end = (): void => behind.effectEnded(() => answers.forget());
  return { answers, a, b, c, behind, answer, end, slept, wake: () => wake() };
}

describe('what is asked behind an effect', () => {
  it('is how the host is after it, and what coming tasks ask of it', async () => {
    const { answers, a, b, c, behind, answer, end } = await rig();
    answer();
    end();
    expect((await behind.answerTo(a))?.stdout).to.equal('answer 1');
    expect([answers.take(b.key, never)?.stdout, answers.take(c.key, never)?.stdout]).to.deep.equal([
      'answer 2',
      'answer 3',
    ]);
  });

  it('has a moment where nobody wants to know any more, and is ended then', async () => {
    const { behind, answer, slept, wake } = await rig();
    await behind.drop();
    expect(slept, 'it was not sent').to.deep.equal([]);
    let reject = (_: Error): void => undefined;
    answer(
      new Promise((_, no) => {
        reject = no;
      }),
    );
    const dropped = behind.drop();
    expect([slept, behind.sent.signal?.aborted]).to.deep.equal([[1000], false]);
    behind.sent.signal?.addEventListener('abort', () => reject(new Error('killed')));
    wake();
    await dropped;
    expect(behind.sent.signal?.aborted).to.equal(true);
  });

  it('answers nothing else, and is good once', async () => {
    const { a, b, behind, answer, end } = await rig();
    answer();
    end();
    expect(await behind.answerTo(b)).to.equal(undefined);
    expect(await behind.answerTo(a)).not.to.equal(undefined);
    expect(await behind.answerTo(a)).to.equal(undefined);
  });

  it('is worth nothing once somebody else acted on the host: while the effect ran, after it, or while it was answered', async () => {
    const during = await rig();
    during.answers.forget();
    during.answer();
    during.end();
    expect(await during.behind.answerTo(during.a)).to.equal(undefined);

    const after = await rig();
    after.answer();
    after.end();
    after.answers.forget();
    expect(await after.behind.answerTo(after.a)).to.equal(undefined);

    const meanwhile = await rig();
    meanwhile.answer();
    meanwhile.end();
    const asked = meanwhile.behind.answerTo(meanwhile.a);
    meanwhile.answers.forget();
    expect(await asked).to.equal(undefined);
    for (const { answers, b } of [during, after, meanwhile]) expect(answers.has(b.key)).to.equal(false);
  });

  it('is asked again where nobody was asked: it was not sent, the link was lost, the effect ended the shell', async () => {
    const lost = new RunbookError('unreachable', 'lost');
    const ended = new ShellEndedError(new RunbookError('task-failed', 'ended'), { stdout: '', stderr: '' });
    for (const error of [undefined, lost, ended]) {
      const { a, b, answers, behind, answer, end } = await rig();
      if (error) answer(Promise.reject(error));
      end();
      expect(await behind.answerTo(a)).to.equal(undefined);
      expect(answers.isAskedAlone(b.key)).to.equal(false);
    }
  });

  it('fails as the question does, when that has no end', async () => {
    const { a, behind, answer, end } = await rig();
    const late = new RunbookError('timeout', 'did not end within 60 s');
    answer(Promise.reject(new CutShortError(late, { stdout: '', stderr: '' })));
    end();
    const error = await behind.answerTo(a).catch((reason: unknown) => reason);
    expect(error).to.have.property('message', 'did not end within 60 s');
  });
});

import { expect } from 'chai';
import { RunbookError } from '../../../engine/base/errors.ts';
import { type Script, sh } from '../../../engine/base/sh.ts';
import { createAnswers } from '../../../engine/run/ahead/answers.ts';
import { type AskingAhead, askAhead, createQuestion, type Question } from '../../../engine/run/ahead/ask.ts';
import { CutShortError } from '../../../engine/transport/shell.ts';
import type { Become, Connection } from '../../../engine/transport/transport.ts';

const question = (asker: string, script: Script = sh`echo ${asker}`, become?: Become): Question =>
  createQuestion(asker, { script, timeoutMs: 60_000 }, become, {});

/** A host that answers a batch as `answer` says of each of its probes, those after the first in so long, and tells what it was asked. */
function rig(answer: (number: number) => string | undefined = String, takesMs = 0) {
  const asked: string[] = [];
  let now = 0;
  const answers = createAnswers(() => now);
  const run: Connection['run'] = async ({ text }, { parts }) => {
    const [, mark] = /printf '\\n%s %d\\n' (\w{32}) /.exec(text) ?? [];
    const numbers = [...text.matchAll(/; rb_mark (\d+) \$\?$/gm)].map(([, number]) => Number(number) - 1);
    asked.push(mark === undefined ? text : `${numbers.length} together`);
    if (mark === undefined) return { rc: 0, stdout: 'alone', stderr: '', durationMs: 0 };
    let stdout = `\n${mark} 0 0\n`;
    let stderr = `\n${mark} 0\n`;
    for (const number of numbers) {
      const said = answer(number);
      if (said === undefined) throw new CutShortError(new RunbookError('timeout', 'cut short'), { stdout, stderr });
      stdout += `${said}\n${mark} ${number + 1} 0\n`;
      stderr += `\n${mark} ${number + 1}\n`;
      if (number === 0) parts?.onRest?.();
      else now += takesMs;
    }
    return { rc: 0, stdout, stderr, durationMs: 0 };
  };
  const ask = async (of: Question, coming: readonly Question[] = [], isEnough = true): Promise<string> => {
    const ahead: AskingAhead = {
      answers,
      clock: { now: () => now, sleep: async () => undefined },
      coming: async (atMost, isWanted) => coming.filter(isWanted).slice(0, atMost),
    };
    const connection = { run } as Connection;
    let isDated = false;
    const { stdout, othersMs } = await askAhead(connection, of, of, ahead, () => {
      isDated = true;
      return isEnough;
    });
    return `${stdout}${isDated ? ', dated' : ''}${othersMs > 0 ? `, ${othersMs} ms of others` : ''}`;
  };
  return { asked, answers, ask, pass: (ms: number) => (now += ms) };
}

describe('asking ahead', () => {
  it('asks once for several tasks; each answer is good once', async () => {
    const { ask, asked } = rig();
    const [a, b, c] = [question('a'), question('b'), question('c')];
    expect([await ask(a, [b, c]), await ask(b, [c]), await ask(c), await ask(c)]).to.deep.equal([
      '0',
      '1',
      '2',
      'alone',
    ]);
    expect(asked).to.deep.equal(['3 together', 'echo c']);
  });

  it('takes an answer only where just that is asked, by whom it was meant for', async () => {
    const { ask, asked } = rig();
    const root: Become = { user: 'root', method: 'sudo' };
    await ask(question('a'), [question('b'), question('c', sh`echo c`, root)]);
    expect(asked).to.deep.equal(['2 together']);
    expect(await ask(question('b', sh`echo other`))).to.equal('alone');
    expect(await ask(question('x', sh`echo b`))).to.equal('alone');
    expect(await ask(question('b', sh`echo b`, root))).to.equal('alone');
    expect(await ask(question('b'))).to.equal('1');
  });

  it('forgets when the host was acted on, also while it was asked, and after a while', async () => {
    const { ask, answers, pass } = rig();
    await ask(question('a'), [question('b')]);
    answers.forget();
    expect(await ask(question('b'))).to.equal('alone');
    const asking = ask(question('a'), [question('b')]);
    answers.forget();
    await asking;
    expect(await ask(question('b'))).to.equal('alone');
    await ask(question('a'), [question('b')]);
    pass(601_000);
    expect(await ask(question('b'))).to.equal('alone');
  });

  it('says of an answer that it is not to be acted upon any more', async () => {
    const { ask, asked, pass } = rig();
    const [a, ...others] = ['a', 'b', 'c', 'd', 'e', 'f'].map((asker) => question(asker));
    const [b, c, d, ...last] = others;
    if (!a || !b || !c || !d) throw new Error('there are six');
    await ask(a, others);
    pass(29_000);
    expect(await ask(b)).to.equal('1');
    pass(2000);
    expect(await ask(c)).to.equal('2, dated');
    expect(asked).to.deep.equal(['6 together']);
    // Where it has to be asked again, all of its age are.
    expect(await ask(d, last, false)).to.equal('0, dated');
    expect(await ask(last[0] ?? a)).to.equal('1');
    expect(asked).to.deep.equal(['6 together', '3 together']);
  });

  it('counts the age of an answer from when it was asked', async () => {
    const { ask, pass } = rig(String, 8000);
    expect(await ask(question('a'), [question('b')])).to.equal('0, 8000 ms of others');
    pass(23_000);
    expect(await ask(question('b'))).to.equal('1, dated');
  });

  it('asks together again what was asked too long ago', async () => {
    const { ask, asked, answers, pass } = rig();
    const all = ['a', 'b', 'c', 'd'].map((asker) => question(asker));
    const [a = question(''), ...others] = all;
    const [b = question(''), ...left] = others;
    await ask(a, others);
    pass(601_000);
    await ask(b, left);
    const end = answers.atWork();
    pass(3001);
    end();
    const [c = question(''), ...last] = left;
    await ask(c, last);
    expect(asked).to.deep.equal(['4 together', '3 together', '2 together']);
  });

  it('asks less far ahead where answers are too old when their turn comes', async () => {
    const { ask, asked, pass } = rig();
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((asker) => question(asker));
    for (const [i, one] of all.entries()) {
      await ask(one, all.slice(i + 1), false);
      // The first three are quick.
      if (i >= 2) pass(31_000);
    }
    expect(asked).to.deep.equal(['7 together', '3 together', '2 together', '2 together', 'echo g']);
  });

  it('tells how long it was kept waiting for the others, which is no time of its own', async () => {
    const { ask } = rig(String, 4000);
    const [a, b, c] = [question('a'), question('b'), question('c')];
    expect([await ask(a, [b, c]), await ask(b)]).to.deep.equal(['0, 8000 ms of others', '1']);
  });

  it('asks by itself what had no answer in time, and the ones after it together again', async () => {
    const { ask, asked } = rig((number) => (number === 1 ? undefined : String(number)));
    const all = ['a', 'hangs', 'c', 'd'].map((asker) => question(asker));
    const said: string[] = [];
    for (const [i, one] of all.entries()) said.push(await ask(one, all.slice(i + 1)));
    expect(said).to.deep.equal(['0', 'alone', '0', 'alone']);
    expect(asked).to.deep.equal(['4 together', 'echo hangs', '2 together', 'echo d']);
  });

  it('fails where the question itself has no answer, and asks the others again', async () => {
    const { ask, asked } = rig((number) => (number === 0 && asked.length === 1 ? undefined : String(number)));
    const all = ['hangs', 'b', 'c'].map((asker) => question(asker));
    const [hangs = question(''), b = question(''), c = question('')] = all;
    expect(await ask(hangs, [b, c]).catch(String)).to.match(/cut short/);
    expect([await ask(b, [c]), await ask(c)]).to.deep.equal(['0', '1']);
    expect(asked).to.deep.equal(['3 together', '2 together']);
  });

  it('asks by itself where the shell of all was killed', async () => {
    const run: Connection['run'] = async ({ text }) =>
      text === 'echo a'
        ? { rc: 0, stdout: 'alone', stderr: '', durationMs: 0 }
        : { rc: 137, stdout: '', stderr: '', durationMs: 0 };
    const a = question('a');
    const ahead: AskingAhead = {
      answers: createAnswers(() => 0),
      clock: { now: () => 0, sleep: async () => undefined },
      coming: async () => [question('b')],
    };
    expect((await askAhead({ run } as Connection, a, a, ahead)).stdout).to.equal('alone');
  });

  it('looks on for what can be asked with it', async () => {
    const { ask, asked, answers } = rig();
    const root: Become = { user: 'root', method: 'sudo' };
    const all = Array.from({ length: 12 }, (_, i) => question(String(i), undefined, i % 2 === 0 ? undefined : root));
    await ask(all[0] ?? question(''), all.slice(1));
    answers.forget();
    for (const [i, one] of all.entries()) if (i > 1) await ask(one, all.slice(i + 1));
    expect(asked.filter((text) => text.startsWith('echo'))).to.deep.equal([]);
  });

  it('asks by itself what has little time', async () => {
    const { ask, asked } = rig();
    const hasty = { ...question('a'), timeoutMs: 5000 };
    expect(await ask(hasty, [question('b')])).to.equal('alone');
    expect(await ask(question('b'), [hasty])).to.equal('0');
    expect(asked).to.deep.equal(['echo a', '2 together']);
  });

  it('asks less far ahead where every task changes the host, and farther again where none does', async () => {
    const { ask, asked, answers } = rig();
    const all = Array.from({ length: 200 }, (_, i) => question(String(i)));
    for (let i = 0; i < 4; i++) {
      await ask(all[i] ?? question(''), all.slice(i + 1));
      answers.forget();
    }
    expect(asked).to.deep.equal(['33 together', '2 together', '2 together', '2 together']);
    for (const [i, one] of all.entries()) await ask(one, all.slice(i + 1));
    expect(asked.at(-2)).to.equal('33 together');
  });
});

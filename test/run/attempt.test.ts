import { expect } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import { defineModule, probe } from '../../engine/module/contract.ts';
import { exec } from '../../engine/module/step.ts';
import type { AttemptContext } from '../../engine/run/attempt.ts';
import type { StepRunner } from '../../engine/run/step-runner.ts';
import { attemptWith } from '../support/attempt.ts';
import { checkedArguments, output } from '../support/module-rig.ts';

/** A module that is satisfied and settles once the host says `ready`. */
const settling = defineModule({
  name: 'settling',
  summary: 'Waits',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh`state`, ({ stdout }) => stdout),
  diff: () => [],
  *apply() {},
  settle: (_args, current) =>
    current === 'ready'
      ? undefined
      : { what: 'it', probe: probe(sh`state`, () => ''), done: () => 'not yet', timeoutMs: 1 },
});

/** Attempts it on a host that answers `stdout`; gives the outcome and what the host was asked. */
async function attempt(stdout: string, isCheckMode: boolean): Promise<{ outcome: string; asked: string[] }> {
  const asked: string[] = [];
  const steps: StepRunner = {
    deadline: Number.POSITIVE_INFINITY,
    ask: async (question) => {
      asked.push('probe');
      return question.parse(output(stdout));
    },
    wait: async (wait) => {
      asked.push('wait');
      return wait.probe.parse(output(stdout));
    },
    settle: async () => new Set(),
    follow: () => Promise.reject(new Error('nothing was started before')),
    drive: () => Promise.reject(new Error('there is nothing to do')),
  };
  const { outcome } = await attemptWith(steps, settling, checkedArguments(settling, {}), { isCheckMode });
  return { outcome, asked };
}

describe('settling', () => {
  for (const isCheckMode of [false, true]) {
    it(`costs nothing where the probe shows that it is so${isCheckMode ? ', in check mode' : ''}`, async () => {
      expect(await attempt('ready', isCheckMode)).to.deep.equal({ outcome: 'ok', asked: ['probe'] });
    });
  }

  it('is waited for otherwise, and the host then probed again; check mode asks once and does not know', async () => {
    expect(await attempt('starting', false)).to.deep.equal({ outcome: 'ok', asked: ['probe', 'wait', 'probe'] });
    expect(await attempt('starting', true)).to.deep.equal({ outcome: 'unknown', asked: ['probe', 'probe'] });
  });
});

describe('an answer that came long ahead', () => {
  const writing = defineModule({
    name: 'writing',
    summary: 'Writes what is not there',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    probe: () => probe(sh`state`, ({ stdout }) => stdout),
    diff: (current) => (current === 'written' ? [] : [{ path: 'content', before: current, after: 'written' }]),
    *apply() {
      yield exec(sh`write`);
    },
  });

  /** What is done on a host that gives these answers, the first of them long ahead. */
  async function done(
    answers: string[],
    context: Partial<AttemptContext> = {},
  ): Promise<{ outcome: string; did: string[] }> {
    const did: string[] = [];
    const steps: StepRunner = {
      deadline: Number.POSITIVE_INFINITY,
      ask: async (question, isEnough = () => false) => {
        did.push('probe');
        const answer = question.parse(output(answers.shift() ?? ''));
        if (did.length > 1 || isEnough(answer)) return answer;
        did.push('probe');
        return question.parse(output(answers.shift() ?? ''));
      },
      drive: async (effects) => {
        did.push('write');
        let turn = effects.next();
        while (!turn.done) turn = effects.next({ rc: 0, stdout: '', stderr: '' });
        return turn.value;
      },
      wait: () => Promise.reject(new Error('nothing is waited for')),
      settle: async () => new Set(),
      follow: () => Promise.reject(new Error('nothing was started before')),
    };
    const beforeEffect = async (): Promise<boolean> => {
      did.push('lease');
      return false;
    };
    const all = { ...context, beforeEffect };
    const { outcome } = await attemptWith(steps, writing, checkedArguments(writing, {}), all);
    return { outcome, did };
  }

  it('shows that there is nothing to do', async () => {
    expect(await done(['written'])).to.deep.equal({ outcome: 'ok', did: ['probe'] });
  });

  it('is not acted upon: the host is asked again first', async () => {
    expect(await done(['old', 'old', 'written'])).to.deep.equal({
      outcome: 'changed',
      did: ['probe', 'probe', 'lease', 'write', 'probe'],
    });
  });

  it('takes no lease where the host is as it should be by now', async () => {
    expect(await done(['old', 'written'])).to.deep.equal({ outcome: 'ok', did: ['probe', 'probe'] });
  });

  it('is not what conditions and other tasks go by', async () => {
    expect(await done(['written', 'written'], { areValuesRead: true })).to.deep.equal({
      outcome: 'ok',
      did: ['probe', 'probe'],
    });
  });

  it('is not reported by check mode, either', async () => {
    expect(await done(['old', 'written'], { isCheckMode: true })).to.deep.equal({
      outcome: 'ok',
      did: ['probe', 'probe'],
    });
    expect(await done(['old', 'old'], { isCheckMode: true })).to.deep.equal({
      outcome: 'changed',
      did: ['probe', 'probe', 'lease'],
    });
  });
});

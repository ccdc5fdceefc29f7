import { expect } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import { defineModule, probe } from '../../engine/module/contract.ts';
import { attemptResource } from '../../engine/run/attempt.ts';
import { createPredictedState } from '../../engine/run/predicted.ts';
import type { StepRunner } from '../../engine/run/step-runner.ts';
import { checkedArguments, localController, output } from '../support/module-rig.ts';

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
  const { outcome } = await attemptResource(settling, checkedArguments(settling, {}), {
    isCheckMode,
    steps,
    controller: localController(),
    predicted: createPredictedState(),
    id: 'test',
    beforeEffect: async () => false,
    onFound: () => undefined,
    onEffect: () => undefined,
  });
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

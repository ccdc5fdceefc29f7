import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { sh } from '../../engine/base/sh.ts';
import { type AnyResource, probe } from '../../engine/module/contract.ts';
import { loadModules } from '../../engine/module/loader.ts';
import type { StepRunner } from '../../engine/run/step-runner.ts';
import { attemptWith } from '../support/attempt.ts';
import { output } from '../support/module-rig.ts';

/** After its effects, every resource is looked at again: whatever the module, what still differs is a failure. */

/** A module whose effects come to nothing: the host differs before and after. Everything else is the module's own. */
function withoutEffect({ prepare: _, desired: __, ...module }: AnyResource): AnyResource {
  return {
    ...module,
    probe: () => probe(sh`state`, () => null),
    diff: () => [{ path: 'mode', before: '0644', after: '0600' }],
    *apply() {},
  };
}

const steps: StepRunner = {
  deadline: Number.POSITIVE_INFINITY,
  ask: async (question) => question.parse(output('')),
  wait: () => Promise.reject(new Error('nothing is waited for before it is verified')),
  settle: async () => new Set(),
  follow: () => Promise.reject(new Error('nothing was started before')),
  drive: async (effects) => {
    const turn = effects.next();
    return turn.done ? turn.value : Promise.reject(new Error('it has no effects'));
  },
};

const attempt = (module: AnyResource) => attemptWith(steps, withoutEffect(module));

describe('verification', () => {
  let resources: AnyResource[] = [];
  before(async () => {
    const registry = await loadModules({});
    resources = registry
      .names()
      .flatMap((name) => registry.get(name) ?? [])
      .filter((module): module is AnyResource => module.kind === 'resource');
  });

  it('of every built-in resource fails with the difference when the host is not as wanted', async () => {
    const verified = resources.filter((module) => !module.unverifiable);
    for (const module of verified) {
      const error = await attempt(module).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, module.name).to.be.instanceOf(RunbookError);
      const { code, message } = error as RunbookError;
      expect(code, module.name).to.equal('did-not-converge');
      expect(message).to.contain('mode: is "0644", wanted "0600"');
    }
    expect(verified.length).to.be.greaterThan(10);
  });

  it('can be left out by three modules only, each for some of its uses', () =>
    expect(resources.filter((module) => module.unverifiable).map(({ name }) => name)).to.deep.equal([
      'command',
      'shell',
      'systemd',
    ]));
});

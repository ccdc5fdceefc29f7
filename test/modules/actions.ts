import type { Clock } from '../../engine/base/clock.ts';
import type { ActionContext, ActionResult, ModuleDefinition } from '../../engine/module/contract.ts';
import { checkedArguments, runLocally } from '../support/module-rig.ts';

/** A clock that does not wait; it notes how long it was asked to. */
export function instantClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
}

/** Runs an action against this machine, with arguments that are not expressions checked as the engine checks them. */
export async function runAction(
  module: ModuleDefinition,
  args: Record<string, unknown>,
  options: { isCheckMode?: boolean; clock?: Clock; isEvaluated?: boolean } = {},
): Promise<ActionResult> {
  if (module.kind !== 'action') throw new Error(`${module.name} is no action`);
  const clock = options.clock ?? instantClock();
  const context: ActionContext = {
    host: 'localhost',
    isCheckMode: options.isCheckMode ?? false,
    clock,
    signal: new AbortController().signal,
    sleep: (ms) => clock.sleep(ms),
    probe: async (probe) => probe.parse(await runLocally(probe.script)),
    wait: async (wait) => {
      const started = clock.now();
      for (;;) {
        const state = wait.probe.parse(await runLocally(wait.probe.script));
        const answer = wait.done(state);
        if (answer === true) return state;
        if (clock.now() - started >= wait.timeoutMs) throw new Error(`waited for ${wait.what}: ${answer}`);
        await clock.sleep(wait.intervalMs ?? 1000);
      }
    },
  };
  return module.run(options.isEvaluated ? (args as never) : checkedArguments(module, args), context);
}

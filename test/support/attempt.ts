import type { AnyResource } from '../../engine/module/contract.ts';
import { type AttemptContext, type AttemptResult, attemptResource } from '../../engine/run/attempt.ts';
import { createPredictedState } from '../../engine/run/predicted.ts';
import type { StepRunner } from '../../engine/run/step-runner.ts';
import { localController } from './module-rig.ts';

/** Attempts a module with these steps, where no lease is around it and no plan is made. */
export function attemptWith(
  steps: StepRunner,
  module: AnyResource,
  args = {} as never,
  context: Partial<AttemptContext> = {},
): Promise<AttemptResult> {
  return attemptResource(module, args, {
    isCheckMode: false,
    areValuesRead: false,
    steps,
    controller: localController(),
    predicted: createPredictedState(),
    id: 'test',
    beforeEffect: async () => false,
    onFound: () => undefined,
    onEffect: () => undefined,
    ...context,
  });
}

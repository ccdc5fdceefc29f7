/** The public API: what modules, the built-in ones included, may import. */
export { RunbookError } from './base/errors.ts';
export { oncePerVersion } from './base/per-version.ts';
export { Secret } from './base/secret.ts';
export { quoteWord, type Script, type ShellValue, sh } from './base/sh.ts';
export { splitWords, type Word, type Words } from './base/shell-words.ts';
export {
  type ActionContext,
  type ActionResult,
  type Change,
  type Controller,
  type Diff,
  defineAction,
  defineLease,
  defineModule,
  failure,
  type InventoryAddition,
  type LeaseRun,
  type Lost,
  type Predicted,
  type Probe,
  type ProbeOutput,
  probe,
  TaskFailure,
  type Unknown,
  unknown,
} from './module/contract.ts';
export type { EvaluatedExpression, FromSchema, Schema } from './module/schema.ts';
export { exec, pause, put, type Step, type StepResult, type Wait, waitFor } from './module/step.ts';
export { digestFile } from './transport/host-digest.ts';
export type { Content } from './transport/transport.ts';

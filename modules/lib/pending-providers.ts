import type { Predicted } from '../../engine/index.ts';
import { oneLine } from './one-line.ts';

/**
 * Check mode: why it cannot be told whether something that is missing will be there, such as `unit docker.service`: a
 * pending task may bring it of which nobody can list what it brings. Undefined when there is none: then it stays missing.
 */
export function whoMayProvide(predicted: Predicted, thing: string): string | undefined {
  const declared = textOr(predicted.of(declaredCommand).command);
  return whoMayMake(predicted, thing) ?? (declared === undefined ? undefined : byCommand(declared, thing));
}

/** As {@link whoMayProvide}, but a command that says by `creates` and the like what it does is taken at its word. */
export function whoMayMake(predicted: Predicted, thing: string): string | undefined {
  const command = textOr(predicted.of(openCommand).command);
  if (command !== undefined) return byCommand(command, thing);
  const who = textOr(predicted.of('anything').who);
  if (who !== undefined) return `${who} may run: whether it provides ${thing} is not known`;
  const installed = whoInstalls(predicted, thing);
  if (installed !== undefined) return installed;
  for (const resource of predicted.under('tar-install:')) {
    const { archive, isUnlisted } = predicted.of(resource);
    if (isUnlisted === true) return `${archive} is pending: whether it provides ${thing} is not known`;
  }
  return undefined;
}

/** As {@link whoMayProvide}, of packages alone: they make users and groups that a task after them names. */
export function whoInstalls(predicted: Predicted, thing: string): string | undefined {
  for (const resource of predicted.under('package:')) {
    const name = resource.slice('package:'.length);
    if (textOr(predicted.of(resource)[name]) === undefined) continue;
    return `package ${name} is pending: whether it provides ${thing} is not known`;
  }
  return undefined;
}

/** The name under which check mode remembers a command: whether or not somebody says what it does. */
export function commandResource(isDeclared: boolean): string {
  return isDeclared ? declaredCommand : openCommand;
}

const openCommand = 'command';
const declaredCommand = 'command:declared';

function byCommand(command: string, thing: string): string {
  return `${thing} is not there; "${oneLine(command)}", which was not run, may provide it`;
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

import type { Predicted } from '../../engine/index.ts';

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
  for (const resource of predicted.under('package:')) {
    const { version } = predicted.of(resource);
    if (version === undefined || version === null) continue;
    return `package ${resource.slice('package:'.length)} is pending: whether it provides ${thing} is not known`;
  }
  for (const resource of predicted.under('tar-install:')) {
    const { archive, isUnlisted } = predicted.of(resource);
    if (isUnlisted === true) return `${archive} is pending: whether it provides ${thing} is not known`;
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
  return `${thing} is not there; "${command}", which was not run, may provide it`;
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

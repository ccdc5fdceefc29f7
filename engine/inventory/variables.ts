import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';
import { describeNode, type YamlEntry, type YamlNode } from '../language/yaml.ts';
import { checkVariableName } from './connection-names.ts';
import { type DraftGroup, setVariable } from './draft.ts';
import { setGroupVariable } from './groups.ts';
import type { ReadingContext } from './reading.ts';

/** Makes the values of a map of variables; what is wrong with one is reported, and it is left out. */
export function compileVariables(
  context: Pick<ReadingContext, 'report' | 'compileNode'>,
  entries: readonly YamlEntry[],
): [name: string, value: Value][] {
  return entries.flatMap(({ key, keyRange, value }) => {
    const doubt = checkVariableName(key, keyRange);
    if (doubt) context.report(doubt);
    const compiled = context.compileNode(value);
    return compiled ? [[key, compiled]] : [];
  });
}

/** Reads `vars` of a group. */
export function readGroupVariables(context: ReadingContext, group: DraftGroup, node: YamlNode): void {
  if (node.kind !== 'map') {
    return reportMistake(context, node.range, `vars is a map of names to values, not ${describeNode(node)}`);
  }
  for (const [name, value] of compileVariables(context, node.entries)) setGroupVariable(context, group, name, value);
}

/** Reads the variables of a host, or of the hosts that one range stands for. */
export function readHostVariables(
  context: ReadingContext,
  hosts: readonly string[],
  name: string,
  node: YamlNode,
): void {
  if (node.kind !== 'map') {
    const message = `the variables of "${name}" are a map of names to values, not ${describeNode(node)}`;
    return reportMistake(context, node.range, message);
  }
  for (const [key, value] of compileVariables(context, node.entries)) {
    for (const hostName of hosts) {
      const host = context.draft.hosts.get(hostName);
      if (host) setVariable(host, key, value);
    }
  }
}

/** Reports an error. */
export function reportMistake(
  { report }: Pick<ReadingContext, 'report'>,
  range: Range,
  message: string,
  hint?: string,
): void {
  report({ severity: 'error', message, range, ...(hint !== undefined && { hint }) });
}

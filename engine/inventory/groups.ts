import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';
import { addChild, type DraftGroup, setVariable } from './draft.ts';
import type { ReadingContext } from './reading.ts';

/** Makes a group a child of another; reports when that cannot be. */
export function joinGroups({ draft, report }: ReadingContext, parent: string, child: string, range: Range): void {
  if (child === 'all') {
    return report({
      severity: 'error',
      message: `"all" holds every group and cannot be a child of "${parent}"`,
      range,
    });
  }
  if (child === 'ungrouped' && parent !== 'all') {
    const message = `"ungrouped" holds the hosts that are in no group and cannot be a child of "${parent}"`;
    return report({ severity: 'error', message, range });
  }
  const loop = addChild(draft, parent, child);
  if (!loop) return;
  const message =
    child === parent
      ? `the group "${child}" cannot be its own child`
      : `the group "${child}" cannot be a child of "${parent}", which is in it: ${[...loop, child].join(' > ')}`;
  report({ severity: 'error', message, range });
}

/** Gives a group a variable. `ansible_group_priority` is none, but a setting of the group itself, as in Ansible. */
export function setGroupVariable({ report }: ReadingContext, group: DraftGroup, name: string, value: Value): void {
  if (name !== 'ansible_group_priority') {
    setVariable(group, name, value);
    return;
  }
  const priority = value.isLiteral ? value.render({}) : undefined;
  const isWhole = typeof priority === 'string' ? /^\s*[+-]?[0-9]+\s*$/.test(priority) : Number.isInteger(priority);
  if (isWhole) group.priority = Number(priority);
  else report({ severity: 'error', message: 'ansible_group_priority is a whole number', range: value.range });
}

/** Host patterns give some characters a meaning of their own, so that such a group cannot be named in one. */
export function warnOfGroupName({ report }: ReadingContext, name: string, range: Range): void {
  if (!/^[!&~@]|[,*?[\s:]/.test(name)) return;
  report({
    severity: 'warning',
    message: `the group "${name}" cannot be used in a host pattern, which gives some of its characters a meaning`,
    hint: 'name it with letters, digits, "_" and "-"',
    range,
  });
}

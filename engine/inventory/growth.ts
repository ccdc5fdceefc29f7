import pLimit from 'p-limit';
import { RunbookError } from '../base/errors.ts';
import type { Range } from '../base/source.ts';
import { literal } from '../language/compile.ts';
import type { Value } from '../language/value.ts';
import type { InventoryAddition } from '../module/contract.ts';
import { buildInventory, type VariableFolders } from './build.ts';
import { addChild, addHost, type Draft, ensureGroup } from './draft.ts';
import type { Inventory } from './inventory.ts';
import type { FolderVariables } from './variable-files.ts';

/** An inventory to which hosts and groups are added while it is used. */
export interface GrowingInventory {
  /** As it is now. Made anew when it is asked for after an addition, however many there were. */
  readonly current: Inventory;
  /**
   * Adds hosts and groups, with what `group_vars` and `host_vars` say of them. Raises a RunbookError for what cannot be
   * added, and a DiagnosticsError for mistakes in those files.
   */
  add(addition: InventoryAddition): Promise<void>;
}

/** Names of groups and hosts. */
export interface Names {
  readonly groups: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
}

/** What an inventory was made of, and can be made of again. */
export interface InventoryParts {
  readonly draft: Draft;
  readonly folders: VariableFolders;
  /** The connection of a localhost that the inventory does not name. */
  readonly local: Value;
  /** Reads what the same folders say of names that were not known before. */
  readonly readVariables: (names: Names) => Promise<VariableFolders>;
}

/** `onGrown` is called with each inventory that is made after an addition. */
export function createGrowingInventory(
  inventory: Inventory,
  parts: InventoryParts,
  onGrown: (inventory: Inventory) => void,
): GrowingInventory {
  const { draft } = parts;
  let { folders } = parts;
  let current = inventory;
  let isOutdated = false;
  const inTurn = pLimit(1);
  return {
    get current() {
      if (isOutdated) {
        isOutdated = false;
        current = buildInventory(draft, folders, parts.local);
        onGrown(current);
      }
      return current;
    },
    // In the order of the calls, whichever files are read first: it is the order of groups and hosts from then on.
    add: (addition) => inTurn(() => addNow(addition)),
  };

  async function addNow(addition: InventoryAddition): Promise<void> {
    const names = newNames(draft, addition);
    if (names.groups.size + names.hosts.size > 0) folders = joinFolders(folders, await parts.readVariables(names));
    for (const { name, parents = [] } of addition.groups ?? []) {
      makeGroup(draft, name);
      for (const parent of parents) putInside(draft, parent, name);
    }
    for (const host of addition.hosts ?? []) putHost(draft, host);
    isOutdated = true;
  }
}

function newNames({ groups, hosts }: Draft, addition: InventoryAddition): Names {
  const { groups: addedGroups = [], hosts: addedHosts = [] } = addition;
  const named = [
    ...addedGroups.flatMap(({ name, parents = [] }) => [name, ...parents]),
    ...addedHosts.flatMap(({ groups: of = [] }) => of),
  ];
  return {
    groups: new Set(named.filter((name) => !groups.has(name))),
    hosts: new Set(addedHosts.map(({ name }) => name).filter((name) => !hosts.has(name))),
  };
}

function putHost(draft: Draft, { name, groups = [], variables = {} }: NonNullable<InventoryAddition['hosts']>[number]) {
  if (draft.groups.has(name)) throw new RunbookError('task-failed', `"${name}" is a group and can be no host`);
  const range: Range = { source: { path: 'added in the run', text: name }, start: 0, end: name.length };
  for (const group of groups) makeGroup(draft, group);
  const host = addHost(draft, groups[0] ?? 'ungrouped', name, range);
  for (const group of groups) addHost(draft, group, name, range);
  for (const [variable, data] of Object.entries(variables)) host.variables.set(variable, literal(data, range));
}

function makeGroup(draft: Draft, name: string): void {
  if (draft.hosts.has(name)) throw new RunbookError('task-failed', `"${name}" is a host and can be no group`);
  ensureGroup(draft, name);
}

function putInside(draft: Draft, parent: string, child: string): void {
  makeGroup(draft, parent);
  const loop = addChild(draft, parent, child);
  if (loop) throw new RunbookError('task-failed', `the group "${child}" cannot be in itself: ${loop.join(' → ')}`);
}

function joinFolders(known: VariableFolders, more: VariableFolders): VariableFolders {
  const join = (a: FolderVariables, b: FolderVariables | undefined): FolderVariables =>
    b ? { groups: new Map([...a.groups, ...b.groups]), hosts: new Map([...a.hosts, ...b.hosts]) } : a;
  return {
    inventory: known.inventory.map((folder, i) => join(folder, more.inventory[i])),
    ...(known.playbook && { playbook: join(known.playbook, more.playbook) }),
  };
}

import type { Range, Source } from '../../base/source.ts';
import type { Play, Task } from '../playbook.ts';
import type { Reference, Value } from '../value.ts';
import type { Shape } from './shape.ts';

/** What the static check is told of the world outside of the playbook. */
export interface World {
  /** `-e`. */
  readonly extraVars: Readonly<Record<string, unknown>>;
  /** False when there is no inventory to ask: what is not known may be defined in one. */
  readonly hasInventory: boolean;
  /** What the inventory gives to the hosts of a play. Undefined for a play whose hosts are not known. */
  readonly inventoryOf: (play: Play) => InventoryNames | undefined;
  /** Hosts and groups by name; undefined when they are not known, or when tasks add to them. */
  readonly hosts: Iterable<string> | undefined;
  readonly groups: Iterable<string> | undefined;
  /** The template files that a task names literally. */
  readonly templatesOf: (task: Task) => readonly TemplateFile[];
  /** Whether `--tags` and `--skip-tags` leave a task in. */
  readonly isSelected: (task: Task) => boolean;
}

/** A template file that a task uses. */
export interface TemplateFile {
  readonly source: Source;
  readonly references: readonly Reference[];
}

/** The variables of a play's hosts by name. */
export type InventoryNames = ReadonlyMap<string, InventoryVariable>;

/** A variable as some hosts of a play have it. */
export interface InventoryVariable {
  /** What all of its values have in common. */
  readonly shape: () => Shape;
  /** Different ones only, whatever the number of hosts. */
  readonly values: readonly Value[];
  /** The hosts of the play that lack it. */
  readonly missingOn: () => readonly string[];
}

/** A task that gives a variable its value. */
export interface Giver {
  readonly range: Range;
  /** `registered` or `set`. */
  readonly act: string;
}

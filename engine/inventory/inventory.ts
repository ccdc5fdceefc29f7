import type { Value, Variables } from '../language/value.ts';

/** The hosts of a run and what is known about them before one is contacted. */
export interface Inventory {
  /** In the order in which they were first named. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** `all` and `ungrouped` first, then in the order in which they were first named. */
  readonly groups: ReadonlyMap<string, Group>;
  /** What `localhost`, `127.0.0.1` and `::1` stand for in a host pattern when the inventory does not name them. */
  readonly localhosts: ReadonlyMap<string, Host>;
}

/** A host, with its variables not yet rendered. */
export interface Host {
  readonly name: string;
  /** Every group that it is in, at any depth, sorted by name; `all` is one of them. */
  readonly groups: readonly string[];
  /** From the lowest to the highest precedence. Group layers are shared between hosts. */
  readonly layers: readonly VariableLayer[];
  /** True for a localhost that the inventory does not name. */
  readonly isImplicit: boolean;
}

/** A named set of hosts. */
export interface Group {
  readonly name: string;
  /** Names of its hosts, those of its children after its own. */
  readonly hosts: readonly string[];
  /** Names of the hosts that are put into it by name. */
  readonly ownHosts: readonly string[];
  readonly children: readonly string[];
  readonly parents: readonly string[];
  /** The longest way from `all`, whose depth is 0. */
  readonly depth: number;
  readonly layers: readonly VariableLayer[];
}

/** Variables that come from one place and have one precedence. */
export interface VariableLayer {
  /** For people: `group nodes`, `host n1`, `inventories/group_vars/all.yml`. */
  readonly origin: string;
  readonly variables: Variables;
  /** What was said in this place before, and again later: it is read by nobody and can be shown. Oldest first. */
  readonly hidden?: ReadonlyMap<string, readonly Value[]>;
}

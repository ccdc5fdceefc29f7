import type { ModuleDefinition } from './contract.ts';

/** The modules that a run knows, by name. */
export interface Registry {
  get(name: string): ModuleDefinition | undefined;
  /** Sorted. */
  names(): readonly string[];
  /** Where a module came from: `built-in`, or the path of its file. */
  origin(name: string): string;
}

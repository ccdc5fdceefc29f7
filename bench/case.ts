import type { Command, Measurement } from './measure.ts';

/** How big a benchmark is. A smoke run shows only that everything works: its numbers mean nothing. */
export interface Scale {
  readonly isSmoke: boolean;
  /** Of the quick programs; the slow ones run less often. */
  readonly runs: number;
}

/** What a case works with. */
export interface Bench {
  readonly scale: Scale;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  /** The command `runbook` with arguments. */
  readonly runbook: (args: readonly string[]) => Command;
  /** A command of Ansible; undefined where it is not installed, and in a smoke run. */
  readonly ansible: ((program: string, args: readonly string[]) => Command) | undefined;
}

/** One tool in one case. */
export interface ToolResult {
  /** As a user would type it. */
  readonly command: string;
  readonly measurement: Measurement;
  /** What the case is about, in its unit. */
  readonly value: number;
}

/** A number that a case must not exceed. */
export interface Goal {
  readonly what: string;
  readonly limit: number;
  readonly actual: number;
  readonly unit: string;
}

/** What became of a case. */
export interface CaseResult {
  readonly title: string;
  /** What was put in. */
  readonly input: string;
  /** What `value` of the tools is: `wall time` in `ms`. */
  readonly metric: { readonly name: string; readonly unit: string };
  readonly runbook: ToolResult;
  readonly ansible?: ToolResult;
  readonly goals: readonly Goal[];
}

/** Something to measure. */
export interface Case {
  readonly id: string;
  run(bench: Bench): Promise<CaseResult>;
}

import type { Counts } from './counting/counts.ts';
import type { Command, Measurement } from './measure.ts';
import type { PeerName } from './peers/peer.ts';

/** How big a benchmark is. A smoke run shows that everything works: its times mean nothing. */
export interface Scale {
  readonly isSmoke: boolean;
  /** How often a program runs, unless its case says otherwise. */
  readonly runs: number;
}

/** What a case works with. */
export interface Bench {
  readonly scale: Scale;
  /** Aborted by Ctrl-C: what runs is ended, and nothing begins any more. */
  readonly signal: AbortSignal;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  /** The program to measure as runbook. */
  readonly runbookProgram: string;
  /** The command `runbook` with arguments. */
  readonly runbook: (args: readonly string[]) => Command;
  /** A command of Ansible; undefined where it is not installed. */
  readonly ansible: ((program: string, args: readonly string[]) => Command) | undefined;
  /** Why a tool takes no part, or undefined when it does. */
  readonly whyLeftOut: (peer: PeerName) => string | undefined;
}

/** One tool in one case. */
export interface ToolResult {
  /** As the page calls it: `Ansible with pipelining`. */
  readonly tool: string;
  /** As a user would type it. */
  readonly command: string;
  readonly measurement: Measurement;
  /** What the case is about, in its unit. */
  readonly value: number;
  /** From a run of its own, whose time does not count. */
  readonly counts?: Counts;
  /** After its last run the hosts were not as the play wants them: its numbers are of another work. */
  readonly isIncomplete?: true;
}

/** A number that a case must not exceed, or must reach. */
export interface Goal {
  readonly what: string;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly actual: number;
  readonly unit: string;
  /** It is counted, not timed: it holds on any machine, and in a smoke run. */
  readonly isCount?: true;
}

/** What became of a case. */
export interface CaseResult {
  readonly title: string;
  /** What was put in. */
  readonly input: string;
  /** What `value` of the tools is: `wall time` in `ms`. */
  readonly metric: { readonly name: string; readonly unit: string };
  /** runbook first; the others beside it. */
  readonly tools: readonly ToolResult[];
  readonly goals: readonly Goal[];
  /** What a reader has to know about the numbers, and who was left out and why. */
  readonly notes: readonly string[];
}

/** Why a case cannot be measured here. */
export interface Skipped {
  readonly skipped: string;
}

/** Something to measure. */
export interface Case {
  readonly id: string;
  /** It works on nodes of the lab, which is up while it runs. */
  readonly needsLab?: true;
  run(bench: Bench): Promise<CaseResult | Skipped>;
}

import type { ChangeView, TaskResult } from '../../base/events.ts';
import type { BlockMoment, EndedAs, LeaseChange } from './record.ts';
import type { Encoded } from './values.ts';

/**
 * A line of `state.ndjson`: what a run has to know of itself to go on. The record of a run is what comes of its lines, one
 * after the other (`fold.ts`).
 */
export type StateLine =
  /** A process begins: what was done before it is there to be replayed. */
  | { readonly t: 'began'; readonly time: string; readonly pid: number }
  /** Of what a host has done, so many ends stay; it was down. */
  | ({ readonly t: 'cut'; readonly host: string } & Cut)
  /** What a former process did was replayed. */
  | { readonly t: 'kept'; readonly host: string; readonly key: string }
  /** What former processes did and was not replayed by now does not count; with a key, the next end of this handler. */
  | { readonly t: 'forgot'; readonly host: string; readonly key?: string }
  | ({ readonly t: 'task'; readonly end: EncodedEnd } & OfTask & EndedAs)
  /** A task was interrupted. */
  | { readonly t: 'dropped'; readonly host: string; readonly key: string }
  | ({ readonly t: 'item'; readonly item: string; readonly end: EncodedEnd } & OfTask)
  | ({ readonly t: 'effect'; readonly item: string; readonly changes: readonly ChangeView[] } & OfTask)
  | { readonly t: 'step'; readonly host: string; readonly effect: string; readonly boot: string }
  | ({ readonly t: 'attempt'; readonly item: string } & OfTask)
  | { readonly t: 'down'; readonly host: string }
  | ({ readonly t: 'block'; readonly host: string } & BlockMoment)
  | { readonly t: 'mark'; readonly what: string }
  | {
      readonly t: 'lease';
      readonly host: string;
      readonly key: string;
      readonly time: string;
      readonly change: LeaseChange;
    };

interface OfTask {
  readonly host: string;
  readonly key: string;
}

/** Where what a host has done is cut back, and whether whole blocks are begun again. */
export interface Cut {
  readonly keep: number;
  readonly isBlock: boolean;
}

/** How a task ended, as it is written: what is only shown is masked, and what holds a secret is left out as a whole. */
export interface EncodedEnd {
  readonly result: Omit<TaskResult, 'durationMs'>;
  readonly hasChangedItem?: boolean;
  readonly isLeftOut?: boolean;
  readonly values?: Encoded;
  readonly isWithheld?: boolean;
}

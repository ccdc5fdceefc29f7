import type { Subscriber } from '../base/events.ts';

/** Shows a run. It only reads events; it can neither stop nor slow a run. */
export interface Reporter {
  /** Takes the next event. */
  readonly on: Subscriber;
  /** Shows a line that is no event: what an interrupt did. */
  note(text: string): void;
  /** Ends after the last event, when the terminal has been given back. */
  close(): Promise<void>;
  /** Gives the terminal back at once; for the process's last moment, however it came. */
  restore(): void;
}

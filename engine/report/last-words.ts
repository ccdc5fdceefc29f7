import type { StampedEvent, Subscriber } from '../base/events.ts';
import { oneLine } from './text.ts';

/** What is to be said after a run, for whoever has to go on from there. */
export interface LastWords {
  readonly on: Subscriber;
  /** After the run has ended: how to resume it, and what is still held. None where there is nothing to go on with. */
  afterEnd(): string[];
  /** When the process ends in the midst of it. */
  now(): string[];
}

/** Follows a run. `isKept`: it has a journal. */
export function createLastWords(isKept: boolean): LastWords {
  let runId = '';
  let isCheckMode = false;
  let exitCode = 0;
  const held = new Map<string, string>();
  const release = (): string[] =>
    held.size === 0
      ? []
      : [
          ...[...held.values()].map((lease) => `still held: ${lease}`),
          `give back what is held: runbook leases release ${runId}`,
        ];
  const resume = (): string[] => (isKept && !isCheckMode ? [`go on with the run: runbook resume ${runId}`] : []);
  return {
    on(event: StampedEvent) {
      if (event.type === 'run-started') ({ runId, isCheckMode } = event);
      else if (event.type === 'run-ended') ({ exitCode } = event);
      else if (event.type === 'lease-released' || event.type === 'lease-lost') held.delete(keyOf(event));
      else if (event.type === 'lease-taking' || event.type === 'lease-taken' || event.type === 'lease-kept')
        held.set(keyOf(event), `[${event.host}] ${oneLine(event.task.name)}`);
    },
    afterEnd: () => (runId === '' || exitCode === 0 || isCheckMode ? [] : [...resume(), ...release()]),
    now: () => (runId === '' ? [] : [...resume(), ...release()]),
  };
}

function keyOf({ host, task }: { readonly host: string; readonly task: { readonly id: string } }): string {
  return `${host} ${task.id}`;
}

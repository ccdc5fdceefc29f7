import type { Subscriber } from '../base/events.ts';

/**
 * Follows a run, and tells of effects that nobody will ask their host for any more: those of a task that ended, which is
 * recorded by then. Where the link was lost for good, whoever resumes the run asks for them.
 */
export function watchEffects(onRecorded: (ids: readonly string[]) => void): Subscriber {
  const ended = new Map<string, string[]>();
  return (event) => {
    switch (event.type) {
      case 'step-ended': {
        if (event.effect === undefined) return;
        const key = keyOf(event);
        ended.set(key, [...(ended.get(key) ?? []), event.effect]);
        return;
      }
      case 'host-task-ended':
      case 'lease-taken':
      case 'lease-released':
      case 'lease-kept': {
        const ids = ended.get(keyOf(event)) ?? [];
        ended.delete(keyOf(event));
        const isLost =
          event.type === 'host-task-ended' && (event.outcome === 'unreachable' || event.failure?.isOpen === true);
        if (!isLost && ids.length > 0) onRecorded(ids);
        return;
      }
      default:
    }
  };
}

function keyOf({ task, host }: { readonly task: { readonly id: string }; readonly host: string }): string {
  return `${host} ${task.id}`;
}

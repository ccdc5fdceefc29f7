import type { Subscriber } from '../base/events.ts';

/**
 * Follows a run, and tells of effects that nobody will ask their host for any more, once that is on disk: those of a task that
 * ended, of which the record was told by then. Where the link was lost for good, whoever resumes the run asks for them.
 */
export function watchEffects(onEnded: (host: string, ids: readonly string[]) => void): Subscriber {
  // By host and task, and by the host that they were run on.
  const ended = new Map<string, Map<string, string[]>>();
  return (event) => {
    switch (event.type) {
      case 'step-ended': {
        if (event.effect === undefined) return;
        const [key, on] = [keyOf(event), event.delegatedTo ?? event.host];
        const of = ended.get(key) ?? new Map<string, string[]>();
        ended.set(key, of.set(on, [...(of.get(on) ?? []), event.effect]));
        return;
      }
      case 'host-task-ended':
      case 'lease-taken':
      case 'lease-released':
      case 'lease-kept': {
        const of = ended.get(keyOf(event));
        if (!of) return;
        ended.delete(keyOf(event));
        const isLost =
          event.type === 'host-task-ended' && (event.outcome === 'unreachable' || event.failure?.isOpen === true);
        if (!isLost) for (const [on, ids] of of) onEnded(on, ids);
        return;
      }
      default:
    }
  };
}

function keyOf({ task, host }: { readonly task: { readonly id: string }; readonly host: string }): string {
  return `${host} ${task.id}`;
}

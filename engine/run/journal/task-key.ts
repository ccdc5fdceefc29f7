import { shortDigest } from '../../base/short-digest.ts';
import type { Task } from '../../language/playbook.ts';
import type { Turn } from '../surroundings.ts';

/**
 * What a task is called in the record of a run: a digest of its text and of the turns of includes around it. Tasks with the
 * same text are told apart by their order on the host. So a task keeps its record when others around it have changed.
 */
export function taskKeyOf({ digest }: Pick<Task, 'digest'>, turn?: Pick<Turn, 'key'>): string {
  return turn ? shortDigest(`${digest}\n${turn.key}`) : digest;
}

/** The key of something that a play does by itself, such as gathering facts. */
export function playKeyOf(what: string, { id }: { readonly id: string }): string {
  return shortDigest(`${what} of ${id}`);
}

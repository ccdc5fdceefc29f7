import { createHash } from 'node:crypto';
import type { Range } from '../../base/source.ts';
import type { Turn } from '../surroundings.ts';

/**
 * What a task is called in the record of a run: a digest of its text and of the turns of includes around it. Tasks with the
 * same text are told apart by their order on the host. So a task keeps its record when others around it have changed.
 */
export function taskKeyOf({ range }: { readonly range: Range }, turn?: Pick<Turn, 'key'>): string {
  const text = range.source.text.slice(range.start, range.end);
  return digestOf(`${text}\n${turn?.key ?? ''}`);
}

/** The key of something that a play does by itself, such as gathering facts. */
export function playKeyOf(what: string, { id }: { readonly id: string }): string {
  return digestOf(`${what} of ${id}`);
}

/** A short digest of a text. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

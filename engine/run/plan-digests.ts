import type { Change } from '../module/contract.ts';
import { type RunKey, valueDigest } from './run-key.ts';

/** A difference as digests: equal ones have equal digests, and nobody without the key can tell what they are of. */
export interface ChangeDigests {
  readonly resource: string;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

export function digestsOf({ resource, path, before, after }: Change, key: RunKey): ChangeDigests {
  const digest = (what: string, value: unknown): string => valueDigest(key, what, value);
  return {
    resource: digest('resource', resource ?? null),
    path: digest('path', [resource ?? null, path]),
    before: digest('value', before),
    after: digest('value', after),
  };
}

/** The digests as a plan holds them. */
export function writeDigests({ resource, path, before, after }: ChangeDigests): string {
  return [resource, path, before, after].join(' ');
}

/** Reads what {@link writeDigests} wrote. */
export function readDigests(text: string): ChangeDigests {
  const [resource = '', path = '', before = '', after = ''] = text.split(' ');
  return { resource, path, before, after };
}

/** The turn of an include, or of several inside each other. */
export function turnDigest(turn: string | undefined, key: RunKey): string | undefined {
  return turn === undefined ? undefined : valueDigest(key, 'turn', turn);
}

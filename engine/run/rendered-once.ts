import type { Scope } from '../language/value.ts';
import type { FileTemplate } from './controller.ts';

/** A rendering, with the variables that it read, in order. */
interface Rendering {
  readonly reads: ReadonlyMap<string, unknown>;
  readonly text: string;
}

/** So many renderings are kept: hosts of a few groups, in any order. */
const mostKept = 16;

/**
 * The template, rendered once for all hosts for which what it reads is the same: a rendering depends on nothing else. Only
 * texts, numbers and booleans are compared; one that reads a map, a list or a secret is rendered for each host.
 */
export function renderedOnce(template: FileTemplate): FileTemplate {
  const kept: Rendering[] = [];
  return {
    references: template.references,
    render(scope) {
      const known = kept.find(({ reads }) => isSameFor(scope, reads));
      if (known) return known.text;
      const reads = new Map<string, unknown>();
      const text = template.render(recording(scope, reads));
      if (typeof text === 'string' && [...reads.values()].every(isPlain)) {
        kept.unshift({ reads, text });
        kept.length = Math.min(kept.length, mostKept);
      }
      return text;
    },
  };
}

/** Reads in the order of the rendering, as far as all is the same: nothing is looked at that it would not look at. */
function isSameFor(scope: Scope, reads: Rendering['reads']): boolean {
  for (const [name, value] of reads) if (scope[name] !== value) return false;
  return true;
}

/** The scope, with a note of what is read of it; a name that is not defined is one that is read as undefined. */
function recording(scope: Scope, reads: Map<string, unknown>): Scope {
  const read = (name: string | symbol): unknown => {
    const value: unknown = Reflect.get(scope, name);
    if (typeof name === 'string') reads.set(name, value);
    return value;
  };
  return new Proxy(scope, {
    get: (_, name) => read(name),
    getOwnPropertyDescriptor: (_, name) => {
      read(name);
      return Reflect.getOwnPropertyDescriptor(scope, name);
    },
    ownKeys: () => {
      // All of them at once are no plain value.
      reads.set('*', scope);
      return Reflect.ownKeys(scope);
    },
  });
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

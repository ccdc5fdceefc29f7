import type { Template } from './template.ts';
import type { Scope } from './value.ts';

/** What a rendering reads next, and where each value of it leads: to what it reads after that, or to the text. */
interface Read {
  readonly name: string;
  readonly next: Map<unknown, Read | string>;
}

/** So many texts are kept: hosts of a few groups. Each host having its own, there is nothing to share. */
const mostKept = 16;

/**
 * The template, rendered once for all scopes in which what it reads is the same: it depends on nothing else, so up to the first
 * difference it reads the same names in the same order. Only texts, numbers and booleans are compared; a template that reads
 * a map, a list or a secret is rendered anew each time.
 */
export function renderedOnce(template: Template): Template {
  let first: Read | string | undefined;
  let kept = 0;
  let isShareable = true;
  return {
    references: template.references,
    render(scope) {
      if (!isShareable) return template.render(scope);
      const known = follow(first, scope);
      if (known !== undefined || kept >= mostKept) return known ?? template.render(scope);
      const reads = new Map<string, unknown>();
      let hasReadAll = false;
      const text = template.render(
        recording(scope, reads, () => {
          hasReadAll = true;
        }),
      );
      isShareable = typeof text === 'string' && !hasReadAll && [...reads.values()].every(isPlain);
      if (!isShareable || typeof text !== 'string') return text;
      first = withText(first, [...reads], text);
      kept++;
      return text;
    },
  };
}

/** The text that is kept for this scope. Nothing is looked at that a rendering would not look at. */
function follow(first: Read | string | undefined, scope: Scope): string | undefined {
  let at = first;
  while (typeof at === 'object') at = at.next.get(scope[at.name]);
  return at;
}

function withText(
  first: Read | string | undefined,
  reads: readonly (readonly [string, unknown])[],
  text: string,
): Read | string {
  const [read, ...others] = reads;
  if (!read) return text;
  const [name, value] = read;
  const from: Read = typeof first === 'object' ? first : { name, next: new Map() };
  from.next.set(value, withText(from.next.get(value), others, text));
  return from;
}

/** The scope, with a note of what is read of it; a name that is not defined is read as undefined. */
function recording(scope: Scope, reads: Map<string, unknown>, onReadAll: () => void): Scope {
  return new Proxy(scope, {
    get: (_, name) => {
      const value: unknown = Reflect.get(scope, name);
      if (typeof name === 'string') reads.set(name, value);
      return value;
    },
    // Whether it is there is asked first. That it has a value renders nothing, and the value is read next.
    getOwnPropertyDescriptor: (_, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(scope, name);
      if (!descriptor && typeof name === 'string') reads.set(name, undefined);
      return descriptor;
    },
    ownKeys: () => {
      onReadAll();
      return Reflect.ownKeys(scope);
    },
  });
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value);
}

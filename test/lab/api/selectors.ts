import { at, type KubeObject } from './objects.ts';

/** Whether an object is what a list asked for; selectors in kubectl's syntax. */
export function isSelected(object: KubeObject, query: URLSearchParams): boolean {
  return (
    terms(query.get('fieldSelector')).every((term) => matches(term, (path) => fieldOf(object, path))) &&
    terms(query.get('labelSelector')).every((term) => matches(term, (key) => object.metadata.labels?.[key]))
  );
}

/** Whether labels satisfy the matchLabels of a budget. */
export function matchesLabels(object: KubeObject, selector: unknown): boolean {
  if (typeof selector !== 'object' || selector === null) return false;
  return Object.entries(selector).every(([key, value]) => object.metadata.labels?.[key] === value);
}

/** A comma inside `in (a,b)` does not end a term. */
function terms(selector: string | null): string[] {
  return (selector ?? '')
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function matches(term: string, valueOf: (key: string) => string | undefined): boolean {
  const set = /^(\S+)\s+(in|notin)\s+\((.*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const isIn = values
      .split(',')
      .map((value) => value.trim())
      .includes(valueOf(key) ?? '');
    return operator === 'in' ? isIn : !isIn;
  }
  const [, key = term, operator = '', value = ''] = /^([^=!]+)(!=|==|=)(.*)$/.exec(term) ?? [];
  if (operator === '!=') return valueOf(key) !== value;
  if (operator !== '') return valueOf(key) === value;
  return term.startsWith('!') ? valueOf(term.slice(1)) === undefined : valueOf(term) !== undefined;
}

function fieldOf(object: KubeObject, path: string): string {
  const value = at(object, path);
  return value === undefined || value === null ? '' : String(value);
}

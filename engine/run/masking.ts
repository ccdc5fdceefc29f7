import type { Diagnostic } from '../base/diagnostic.ts';
import type { EventBus } from '../base/events.ts';
import type { Masker } from '../base/masker.ts';
import { hiddenText, Secret } from '../base/secret.ts';
import { positionAt, type Range } from '../base/source.ts';

/**
 * A bus on which no event carries a secret that the masker knows when the event is emitted: each is replaced by `********`
 * in every text and key of an event. The names by which programs tell events, tasks and hosts apart stay, even where a
 * secret is one of them.
 */
export function maskedBus(bus: EventBus, masker: Masker): EventBus {
  return {
    // The shape is kept: only texts inside are replaced.
    emit: (event) => bus.emit(maskStructure(event, masker) as typeof event),
    subscribe: (subscriber) => bus.subscribe(subscriber),
  };
}

const names: ReadonlySet<string> = new Set([
  ...['type', 'outcome', 'state', 'code', 'severity', 'runId', 'playbook'],
  ...['id', 'module', 'place', 'host', 'hosts', 'delegatedTo', 'effect', 'boot'],
]);

/** What modules and hosts say, whose keys mean nothing to the engine. */
const data: ReadonlySet<string> = new Set(['grant', 'before', 'after']);

function maskStructure(value: unknown, masker: Masker): unknown {
  if (Array.isArray(value)) return mapItems(value, (item) => maskStructure(item, masker));
  if (!isMap(value)) return maskData(value, masker);
  return mapEntries(value, (key, item) => {
    if (names.has(key)) return [key, item];
    if (key === 'diagnostic') return [key, maskDiagnostic(item as Diagnostic, masker)];
    return [key, data.has(key) ? maskData(item, masker) : maskStructure(item, masker)];
  });
}

function maskData(value: unknown, masker: Masker): unknown {
  if (typeof value === 'string') return masker.mask(value);
  if (value instanceof Secret) return hiddenText;
  if (Array.isArray(value)) return mapItems(value, (item) => maskData(item, masker));
  if (!isMap(value)) return value;
  return mapEntries(value, (key, item) => [masker.mask(key), maskData(item, masker)]);
}

/** The list itself when nothing in it becomes something else, as in nearly every event. */
function mapItems(items: readonly unknown[], map: (item: unknown) => unknown): readonly unknown[] {
  const mapped = items.map(map);
  return mapped.every((item, i) => item === items[i]) ? items : mapped;
}

/** The map itself when nothing in it becomes something else. */
function mapEntries(map: object, to: (key: string, item: unknown) => readonly [string, unknown]): object {
  let isSame = true;
  const entries = Object.entries(map).map(([key, item]) => {
    const entry = to(key, item);
    isSame &&= entry[0] === key && entry[1] === item;
    return entry;
  });
  return isSame ? map : Object.fromEntries(entries);
}

/** A diagnostic as it may be shown. */
export function maskDiagnostic(diagnostic: Diagnostic, masker: Masker): Diagnostic {
  const { message, hint, range } = diagnostic;
  return {
    ...diagnostic,
    message: masker.mask(message),
    ...(hint !== undefined && { hint: masker.mask(hint) }),
    ...(range && { range: maskRange(range, masker) }),
  };
}

/** The same place in a source of which only the line that is shown is left, so that its number and caret stay right. */
function maskRange({ source, start, end }: Range, masker: Masker): Range {
  const { line, column } = positionAt(source, start);
  const text = source.text.split('\n', line)[line - 1] ?? '';
  const before = masker.mask(text.slice(0, column - 1));
  const shown = masker.mask(text);
  // A secret across the beginning of the range is shorter or longer than before.
  const at = shown.startsWith(before) ? before.length : Math.min(column - 1, shown.length);
  const above = '\n'.repeat(line - 1);
  const masked = { ...source, text: above + shown };
  return { source: masked, start: above.length + at, end: above.length + at + Math.max(1, end - start) };
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

import type { Diagnostic } from '../base/diagnostic.ts';
import type { EventBus } from '../base/events.ts';
import { createTextMapper, isPlainMap, mapItems, mapValues } from '../base/map-data.ts';
import type { Masker } from '../base/masker.ts';
import { hiddenText, Secret } from '../base/secret.ts';
import { positionAt, type Range } from '../base/source.ts';

/**
 * A bus on which no event carries a secret that the masker knows when the event is emitted: each is replaced by `********`
 * in every text and key of an event. The names by which programs tell events, tasks and hosts apart stay, even where a
 * secret is one of them.
 */
export function maskedBus(bus: EventBus, masker: Masker): EventBus {
  const mask = structureMasker(masker);
  return {
    // The shape is kept: only texts inside are replaced.
    emit: (event) => bus.emit(mask(event) as typeof event),
    subscribe: (subscriber) => bus.subscribe(subscriber),
  };
}

const names: ReadonlySet<string> = new Set([
  ...['type', 'outcome', 'state', 'code', 'severity', 'runId', 'playbook'],
  ...['id', 'module', 'place', 'host', 'hosts', 'delegatedTo', 'effect', 'boot'],
]);

/** What modules and hosts say, whose keys mean nothing to the engine. */
const data: ReadonlySet<string> = new Set(['grant', 'before', 'after']);

function structureMasker(masker: Masker): (value: unknown) => unknown {
  const maskData = createTextMapper(masker.mask, (value) => maskOther(value, masker));

  function mask(value: unknown): unknown {
    if (typeof value === 'string') return masker.mask(value);
    if (Array.isArray(value)) return mapItems(value, mask);
    if (isPlainMap(value)) return mapValues(value, maskField);
    return value instanceof Secret ? hiddenText : value;
  }

  function maskField(key: string, value: unknown): unknown {
    if (names.has(key)) return value;
    if (key === 'diagnostic') return maskDiagnostic(value as Diagnostic, masker);
    return data.has(key) ? maskData(value) : mask(value);
  }

  return mask;
}

/** Secrets can be numbers, too. */
function maskOther(value: unknown, masker: Masker): unknown {
  if (value instanceof Secret) return hiddenText;
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  const text = String(value);
  const masked = masker.mask(text);
  return masked === text ? value : masked;
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

import type { EventBus } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';

/**
 * A bus on which no event carries one of the secrets: each is replaced by `********` in every text of an event, in its
 * plain and its base64 form. The words by which programs tell events apart stay, even where a secret is one of them.
 */
export function maskedBus(bus: EventBus, secrets: readonly Secret[]): EventBus {
  const words = secrets.map((secret) => secret.reveal()).filter((word) => word.length > 0);
  const forms = words.flatMap((word) => [word, Buffer.from(word).toString('base64')]);
  if (forms.length === 0) return bus;
  return {
    // The shape is kept: only texts inside are replaced.
    emit: (event) => bus.emit(mask(event, forms) as typeof event),
    subscribe: (subscriber) => bus.subscribe(subscriber),
  };
}

const structural: ReadonlySet<string> = new Set(['type', 'outcome', 'state', 'code', 'severity']);

function mask(value: unknown, words: readonly string[]): unknown {
  if (typeof value === 'string') return words.reduce((text, word) => text.replaceAll(word, '********'), value);
  if (Array.isArray(value)) return value.map((item) => mask(item, words));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, structural.has(key) ? item : mask(item, words)]),
  );
}

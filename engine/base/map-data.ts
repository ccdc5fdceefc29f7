/** A map as JSON and YAML have them: of no class. */
export type PlainMap = Readonly<Record<string, unknown>>;

export function isPlainMap(value: unknown): value is PlainMap {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Makes what gives data back with other texts in it, as values and as keys: `text` is asked for each, and `other` for what
 * is no text, no list and no plain map. What stays as it is, is shared with the original, and costs no memory: of a hundred
 * thousand events nearly none has a text that becomes another one.
 */
export function createTextMapper(
  text: (text: string) => string,
  other: (value: unknown) => unknown,
): (value: unknown) => unknown {
  const mapValue = (_key: string, value: unknown): unknown => map(value);

  function map(value: unknown): unknown {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return mapItems(value, map);
    return isPlainMap(value) ? mapKeys(mapValues(value, mapValue), text) : other(value);
  }

  return map;
}

/** The list with other items, or the list itself when each becomes itself. */
export function mapItems(items: readonly unknown[], to: (item: unknown) => unknown): readonly unknown[] {
  let mapped: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = to(items[i]);
    if (item !== items[i]) mapped ??= [...items];
    if (mapped) mapped[i] = item;
  }
  return mapped ?? items;
}

/** The map with other values, or the map itself when each becomes itself. */
export function mapValues(map: PlainMap, to: (key: string, value: unknown) => unknown): PlainMap {
  let mapped: Record<string, unknown> | undefined;
  // Unlike Object.keys this makes no list; a plain map inherits nothing that it would come to.
  for (const key in map) {
    const value = to(key, map[key]);
    if (value === map[key]) continue;
    mapped ??= { ...map };
    mapped[key] = value;
  }
  return mapped ?? map;
}

function mapKeys(map: PlainMap, to: (key: string) => string): PlainMap {
  for (const key in map) {
    if (to(key) === key) continue;
    return Object.fromEntries(Object.entries(map).map(([name, value]) => [to(name), value]));
  }
  return map;
}

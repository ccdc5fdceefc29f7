import { createTextMapper, isPlainMap } from '../../base/map-data.ts';
import type { Masker } from '../../base/masker.ts';

/** A value in a file: JSON, with a form of its own for what JSON has no word for. */
export type Encoded = null | boolean | number | string | readonly Encoded[] | { readonly [name: string]: Encoded };

const bigIntMark = '$bigint';
const numberMark = '$number';

/**
 * A value as it can be written, or undefined where a secret is in it, or something that is no data: a function, a fact
 * that is out of date, a value that is not known.
 */
export function encodeValue(value: unknown, masker: Pick<Masker, 'mask'>): Encoded | undefined {
  try {
    const encoded = encode(value, masker);
    // Numbers can be secrets too, and are texts only here.
    const text = JSON.stringify(encoded);
    return masker.mask(text) === text ? encoded : undefined;
  } catch (error) {
    if (error instanceof NoData) return undefined;
    // A getter that says why it cannot be read.
    return undefined;
  }
}

/** The value that was encoded. */
export function decodeValue(encoded: Encoded): unknown {
  if (typeof encoded !== 'object' || encoded === null) return encoded;
  if (isList(encoded)) return encoded.map(decodeValue);
  const { [bigIntMark]: bigInt, [numberMark]: number } = encoded;
  if (typeof bigInt === 'string') return BigInt(bigInt);
  if (typeof number === 'string') return Number(number);
  return Object.fromEntries(Object.entries(encoded).map(([name, item]) => [name, decodeValue(item)]));
}

/** A value that is only shown, for `JSON.stringify`, with `********` for its secrets. Never fails. */
export function maskValue(value: unknown, masker: Pick<Masker, 'mask'>): unknown {
  const mask = createTextMapper(masker.mask, (other) => {
    if (other === undefined) return other;
    const encoded = encodeValue(other, masker);
    return encoded === undefined ? masker.mask(String(other)) : encoded;
  });
  return mask(value);
}

class NoData extends Error {}

function encode(value: unknown, masker: Pick<Masker, 'mask'>): Encoded {
  switch (typeof value) {
    case 'string':
      if (masker.mask(value) !== value) throw new NoData();
      return value;
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { [numberMark]: String(value) };
    case 'bigint':
      return { [bigIntMark]: String(value) };
    case 'undefined':
      return null;
    case 'object':
      return encodeObject(value, masker);
    default:
      throw new NoData();
  }
}

function encodeObject(value: object | null, masker: Pick<Masker, 'mask'>): Encoded {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => encode(item, masker));
  if (!isPlainMap(value) || bigIntMark in value || numberMark in value) throw new NoData();
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, encode(item, masker)]));
}

function isList(encoded: Encoded): encoded is readonly Encoded[] {
  return Array.isArray(encoded);
}

/** A value of a field: text, bytes, a number or truth, a nested message. */
export type Value = string | number | boolean | Uint8Array | Message | undefined;

/** Fields by number; a list is a repeated field. */
export interface Message {
  readonly [field: number]: Value | readonly Value[];
}

/** A decoded message: the values of each field, numbers as bigint, everything else as bytes. */
export type Decoded = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

/** Encodes a message; enough of protobuf for the calls of CRI that the stand-in makes. */
export function encode(message: Message): Buffer {
  const parts = Object.entries(message).flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value]).map((item: Value) => encodeField(Number(field), item)),
  );
  return Buffer.concat(parts);
}

/** A map field: repeated entries of key and value. */
export function mapField(map: Readonly<Record<string, string>>): Message[] {
  return Object.entries(map).map(([key, value]) => ({ 1: key, 2: value }));
}

/** Decodes a message into its fields. */
export function decode(bytes: Buffer): Decoded {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) throw new Error('protobuf message ends in the middle of a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    if ((tag & 7) === 0) values.push(varint());
    else {
      const length = (tag & 7) === 2 ? Number(varint()) : (tag & 7) === 1 ? 8 : 4;
      values.push(bytes.subarray(offset, offset + length));
      offset += length;
    }
  }
  return fields;
}

/** The text of a field, or an empty one. */
export function textField(message: Decoded, field: number): string {
  return String(message.get(field)?.[0] ?? '');
}

/** The number in a field; 0 when it is missing, as protobuf 3 leaves zeroes out. */
export function numberField(message: Decoded, field: number): number {
  const value = message.get(field)?.[0];
  return typeof value === 'bigint' ? Number(value) : 0;
}

/** The messages in a repeated field. */
export function messageFields(message: Decoded, field: number): Decoded[] {
  return (message.get(field) ?? []).filter((value) => typeof value !== 'bigint').map(decode);
}

/** A map field as an object. */
export function readMap(message: Decoded, field: number): Record<string, string> {
  return Object.fromEntries(messageFields(message, field).map((entry) => [textField(entry, 1), textField(entry, 2)]));
}

function encodeField(field: number, value: Value): Buffer {
  if (value === undefined || value === '' || value === 0 || value === false) return Buffer.alloc(0);
  if (typeof value === 'number' || typeof value === 'boolean') {
    return Buffer.concat([varint(field << 3), varint(Number(value))]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : encode(value);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

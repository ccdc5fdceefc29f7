import { isIPv6 } from 'node:net';

/** A host as it is written in an inventory, taken apart; offsets are within the text. */
export interface Address {
  /** Name or address without brackets around it; may hold ranges. */
  readonly name: string;
  readonly start: number;
  readonly port?: { readonly text: string; readonly start: number };
}

/**
 * Takes `name`, `name:port`, `[address]:port` or a bare IPv6 address apart. What follows the last colon is a port only
 * if it is a number; the caller judges whether the name is one.
 */
export function parseAddress(text: string): Address {
  const bracketed = /^\[(.+)\](?::([0-9]+))?$/.exec(text);
  if (bracketed && isAddressWithColons(bracketed[1] ?? '')) return address(bracketed[1] ?? '', 1, text, bracketed[2]);
  if (isAddressWithColons(text)) return address(text, 0, text);
  // Brackets here belong to a range, whose colons are its own.
  const withPort = /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/.exec(text);
  if (!withPort) return address(text, 0, text);
  const name = withPort[1] ?? '';
  const inner = /^\[([^:[\]]+)\]$/.exec(name);
  return inner ? address(inner[1] ?? '', 1, text, withPort[2]) : address(name, 0, text, withPort[2]);
}

/** Whether a text is an IPv6 address; a range in it counts as one of its numbers. */
export function isAddressWithColons(text: string): boolean {
  return text.includes(':') && isIPv6(text.replace(/\[[0-9a-fA-F]*:[0-9a-fA-F]+(?::[0-9]+)?\]/g, '1'));
}

/** Whether a text can name a host on a network: labels of letters, digits, `-` and `_`, or an IPv6 address. */
export function isHostName(text: string): boolean {
  const label = /^(?!-)[\p{L}\p{N}_-]*[\p{L}\p{N}]$/u;
  return text.split('.').every((part) => label.test(part)) || isIPv6(text);
}

function address(name: string, start: number, text: string, port?: string): Address {
  return { name, start, ...(port !== undefined && { port: { text: port, start: text.length - port.length } }) };
}

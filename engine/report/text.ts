import type { StampedEvent } from '../base/events.ts';
import { createTextMapper } from '../base/map-data.ts';

/**
 * Makes control characters visible as `\x1b` and the like, line breaks and tabs excepted. What a host prints must not
 * be able to move the cursor, retitle the terminal, or reorder what a person reads (bidirectional overrides).
 */
export function visible(text: string): string {
  // Texts without any are by far the most common: they are given back as they are.
  return isVisible(text) ? text : text.replaceAll('\r\n', '\n').replace(dangerous, escapeCharacter);
}

/** An event whose texts are all {@link visible}, so that no reporter can forget one. */
export function visibleEvent<E extends StampedEvent>(event: E): E {
  // A diagnostic points into its source by offset; it is made visible when it has become text.
  if (event.type === 'warning') return event;
  // Only strings are replaced, by strings.
  return visibleData(event) as E;
}

const visibleData = createTextMapper(visible, (other) => other);

/** Text on one line, for rows and titles. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim();
}

/** Cuts text to a width and marks the cut. */
export function truncate(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Indents every line that is not empty. */
export function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}

/** The first lines and the last ones of a long text, with a note between them: the end is where tools say what failed. */
export function cutMiddle(text: string, maxLines: number): string {
  const lines = text.split('\n');
  if (lines.length <= maxLines) return text;
  const head = lines.slice(0, 3);
  const tail = lines.slice(-(maxLines - 4));
  return [...head, `… ${lines.length - head.length - tail.length} lines left out …`, ...tail].join('\n');
}

/** `1 host`, `3 hosts`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** Up to `max` names, then how many more there are: `node-1, node-2 and 95 more`. */
export function nameSome(names: readonly string[], max = 5): string {
  if (names.length <= max + 1) return names.join(', ');
  return `${names.slice(0, max).join(', ')} and ${names.length - max} more`;
}

// C0 but tab and line feed, DEL, C1, and the characters that reorder text (Trojan Source, CVE-2021-42574).
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function escapeCharacter(character: string): string {
  if (character === '\r') return '\\r';
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

function isVisible(text: string): boolean {
  // Faster than a regular expression: there are several texts in an event, and some hundred thousand events.
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 ? code !== 9 && code !== 10 : code > 126) return false;
  }
  return true;
}

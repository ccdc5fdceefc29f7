/** A word of a host line, without its quotes. */
export interface Word {
  readonly text: string;
  /** Offset of its first character, an opening quote included. */
  readonly start: number;
  readonly end: number;
  /** For each character of `text`, its offset in the line; absent when the word has no quotes or backslashes. */
  readonly offsets?: readonly number[];
}

/** A line split into words. */
export interface Words {
  readonly words: readonly Word[];
  /** Where a comment starts, and whether it cuts a word short. */
  readonly comment?: { readonly start: number; readonly isInsideWord: boolean };
  /** What keeps the line from being split, and where. */
  readonly problem?: { readonly message: string; readonly start: number };
}

/**
 * Splits a line as Python's `shlex.split(line, comments=True)` does, which is what Ansible reads host lines with: quotes
 * join, a backslash escapes, and `#` starts a comment anywhere outside quotes, in the middle of a word too.
 */
export function splitWords(line: string): Words {
  const words: Word[] = [];
  for (let at = 0; at < line.length; ) {
    if (isBlank(line[at])) {
      at++;
      continue;
    }
    if (line[at] === '#') return { words, comment: { start: at, isInsideWord: false } };
    const read = readWord(line, at);
    if ('message' in read) return { words, problem: read };
    words.push(read);
    at = read.end;
    if (line[at] === '#') return { words, comment: { start: at, isInsideWord: true } };
  }
  return { words };
}

/** Offset in the line of a word's character; the word's end for one past the last. */
export function offsetInWord(word: Word, index: number): number {
  return word.offsets ? (word.offsets[index] ?? word.end) : word.start + index;
}

function readWord(line: string, start: number): Word | { readonly message: string; readonly start: number } {
  let text = '';
  const offsets: number[] = [];
  let isPlain = true;
  let at = start;
  const take = (offset: number): void => {
    text += line[offset];
    offsets.push(offset);
  };
  while (at < line.length && !isBlank(line[at]) && line[at] !== '#') {
    const char = line[at];
    if (char === '\\') {
      if (at + 1 >= line.length) return { message: 'no character after the backslash', start: at };
      isPlain = false;
      take(at + 1);
      at += 2;
    } else if (char === '"' || char === "'") {
      isPlain = false;
      const end = readQuoted(line, at, take);
      if (end === undefined) return { message: 'no closing quotation', start: at };
      at = end;
    } else {
      take(at++);
    }
  }
  return { text, start, end: at, ...(!isPlain && { offsets }) };
}

/** Takes what is between quotes; gives the offset after the closing one. */
function readQuoted(line: string, open: number, take: (offset: number) => void): number | undefined {
  const quote = line[open];
  for (let at = open + 1; at < line.length; at++) {
    if (line[at] === quote) return at + 1;
    // Inside double quotes a backslash escapes only itself and the quote, and stays otherwise.
    if (quote === '"' && line[at] === '\\' && (line[at + 1] === '"' || line[at + 1] === '\\')) at++;
    take(at);
  }
  return undefined;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

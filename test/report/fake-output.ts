import type { Output } from '../../engine/report/output.ts';

/** An output that keeps what was written. */
export interface FakeOutput extends Output {
  readonly text: string;
}

/** Makes an {@link Output} for tests. */
export function fakeOutput(options: { isTTY?: boolean; color?: boolean; columns?: number } = {}): FakeOutput {
  const { isTTY = false, color = false, columns = 80 } = options;
  let text = '';
  return {
    write(more) {
      text += more;
    },
    get text() {
      return text;
    },
    columns,
    rows: 24,
    isTTY,
    color,
  };
}

/** What a person would see after a terminal has taken this text; knows the sequences that live rows use. */
export function screenOf(text: string): { lines: string[]; isCursorShown: boolean } {
  const lines = [''];
  let row = 0;
  let isCursorShown = true;
  const token = /\u001b\[(\??)(\d*(?:;\d+)*)([A-Za-z])|\n|[^\u001b\n]+/g;
  for (const [piece, isPrivate, parameter, letter] of text.matchAll(token)) {
    if (piece === '\n') {
      row++;
      lines[row] ??= '';
    } else if (letter === undefined) lines[row] += piece;
    else if (letter === 'K') lines[row] = '';
    else if (letter === 'A') row -= Number(parameter);
    else if (isPrivate && parameter === '25') isCursorShown = letter === 'h';
    else if (letter !== 'm' && letter !== 'G') throw new Error(`unexpected sequence ${JSON.stringify(piece)}`);
  }
  while (lines.at(-1) === '') lines.pop();
  return { lines, isCursorShown };
}

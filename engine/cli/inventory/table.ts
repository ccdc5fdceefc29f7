import { indent } from '../../report/text.ts';

/** Rows of cells in columns that are two blanks apart; the last column is as wide as it is. Colours take no room. */
export function formatTable(rows: readonly (readonly string[])[], by = 0): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  }
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - width(cell))))
      .join('  ')
      .trimEnd(),
  );
  return indent(lines.map((line) => `${line}\n`).join(''), by);
}

function width(cell: string): number {
  return [...cell.replace(/\u001b\[\d+m/g, '')].length;
}

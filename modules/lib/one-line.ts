/** A command or script as a message quotes it: its first line, at most 100 characters, with "…" where there is more. */
export function oneLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  const isCut = line.length > 100 || line !== text.trim();
  return isCut ? `${line.slice(0, 99)}…` : line;
}

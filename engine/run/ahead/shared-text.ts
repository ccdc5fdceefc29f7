import { type Script, sh } from '../../base/sh.ts';

/** Texts as words of a shell script, after definitions of what they have in common. */
export interface SharedText {
  readonly definitions: Script;
  readonly words: readonly Script[];
}

/**
 * Writes out once what several texts have in common, as variables: probes of one module differ in few lines. Each word is
 * exactly its text.
 */
export function shareText(texts: readonly string[]): SharedText {
  const lines = texts.map(linesOf);
  const isCommon = oftenIn(lines.map((all) => new Set(all)));
  const runs = lines.map((all) => runsOf(all, isCommon));
  const isShared = oftenIn(runs.map((all) => new Set(all)));
  const numbers = new Map<string, number>();
  for (const run of runs.flat()) {
    if (isShared(run) && run.length > shortest && !numbers.has(run)) numbers.set(run, numbers.size);
  }
  const wordOf = (run: string): Script => {
    const number = numbers.get(run);
    return number === undefined ? sh`${run}` : sh`"$rb_${number}"`;
  };
  return {
    definitions: sh.lines([...numbers].map(([run, number]) => sh`rb_${number}=${run}`)),
    words: runs.map((all) => all.map(wordOf).reduce((one, next) => sh`${one}${next}`)),
  };
}

/** Each with the newline at its end. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [''];
}

/** Shorter ones cost as much as their names. */
const shortest = 16;

/** Whether something is in at least two of the sets. */
function oftenIn(sets: readonly ReadonlySet<string>[]): (text: string) => boolean {
  const counts = new Map<string, number>();
  for (const set of sets) for (const text of set) counts.set(text, (counts.get(text) ?? 0) + 1);
  return (text) => (counts.get(text) ?? 0) > 1;
}

/** Lines that stand together and are common, or are not, as one text each. */
function runsOf(lines: readonly string[], isCommon: (line: string) => boolean): readonly string[] {
  const runs: { text: string; readonly isCommon: boolean }[] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    if (last?.isCommon === isCommon(line)) last.text += line;
    else runs.push({ text: line, isCommon: isCommon(line) });
  }
  return runs.map(({ text }) => text);
}

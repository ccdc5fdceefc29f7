import { type Script, sh } from '../../base/sh.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import { shareText } from './shared-text.ts';

/** Several probes as one script, and how to read what it printed. */
export interface ProbeBatch {
  readonly script: Script;
  /** What it prints before the first probe, and after each. */
  readonly mark: string;
  /** The answers in the order of the probes; undefined from the one on that had none when the script was cut short. */
  read(printed: Pick<ProbeOutput, 'stdout' | 'stderr'>): readonly (ProbeOutput | undefined)[];
}

/**
 * Makes a batch. Each probe runs in a subshell of its own, and its output stands between marks, a random word that nothing
 * else prints. It is evaluated there, so that one that is no shell script spoils no other; the blank before it keeps one that
 * begins with a dash from being an option of `eval`.
 */
export function createProbeBatch(scripts: readonly Script[], mark: string): ProbeBatch {
  const { definitions, words } = shareText(scripts.map(({ text }) => text));
  return {
    mark,
    script: sh`rb_mark() { printf '\\n%s %d %d\\n' ${mark} $1 $2; printf '\\n%s %d\\n' ${mark} $1 >&2; }
${definitions}
rb_mark 0 0
${sh.lines(words.map((word, i) => sh`(eval " "${word}) </dev/null; rb_mark ${i + 1} $?`))}`,
    read({ stdout, stderr }) {
      const said = sectionsOf(stdout, mark);
      const complained = sectionsOf(stderr, mark);
      return scripts.map((_, i) => {
        const status = said.get(i + 1)?.status;
        const text = said.get(i)?.text;
        // The streams come one after the other: an answer is whole when both have the mark behind it.
        if (status === undefined || text === undefined || !complained.has(i + 1)) return undefined;
        return { rc: status, stdout: text, stderr: complained.get(i)?.text ?? '' };
      });
    },
  };
}

interface Section {
  /** How the probe before the mark ended. */
  readonly status: number | undefined;
  /** What stands between the mark and the next one. */
  readonly text: string;
}

function sectionsOf(printed: string, mark: string): ReadonlyMap<number, Section> {
  const sections = new Map<number, Section>();
  for (const piece of printed.split(`\n${mark} `).slice(1)) {
    const end = piece.indexOf('\n');
    // The mark itself was cut short.
    if (end === -1) continue;
    const [number, status] = piece.slice(0, end).split(' ').map(Number);
    if (number !== undefined) sections.set(number, { status, text: piece.slice(end + 1) });
  }
  return sections;
}

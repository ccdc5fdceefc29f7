import { type Script, sh } from '../../base/sh.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import { shareText } from './shared-text.ts';

/** Several probes as one script, and how to read what it printed. */
export interface ProbeBatch {
  readonly script: Script;
  /** The answers in the order of the probes; undefined from the one on that had none when time was up. */
  read(printed: Pick<ProbeOutput, 'stdout' | 'stderr'>): readonly (ProbeOutput | undefined)[];
}

/**
 * Makes a batch. Each probe runs in a subshell of its own, and its output stands between marks, random words that nothing
 * else prints. After so many seconds whatever is running is killed, and what was answered by then is there.
 */
export function createProbeBatch(scripts: readonly Script[], mark: string, seconds: number): ProbeBatch {
  const { definitions, words } = shareText(scripts.map(({ text }) => text));
  return {
    // Without setsid there is no such group, and the controller's own deadline holds.
    script: sh`(rb_n=0; while [ $rb_n -lt ${seconds} ]; do sleep 1; rb_n=$((rb_n + 1)); done; trap '' TERM; kill -TERM -$$; sleep 1; kill -KILL -$$) </dev/null >/dev/null 2>&1 &
rb_mark() { printf '\\n%s %d %d\\n' ${mark} $1 $2; printf '\\n%s %d\\n' ${mark} $1 >&2; }
${definitions}
rb_mark 0 0
${sh.lines(words.map((word, i) => sh`(eval " "${word}) </dev/null; rb_mark ${i + 1} $?`))}
kill $!`,
    read({ stdout, stderr }) {
      const said = sectionsOf(stdout, mark);
      const complained = sectionsOf(stderr, mark);
      return scripts.map((_, i) => {
        const status = said.get(i + 1)?.status;
        const text = said.get(i)?.text;
        if (status === undefined || text === undefined) return undefined;
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
  const pieces = printed.split(new RegExp(`\\n${mark} (\\d+)(?: (\\d+))?\\n`));
  const sections = new Map<number, Section>();
  // Of each mark: its number, the status where it has one, the text after it.
  for (let at = 1; at + 2 < pieces.length; at += 3) {
    const status = pieces[at + 1];
    sections.set(Number(pieces[at]), {
      status: status === undefined ? undefined : Number(status),
      text: pieces[at + 2] ?? '',
    });
  }
  return sections;
}

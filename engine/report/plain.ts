import type { Clock } from '../base/clock.ts';
import { everySecond, type Heartbeat } from './heartbeat.ts';
import { advance, createLiveState } from './live-state.ts';
import type { Output } from './output.ts';
import { createPaint } from './paint.ts';
import { formatRecap } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { createSilence } from './silence.ts';
import { visibleEvent } from './text.ts';
import { createTranscript } from './transcript.ts';
import { describeWaits } from './waits.ts';

/** Permanent lines only, for files, pipes, CI and dumb terminals. A silence is broken by what is waited for. */
export function createPlainReporter(
  output: Output,
  clock: Pick<Clock, 'now'>,
  heartbeat: Heartbeat = everySecond,
): Reporter {
  const paint = createPaint(output.color);
  const state = createLiveState();
  const silence = createSilence(clock.now(), (nowMs) => describeWaits(state, nowMs));
  const transcript = createTranscript({ write: print, paint, isQuiet: false });
  const stop = heartbeat(() => {
    for (const line of silence.linesDue(clock.now())) output.write(`${paint.dim(line)}\n`);
  });

  function print(block: string): void {
    silence.spoke(clock.now());
    output.write(block);
  }

  return {
    on(event) {
      advance(state, event);
      transcript(event);
      if (event.type === 'run-ended') {
        print(formatRecap(visibleEvent(event), { isCheckMode: state.isCheckMode, paint }));
      }
    },
    note: (text) => print(`${text}\n`),
    close: async () => stop(),
    restore: stop,
  };
}

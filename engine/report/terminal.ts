import type { Clock } from '../base/clock.ts';
import { everySecond, type Heartbeat } from './heartbeat.ts';
import { liveRows } from './live-rows.ts';
import { type LiveScreen, openLiveScreen } from './live-screen.ts';
import { advance, createLiveState } from './live-state.ts';
import type { Output } from './output.ts';
import { createPaint } from './paint.ts';
import { formatRecap } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { createSilence } from './silence.ts';
import { visibleEvent } from './text.ts';
import { createTranscript } from './transcript.ts';
import { describeWaits } from './waits.ts';

/** For people at a terminal: what changed and what failed stays, what is going on now is drawn below it. */
export function createTerminalReporter(
  output: Output,
  clock: Pick<Clock, 'now'>,
  heartbeat: Heartbeat = everySecond,
): Reporter {
  const paint = createPaint(output.color);
  const state = createLiveState();
  let screen: LiveScreen | undefined;
  const put = (block: string): void => (screen ? screen.print(block) : output.write(block));
  const silence = createSilence(clock.now(), (nowMs) => describeWaits(state, nowMs));
  const stop = heartbeat(() => {
    for (const line of silence.linesDue(clock.now())) put(`${paint.dim(line)}\n`);
  });

  function print(block: string): void {
    silence.spoke(clock.now());
    put(block);
  }

  const transcript = createTranscript({ write: print, paint, isQuiet: true });

  function draw(wheel: string): readonly string[] {
    // listr2 indents by two and keeps two columns free on the right.
    return liveRows(state, { width: output.columns - 5, nowMs: clock.now(), paint, wheel });
  }

  return {
    on(event) {
      advance(state, event);
      if (event.type === 'run-started') screen = openLiveScreen(output, draw);
      transcript(event);
      if (event.type === 'run-ended') {
        print(formatRecap(visibleEvent(event), { isCheckMode: state.isCheckMode, paint }));
      }
    },
    note: (text) => print(`${paint.yellow(text)}\n`),
    async close() {
      stop();
      await screen?.stop();
    },
    restore() {
      stop();
      screen?.restore();
    },
  };
}

import type { Clock } from '../base/clock.ts';
import { liveRows } from './live-rows.ts';
import { type LiveScreen, openLiveScreen } from './live-screen.ts';
import { advance, createLiveState } from './live-state.ts';
import type { Output } from './output.ts';
import { createPaint } from './paint.ts';
import { formatRecap } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { visibleEvent } from './text.ts';
import { createTranscript } from './transcript.ts';

/** For people at a terminal: what changed and what failed stays, what is going on now is drawn below it. */
export function createTerminalReporter(output: Output, clock: Pick<Clock, 'now'>): Reporter {
  const paint = createPaint(output.color);
  const state = createLiveState();
  let screen: LiveScreen | undefined;
  const print = (block: string): void => (screen ? screen.print(block) : output.write(block));
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
    close: async () => screen?.stop(),
    restore: () => screen?.restore(),
  };
}

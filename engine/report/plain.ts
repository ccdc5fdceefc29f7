import type { Output } from './output.ts';
import { createPaint } from './paint.ts';
import { formatRecap } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { visibleEvent } from './text.ts';
import { createTranscript } from './transcript.ts';

/** Permanent lines only, for files, pipes, CI and dumb terminals. */
export function createPlainReporter(output: Output): Reporter {
  const paint = createPaint(output.color);
  const transcript = createTranscript({ write: (block) => output.write(block), paint, isQuiet: false });
  let isCheckMode = false;
  return {
    on(event) {
      if (event.type === 'run-started') isCheckMode = event.isCheckMode;
      transcript(event);
      if (event.type === 'run-ended') output.write(formatRecap(visibleEvent(event), { isCheckMode, paint }));
    },
    note: (text) => output.write(`${text}\n`),
    close: async () => {},
    restore: () => {},
  };
}

import { DefaultRenderer, Listr, ListrLogger, ProcessOutput, Spinner } from 'listr2';
import type { Output } from './output.ts';

/** Rows at the bottom of a terminal that are drawn anew four times a second, and permanent lines above them. */
export interface LiveScreen {
  /** Puts whole lines above the rows, with the next frame: a burst of them costs one frame. */
  print(block: string): void;
  /** Erases the rows, prints what is left, shows the cursor. */
  stop(): Promise<void>;
  /** The same at once, without waiting for listr2. */
  restore(): void;
}

const frameMs = 250;
const showCursor = '\u001b[?25h';
const hideCursor = '\u001b[?25l';

/**
 * Opens a live screen on a terminal. `draw` is asked for the rows of each frame; it gets the wheel's present picture.
 *
 * listr2 draws: one task whose title is all rows, so that a frame costs one layout whatever the number of hosts
 * (a task per host costs a layout of the whole list per event: 55 s of CPU for 100 hosts, `notes/typescript.md` §4).
 * It has no permanent lines above its list; they are slipped into the frame, between what erases the old one and the
 * new one. And it would take over standard output for the time of a run; its output is ours instead.
 */
export function openLiveScreen(output: Output, draw: (wheel: string) => readonly string[]): LiveScreen {
  const frames = new FrameOutput(output);
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let drawFrame = (_wheel: string): void => {};
  const list = new Listr(
    [
      {
        title: ' ',
        task: (_context, { task }) => {
          // Set without an event: the wheel's turn that follows draws the frame.
          drawFrame = (wheel) => {
            task.title = draw(wheel).join('\n');
          };
          return finished;
        },
      },
    ],
    {
      renderer: LiveRenderer,
      // Interrupts are the command line's; listr2 would exit with 127.
      registerSignalListeners: false,
      exitOnError: false,
      rendererOptions: {
        clearOutput: true,
        spinner: new Wheel((wheel) => drawFrame(wheel)),
        logger: new ListrLogger({ useIcons: true, toStderr: [], processOutput: frames }),
      },
    },
  );
  const running = list.run();
  return {
    print: (block) => frames.print(block),
    async stop() {
      finish();
      await running;
      frames.restore();
    },
    restore: () => frames.restore(),
  };
}

/** Whether a terminal is one is decided by `chooseOutput`, not by listr2, which asks only `process.stdout`. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY: boolean = true;
}

/** The one timer. Its picture is drawn inside the rows; before the title, where listr2 puts it, there is a blank. */
class Wheel extends Spinner {
  readonly #onTurn: (picture: string) => void;

  constructor(onTurn: (picture: string) => void) {
    super();
    this.#onTurn = onTurn;
  }

  override fetch(): string {
    return ' ';
  }

  override start(draw?: () => void): void {
    super.start(() => {
      this.#onTurn(super.fetch());
      draw?.();
    }, frameMs);
  }
}

/** Takes listr2's frames: what erases the last one, then the text of the next. */
class FrameOutput extends ProcessOutput {
  readonly #output: Output;
  #pending = '';
  #lineCount = 0;
  #isOpen = false;
  #isDone = false;

  constructor(output: Output) {
    super();
    this.#output = output;
  }

  print(block: string): void {
    this.#pending += block;
    if (this.#isDone) this.#flush();
  }

  restore(): void {
    if (this.#isOpen) this.#output.write(`${eraseLines(this.#lineCount)}${showCursor}`);
    this.#isOpen = false;
    this.#isDone = true;
    this.#lineCount = 0;
    this.#flush();
  }

  override hijack(): void {
    if (this.#isDone) return;
    this.#isOpen = true;
    this.#output.write(hideCursor);
  }

  override release(): void {
    this.restore();
  }

  override get stdout(): NodeJS.WriteStream {
    const output = this.#output;
    const stream = {
      write: (frame: string) => this.#writeFrame(frame),
      get columns() {
        return output.columns;
      },
      get rows() {
        return output.rows;
      },
    };
    // log-update, which gets it, uses these three members only.
    return stream as unknown as NodeJS.WriteStream;
  }

  override toStdout(): boolean {
    return true;
  }

  override toStderr(): boolean {
    return true;
  }

  #writeFrame(frame: string): boolean {
    if (this.#isDone) return true;
    const erase = erasePrefix.exec(frame)?.[0] ?? '';
    const text = frame.slice(erase.length);
    this.#output.write(erase + this.#pending + (this.#output.color ? text : text.replace(colors, '')));
    this.#pending = '';
    this.#lineCount = text === '' ? 0 : text.split('\n').length;
    return true;
  }

  #flush(): void {
    if (this.#pending !== '') this.#output.write(this.#pending);
    this.#pending = '';
  }
}

// What ansi-escapes' eraseLines makes: erase a line, go up, …, go to the first column.
const erasePrefix = /^(?:\u001b\[2K(?:\u001b\[1A)?)*(?:\u001b\[G)?/;
const colors = /\u001b\[[\d;]*m/g;

function eraseLines(lines: number): string {
  return lines === 0 ? '' : `${Array.from({ length: lines }, () => '\u001b[2K').join('\u001b[1A')}\u001b[G`;
}

import { type ColorMode, wantsColor } from './paint.ts';

/** Where a reporter writes. */
export interface Output {
  write(text: string): void;
  /** Asked anew each time: a window can be resized. */
  readonly columns: number;
  readonly rows: number;
  readonly isTTY: boolean;
  /** Whether colours are wanted. */
  readonly color: boolean;
}

/** An {@link Output} that can say when everything has left the process. */
export interface StreamOutput extends Output {
  /** Resolves when all that was written has been taken, or nobody reads any more. */
  flush(): Promise<void>;
}

/** Wraps a stream of this process. A reader that goes away (`| head`) ends the output, not the run. */
export function createOutput(stream: NodeJS.WriteStream, color: ColorMode, env: NodeJS.ProcessEnv): StreamOutput {
  let isOpen = true;
  stream.on('error', () => {
    isOpen = false;
  });
  return {
    write(text) {
      if (isOpen) stream.write(text);
    },
    flush: () =>
      new Promise((resolve) => {
        if (!isOpen) return resolve();
        stream.once('error', () => resolve());
        stream.write('', () => resolve());
      }),
    get columns() {
      // A terminal that reports 0 columns (some CI systems' pty) has no known width.
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    isTTY: stream.isTTY === true,
    color: wantsColor(color, env, stream.isTTY === true),
  };
}

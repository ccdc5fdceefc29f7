import type { Masker } from '../base/masker.ts';
import type { StreamOutput } from '../report/output.ts';

/** What a command has of the process around it. */
export interface Cli {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream;
  /** Standard output and error; colours as `--color` and the environment say. */
  readonly output: StreamOutput;
  readonly errors: StreamOutput;
  /** Knows the secrets that the command has met; everything that is shown goes by it. */
  readonly masker: Masker;
  /** Registers what has to be done before the process's last words, however it ends: giving the terminal back. */
  onExit(undo: () => void): void;
  /** Ends the process now, with nothing but what {@link onExit} was given. */
  exitNow(exitCode: number): never;
  /** What the process ends with once all is written. */
  setExitCode(exitCode: number): void;
}

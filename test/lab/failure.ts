/** A failure that the lab expects and explains; anything else is a bug and keeps its stack. */
export class LabFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What an expression does and we do not allow; gets its place where it is caught. */
export class ExpressionFailure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

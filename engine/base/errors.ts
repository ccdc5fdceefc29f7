/**
 * The catalogue of expected failures. An error that is not in it is a bug and is reported with its stack.
 * `exitCode` is what the process ends with when the failure reaches the command line (`docs/exit-codes.md`).
 */
export const errorCatalogue = {
  'invalid-input': { exitCode: 5, summary: 'a playbook, inventory, template or module file has mistakes' },
  usage: { exitCode: 5, summary: 'the command line is wrong' },
  'file-unreadable': { exitCode: 5, summary: 'a file that was named cannot be read' },
  unreachable: { exitCode: 4, summary: 'a host cannot be reached, or its link was lost' },
  'host-key': { exitCode: 4, summary: "a host's key is unknown, has changed or is revoked" },
  'become-failed': { exitCode: 2, summary: 'the become user could not be reached (sudo refused)' },
  timeout: { exitCode: 2, summary: 'something took longer than its deadline' },
  'task-failed': { exitCode: 2, summary: 'a task failed on a host' },
  'transfer-failed': { exitCode: 2, summary: 'a file could not be put on a host' },
  'download-failed': { exitCode: 2, summary: 'a file could not be fetched' },
  'digest-mismatch': { exitCode: 2, summary: 'a file is not the one that its digest promises' },
  'did-not-converge': { exitCode: 2, summary: 'after apply the host is still not in the desired state' },
  'state-moved': { exitCode: 2, summary: 'a host is not as it was when the plan was made' },
  'unknown-value': { exitCode: 2, summary: 'a value is not known yet (check mode)' },
  'journal-failed': { exitCode: 2, summary: 'the record of the run cannot be written, so no further effect is run' },
  'host-held': { exitCode: 2, summary: 'another run is changing the host' },
  'effect-unknown': { exitCode: 2, summary: 'nobody can tell any more whether, or how, an effect on a host ended' },
  interrupted: { exitCode: 130, summary: 'the run was interrupted' },
} as const satisfies Record<string, { exitCode: number; summary: string }>;

/** The code of an expected failure: a key of {@link errorCatalogue}. */
export type ErrorCode = keyof typeof errorCatalogue;

/** An expected failure: it has a code, a message for people, and where possible a way out. */
export class RunbookError extends Error {
  readonly code: ErrorCode;
  /** What the user can do about it. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RunbookError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** A failure of something on a host that may be running there still: nobody can say whether, so it must not be begun again. */
export class StillOpenError extends RunbookError {
  constructor(failure: RunbookError) {
    super(failure.code, failure.message, { hint: failure.hint, cause: failure });
  }
}

/** Says what went wrong in one line, for any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Says why a file of the controller cannot be used, without the system call that found out. */
export function fileProblem(error: unknown): string {
  // Ctrl-C at the question for a passphrase is no problem of the file.
  if (error instanceof RunbookError && error.code === 'interrupted') throw error;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' ? fileProblems[code] : undefined) ?? errorMessage(error);
}

/** The way out that an expected failure names, to be spread into what is told of it. */
export function hintOf(error: unknown): { readonly hint?: string } {
  return error instanceof RunbookError && error.hint !== undefined ? { hint: error.hint } : {};
}

/** Makes a forgotten case of a union a compile error. */
export function unreachableCase(value: never): never {
  throw new Error(`a case was forgotten: ${JSON.stringify(value)}`);
}

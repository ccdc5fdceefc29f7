import { CommanderError } from 'commander';
import { DiagnosticsError } from '../base/diagnostic.ts';
import { errorCatalogue, RunbookError } from '../base/errors.ts';
import { readVersion } from '../base/version.ts';
import { visible } from '../report/text.ts';

/** What to say about an error that reached the command line, and what to end with. */
export interface ExplainedError {
  readonly text: string;
  readonly exitCode: number;
}

/** Expected failures get their message and their way out; anything else is a bug, and says so with its stack. */
export function explainError(error: unknown, args: readonly string[]): ExplainedError {
  if (error instanceof CommanderError) return explainUsage(error, args);
  if (error instanceof DiagnosticsError) return { text: visible(error.message), exitCode: exitCodeOf(error) };
  if (error instanceof RunbookError) {
    const hint = error.hint ? `\n  hint: ${error.hint}` : '';
    return { text: visible(`runbook: ${error.message}${hint}`), exitCode: exitCodeOf(error) };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const request = `This is a bug in runbook ${readVersion()} (Node ${process.version}). Please report it with the lines above.`;
  return { text: `${visible(stack)}\n\n${request}`, exitCode: 1 };
}

function explainUsage(error: CommanderError, args: readonly string[]): ExplainedError {
  // Help and version are "errors" too, thrown after they were printed.
  if (error.exitCode === 0) return { text: '', exitCode: 0 };
  if (error.code === 'commander.help') return { text: '', exitCode: errorCatalogue.usage.exitCode };
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const meant = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? '')?.[1];
  const command = ['play', 'lint', 'inventory', 'modules', 'doc', 'schema', 'secrets'].find((name) => name === args[0]);
  const hint = meant ? `did you mean ${meant}?` : `see ${['runbook', command, '--help'].filter(Boolean).join(' ')}`;
  return { text: visible(`runbook: ${message}\n  hint: ${hint}`), exitCode: errorCatalogue.usage.exitCode };
}

function exitCodeOf(error: RunbookError): number {
  return errorCatalogue[error.code].exitCode;
}

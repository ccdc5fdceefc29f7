import { exitCodes } from '../report/outcome.ts';

/** The exit codes as help shows them. */
export function exitCodeHelp(): string {
  return ['Exit codes:', ...exitCodes.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`)].join('\n');
}

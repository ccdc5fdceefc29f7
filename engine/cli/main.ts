import { runCommandLine } from './run-command-line.ts';

// The process. Ends with the exit codes of `docs/exit-codes.md`.
void runCommandLine(process.argv.slice(2));

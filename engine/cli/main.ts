import { readVersion } from '../base/version.ts';

/** The process: what every command may ask of it. Ends with the exit codes of `docs/exit-codes.md`. */
async function main(args: readonly string[]): Promise<void> {
  // Before anything else is loaded: it has to cost hardly more than starting Node.
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${readVersion()}\n`);
    return;
  }
  const { openFilesLimit, whyNoStart } = await import('../base/open-files.ts');
  const reason = whyNoStart(openFilesLimit());
  if (reason !== undefined) {
    process.stderr.write(`runbook: ${reason}\n`);
    // As for any other mistake in how it was started.
    process.exitCode = 5;
    return;
  }
  const { runCommandLine } = await import('./run-command-line.ts');
  await runCommandLine(args);
}

await main(process.argv.slice(2));

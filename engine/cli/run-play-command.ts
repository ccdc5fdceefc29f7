import { systemClock } from '../base/clock.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { errorMessage } from '../base/errors.ts';
import { createEventBus } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import { readVersion } from '../base/version.ts';
import type { FileOpener } from '../language/encrypted-files.ts';
import { createReporter } from '../report/choose.ts';
import type { HtmlReport } from '../report/html/report.ts';
import { advance, createLiveState, describeLeftBehind } from '../report/live-state.ts';
import type { Reporter } from '../report/reporter.ts';
import { visible } from '../report/text.ts';
import type { RunRequest } from '../run/request.ts';
import type { Cli } from './cli.ts';
import { readExtraVars } from './extra-vars.ts';
import { type Interrupts, watchInterrupts } from './interrupts.ts';
import { askPassword, readPasswordFile } from './passwords.ts';
import type { PlayOptions } from './play.ts';
import { askPrompts } from './prompts.ts';
import { openerFor } from './secret-options.ts';
import { budgetIn } from './shared-options.ts';

/** Runs `runbook play` and gives its exit code. What is shown is the reporter's: by default the one of `--output`. */
export async function runPlayCommand(
  cli: Cli,
  playbook: string,
  options: PlayOptions,
  makeReporter: () => Promise<Reporter> = () => createReporter(options.output, { ...cli, clock: systemClock }),
): Promise<number> {
  const opener = await openerFor(cli, options);
  const selection = await readSelection(playbook, options, opener);
  if (options.listHosts || options.listTasks) {
    const [{ outlineRun }, { formatOutline }] = await Promise.all([
      import('../run/outline.ts'),
      import('./outline.ts'),
    ]);
    const outline = await outlineRun({ ...selection, masker: cli.masker });
    for (const warning of outline.warnings) cli.errors.write(`${visible(formatDiagnostic(warning))}\n`);
    cli.output.write(cli.masker.mask(formatOutline(outline, options)));
    return 0;
  }
  const report = await openReport(options);
  const connection = await readConnection(cli, options);
  const { runPlaybook } = await import('../run/run.ts');
  return play(cli, { reporter: await makeReporter(), report }, (parts) =>
    runPlaybook({
      ...selection,
      ...parts,
      isCheckMode: options.check,
      isDiff: options.diff,
      forks: options.forks,
      ...budgetIn(options),
      ...(options.hostKeyChecking && { hostKeyChecking: options.hostKeyChecking }),
      connection,
      masker: cli.masker,
      ask: (plays) => askPrompts(cli, plays, selection.extraVars),
      ...(options.journal && { journalDirectory: '.runbook' }),
    }),
  );
}

async function play(
  cli: Cli,
  { reporter, report }: { readonly reporter: Reporter; readonly report: HtmlReport | undefined },
  run: (parts: Pick<RunRequest, 'bus' | 'signal' | 'abort'>) => Promise<{ exitCode: number }>,
): Promise<number> {
  const { errors } = cli;
  cli.onExit(() => reporter.restore());
  const state = createLiveState();
  const bus = createEventBus(systemClock.now, (error) => {
    // The run goes on: what it does to hosts must not depend on who is watching.
    const message = cli.masker.mask(errorMessage(error));
    reporter.note(`runbook: a reporter failed and is left out from here on: ${message}`);
  });
  bus.subscribe((event) => advance(state, event));
  bus.subscribe(reporter.on);
  if (report) bus.subscribe(report.on);
  using interrupts: Interrupts = watchInterrupts(process, {
    note: (text) => reporter.note(text),
    exitNow() {
      reporter.restore();
      const left = describeLeftBehind(state);
      errors.write(`${['exiting; left behind:', ...(left.length > 0 ? left : ['nothing in flight'])].join('\n  ')}\n`);
      cli.exitNow(130);
    },
  });
  try {
    const { exitCode } = await run({ bus, signal: interrupts.signal, abort: interrupts.abort });
    writeReport(cli, report);
    return exitCode;
  } finally {
    await reporter.close();
  }
}

/** The page of `--report`; an unwritable one is found here, before anything is asked or contacted. */
async function openReport({ report }: PlayOptions): Promise<HtmlReport | undefined> {
  if (report === undefined) return undefined;
  const { createHtmlReport } = await import('../report/html/report.ts');
  return createHtmlReport(report, readVersion());
}

/** What the run did is done: a report that cannot be written is told, and the exit code stays the run's. */
function writeReport(cli: Cli, report: HtmlReport | undefined): void {
  try {
    report?.write();
  } catch (error) {
    cli.errors.write(`runbook: ${cli.masker.mask(errorMessage(error))}\n`);
  }
}

async function readSelection(
  playbook: string,
  options: PlayOptions,
  opener: FileOpener,
): Promise<
  Pick<
    RunRequest,
    'playbook' | 'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags' | 'opener'
  >
> {
  return {
    opener,
    playbook,
    inventory: options.inventory,
    ...(options.limit !== undefined && { limit: options.limit }),
    moduleDirectories: options.modules,
    extraVars: await readExtraVars(options.extraVars, opener),
    tags: options.tags,
    skipTags: options.skipTags,
  };
}

async function readConnection(cli: Cli, options: PlayOptions): Promise<RunRequest['connection']> {
  const password = options.askPass ? await askPassword(cli, 'SSH password') : undefined;
  const becomePassword = await readBecomePassword(cli, options);
  return {
    ...(options.user !== undefined && { user: options.user }),
    ...(options.privateKey !== undefined && { privateKeyFile: options.privateKey }),
    ...(password && { password }),
    ...(options.become && { become: true }),
    ...(options.becomeUser !== undefined && { becomeUser: options.becomeUser }),
    ...(becomePassword && { becomePassword }),
    ...(options.timeout !== undefined && { timeoutMs: options.timeout * 1000 }),
  };
}

async function readBecomePassword(cli: Cli, options: PlayOptions): Promise<Secret | undefined> {
  if (options.askBecomePass) return askPassword(cli, 'sudo password');
  if (options.becomePasswordFile === undefined) return undefined;
  return readPasswordFile(cli, options.becomePasswordFile);
}

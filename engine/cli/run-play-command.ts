import { systemClock } from '../base/clock.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { errorMessage } from '../base/errors.ts';
import { createEventBus } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import { readVersion } from '../base/version.ts';
import type { FileOpener } from '../language/encrypted-files.ts';
import { createReporter } from '../report/choose.ts';
import type { HtmlReport } from '../report/html/report.ts';
import { createLastWords } from '../report/last-words.ts';
import { advance, createLiveState, describeLeftBehind } from '../report/live-state.ts';
import type { Reporter } from '../report/reporter.ts';
import { visible } from '../report/text.ts';
import type { RunRequest } from '../run/request.ts';
import type { Cli } from './cli.ts';
import { readExtraVars } from './extra-vars.ts';
import { journalDirectory } from './find-run.ts';
import { interruptible } from './interruptible.ts';
import { type Interrupts, watchInterrupts } from './interrupts.ts';
import { keptOptions } from './kept-options.ts';
import { askPassword, readPasswordFile } from './passwords.ts';
import type { ConnectionOptions, PlayOptions } from './play.ts';
import { askPrompts } from './prompts.ts';
import { openerFor } from './secret-options.ts';
import { budgetIn } from './shared-options.ts';

/** Runs `runbook play` and gives its exit code. What is shown is the reporter's: by default the one of `--output`. */
export async function runPlayCommand(
  cli: Cli,
  playbook: string,
  options: PlayOptions,
  makeReporter: () => Promise<Reporter> = () => createReporter(options.output, { ...cli, clock: systemClock }),
  resume?: RunRequest['resume'],
): Promise<number> {
  const opener = await openerFor(cli, options);
  const selection = await readSelection(playbook, options, opener);
  if (options.listHosts || options.listTasks) {
    const [{ outlineRun }, { formatOutline }] = await Promise.all([
      import('../run/outline.ts'),
      import('./outline.ts'),
    ]);
    const outline = await interruptible((signal) => outlineRun({ ...selection, signal, masker: cli.masker }));
    for (const warning of outline.warnings) cli.errors.write(`${visible(formatDiagnostic(warning))}\n`);
    cli.output.write(cli.masker.mask(formatOutline(outline, options)));
    return 0;
  }
  const report = await openReport(options);
  const connection = await readConnection(cli, options);
  const { runPlaybook } = await import('../run/run.ts');
  const shown = { reporter: await makeReporter(), report, ...graceIn(options), isKept: options.journal };
  return runReported(cli, shown, (parts) =>
    runPlaybook({
      ...selection,
      ...parts,
      isCheckMode: options.check,
      isDiff: options.diff,
      forks: options.forks,
      isBatched: options.batch,
      ...budgetIn(options),
      ...(options.hostKeyChecking && { hostKeyChecking: options.hostKeyChecking }),
      connection,
      masker: cli.masker,
      ask: (plays) => askPrompts(cli, plays, selection.extraVars),
      ...(options.journal && { journalDirectory, options: { ...keptOptions(options, cli.masker) } }),
      ...(resume && { resume }),
    }),
  );
}

/** How a run is shown, and how it ends when it is interrupted. */
export interface Shown {
  readonly reporter: Reporter;
  readonly report: HtmlReport | undefined;
  /** See {@link watchInterrupts}. */
  readonly graceMs?: number;
  /** It has a journal, so it can be resumed. */
  readonly isKept?: boolean;
}

/** How long SIGTERM leaves to what is in flight, where that is given. */
export function graceIn({ grace }: Pick<PlayOptions, 'grace'>): Pick<Shown, 'graceMs'> {
  return grace === undefined ? {} : { graceMs: grace * 1000 };
}

/** Runs something that tells what happens on a bus: shows it, and takes Ctrl-C for it. Gives its exit code. */
export async function runReported(
  cli: Cli,
  { reporter, report, graceMs = 60_000, isKept = false }: Shown,
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
  const lastWords = createLastWords(isKept);
  bus.subscribe((event) => advance(state, event));
  bus.subscribe(lastWords.on);
  bus.subscribe(reporter.on);
  if (report) bus.subscribe(report.on);
  using interrupts: Interrupts = watchInterrupts(process, {
    note: (text) => reporter.note(text),
    graceMs,
    exitNow() {
      reporter.restore();
      const left = [...describeLeftBehind(state), ...lastWords.now()];
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
    for (const line of lastWords.afterEnd()) errors.write(`${line}\n`);
  }
}

/** The page of `--report`; an unwritable one is found here, before anything is asked or contacted. */
export async function openReport({ report }: Pick<PlayOptions, 'report'>): Promise<HtmlReport | undefined> {
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

/** What is run and where, as the command line says it. */
export async function readSelection(
  playbook: string,
  options: Pick<PlayOptions, 'inventory' | 'limit' | 'modules' | 'extraVars' | 'tags' | 'skipTags'>,
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

/** How hosts are reached, as the command line says it; passwords are asked for. */
export async function readConnection(cli: Cli, options: ConnectionOptions): Promise<RunRequest['connection']> {
  return {
    ...(options.user !== undefined && { user: options.user }),
    ...(options.privateKey !== undefined && { privateKeyFile: options.privateKey }),
    ...(options.become && { become: true }),
    ...(options.becomeUser !== undefined && { becomeUser: options.becomeUser }),
    ...(options.timeout !== undefined && { timeoutMs: options.timeout * 1000 }),
    ...(options.reconnectTimeout !== undefined && { reconnectMs: options.reconnectTimeout * 1000 }),
    ...(await readPasswords(cli, options)),
  };
}

type PasswordOptions = Pick<ConnectionOptions, 'askPass' | 'askBecomePass' | 'becomePasswordFile'>;

/** The passwords to log in and for sudo, where there are any. */
export async function readPasswords(
  cli: Cli,
  options: PasswordOptions,
): Promise<Pick<RunRequest['connection'], 'password' | 'becomePassword'>> {
  const password = options.askPass ? await askPassword(cli, 'SSH password') : undefined;
  const becomePassword = await readBecomePassword(cli, options);
  return { ...(password && { password }), ...(becomePassword && { becomePassword }) };
}

async function readBecomePassword(cli: Cli, options: PasswordOptions): Promise<Secret | undefined> {
  if (options.askBecomePass) return askPassword(cli, 'sudo password');
  if (options.becomePasswordFile === undefined) return undefined;
  return readPasswordFile(cli, options.becomePasswordFile);
}

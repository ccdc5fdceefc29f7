import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { Masker } from '../base/masker.ts';
import { differences, type Fingerprint, takeFingerprint } from './fingerprint.ts';
import { type RunFile, readRunFile } from './journal/run-file.ts';
import { type Journal, openJournal, runFolder } from './journal.ts';
import type { LoadedRun } from './load.ts';
import type { RunRequest } from './request.ts';
import { readRunKey } from './run-key.ts';

/** A run whose journal is to begin. */
export interface BeginningRun {
  readonly runId: string;
  readonly request: RunRequest;
  readonly loaded: LoadedRun;
  readonly masker: Pick<Masker, 'mask'>;
  readonly clock: Clock;
  /** How many hosts take part, as far as is known. */
  readonly hosts: number;
}

/**
 * Opens the journal of a run, or of a run that is resumed; none where none is asked for. Raises `usage` where it cannot be
 * written, where another process works on the run, and, unless it is resumed as changed, where the playbook, its modules
 * or the inventory are not what they were.
 */
export async function beginJournal(run: BeginningRun): Promise<Journal | undefined> {
  const { request, runId, masker, clock } = run;
  const { journalDirectory, isCheckMode, resume } = request;
  if (journalDirectory === undefined) return undefined;
  const folder = runFolder(journalDirectory, runId);
  const before = resume && readRunFile(folder);
  if (resume && !before?.fingerprint)
    throw new RunbookError('usage', `of the run ${runId} nothing is kept to go on with`);
  const open = (): ReturnType<typeof openJournal> =>
    openJournal({ folder, masker, now: () => clock.now(), isCheckMode, ...(resume && { resumed: resume }) });
  // A folder that cannot be written is told first; of a run that is resumed nothing is changed before it may be.
  const early = resume ? undefined : open();
  try {
    const fingerprint = isCheckMode ? undefined : await fingerprintOf(run, journalDirectory, before?.fingerprint);
    if (resume) refuseOtherKey(runId, before?.fingerprint, fingerprint);
    if (resume && !resume.isChanged) refuseChanged(runId, before?.fingerprint, fingerprint);
    const journal = early ?? open();
    journal.describe(describe(run, fingerprint, before));
    return journal;
  } catch (error) {
    early?.[Symbol.dispose]();
    throw error;
  }
}

function fingerprintOf(
  { request, loaded }: BeginningRun,
  journalDirectory: string,
  before: Fingerprint | undefined,
): Promise<Fingerprint> {
  const also = Object.keys(before?.files ?? {});
  return takeFingerprint({ request, loaded, key: readRunKey(journalDirectory), also });
}

/** Whatever else may have changed: items of loops are known by it, and all of them would be run again. */
function refuseOtherKey(runId: string, before: Fingerprint | undefined, now: Fingerprint | undefined): void {
  if (before === undefined || now === undefined || before.key === now.key) return;
  throw new RunbookError('usage', `the run ${runId} was begun with another key than the one of .runbook here`, {
    hint: 'put the key back, or begin a new run: what this one did of its loops cannot be told without it',
  });
}

function refuseChanged(runId: string, before: Fingerprint | undefined, now: Fingerprint | undefined): void {
  const different = before && now ? differences(before, now) : [];
  if (different.length === 0) return;
  const what = different.map((line) => `\n  ${line}`).join('');
  throw new RunbookError('usage', `the run ${runId} was begun with something else:${what}`, {
    hint: 'put it back, or go on with --changed: tasks whose text is the same keep what they did, the others are run',
  });
}

function describe(
  { runId, request, clock, hosts }: BeginningRun,
  fingerprint: Fingerprint | undefined,
  before: RunFile | undefined,
): RunFile {
  return {
    v: 1,
    id: runId,
    began: [...(before?.began ?? []), new Date(clock.now()).toISOString()],
    playbook: request.playbook,
    isCheckMode: request.isCheckMode,
    hosts,
    options: request.options ?? before?.options ?? {},
    ...(fingerprint && { fingerprint }),
  };
}

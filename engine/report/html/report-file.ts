import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileProblem, RunbookError } from '../../base/errors.ts';

/** A file that is written at once, when all of it is known. */
export interface ReportFile {
  /** Puts the text in its place: whoever reads the file sees the former one or this one, never half of it. */
  write(text: string): void;
}

/** Makes sure that a file can be written, before there is anything to write. Raises a RunbookError where it cannot. */
export function openReportFile(path: string): ReportFile {
  const target = explain(path, () => targetOf(path));
  // What a folder allows is known for certain only when it has been tried: root may, on a read-only disk, not.
  explain(path, () => writeAside(target, ''));
  rmSync(asideOf(target), { force: true });
  return {
    write(text) {
      explain(path, () => {
        writeAside(target, text);
        renameSync(asideOf(target), target);
      });
    },
  };
}

/** Where a link leads to, so that the link stays; what is no file (a folder, a device) is refused. */
function targetOf(path: string): string {
  const known = statSync(path, { throwIfNoEntry: false });
  if (known && !known.isFile()) throw new Error('it is there, and no file');
  return known ? realpathSync(path) : path;
}

function asideOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}.part`);
}

function writeAside(target: string, text: string): void {
  const aside = asideOf(target);
  try {
    const file = openSync(aside, 'w', 0o666);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function explain<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const hint = 'name a file in a folder that is there and that you may write to';
    throw new RunbookError('usage', `the report cannot be written to ${path}: ${fileProblem(error)}`, {
      hint,
      cause: error,
    });
  }
}

import { type Change, exec, failure, put, type Script, type Step, sh } from '../../engine/index.ts';
import {
  asText,
  creationChanges,
  describeFile,
  type expectedFile,
  type FileState,
  fileResource,
  folderOf,
  modeOfNewFile,
  namesOf,
} from './file-state.ts';

/** A configuration file of lines in which a module keeps its own lines and leaves the others alone. */

type Expected = ReturnType<typeof expectedFile>;

/** Asks for the file with its text; `parseFile` reads the answer. */
export function askLineFile(path: string): Script {
  return describeFile(path, { follow: true, digest: true, contentUpTo: 1 << 20 });
}

/** The file's text, empty when there is none. */
export function textOf(file: FileState): string {
  if (file.type === null) return '';
  const text = file.type === 'file' ? asText(file.content) : undefined;
  if (text === undefined) throw failure(`${file.path} is not a text file, so it is not edited`);
  return text;
}

/** What writing `text` would change; `[]` when it stands there. */
export function lineFileChanges(file: Expected, text: string): Change[] {
  if (file.obstacle !== undefined) throw failure(`${file.obstacle} is no folder, so ${file.path} cannot be in it`);
  const isNew = file.type === null;
  if (!isNew && textOf(file) === text) return [];
  const change = {
    path: 'content',
    before: isNew ? null : textOf(file),
    after: text,
    ...namesOf(file),
  };
  return [...(isNew ? creationChanges(file, 'file') : []), change];
}

/** Writes the text that `changes` holds for the file, if they do; makes its folder. */
export function* writeLineFile(file: FileState, changes: readonly Change[]): Generator<Step, void> {
  const change = changes.find((c) => c.path === 'content' && c.resource === fileResource(file.path));
  if (!change) return;
  const folder = folderOf(file.realPath);
  if (file.missingFolders.length > 0)
    yield exec(sh`umask 022 && mkdir -p ${folder}`, { purpose: `making ${folder}`, moreFollows: true });
  yield put(file.realPath, String(change.after), file.type === null ? { mode: modeOfNewFile() } : {});
}

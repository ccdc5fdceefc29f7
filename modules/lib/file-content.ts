import { basename } from 'node:path/posix';
import {
  type Change,
  type Content,
  type Diff,
  exec,
  failure,
  type Predicted,
  put,
  type Script,
  Secret,
  type Step,
  type StepResult,
  sh,
  unknown,
} from '../../engine/index.ts';
import {
  asText,
  attributeChanges,
  creationChanges,
  digestOf,
  expectedFile,
  type FileAttributes,
  type FileState,
  fileResource,
  folderOf,
  modeOfNewFile,
  namesOf,
  requireFolder,
  undeterminedAttribute,
  validation,
} from './file-state.ts';

/** Texts up to this size are shown as a unified diff; larger ones, and what is no text, by digest and size. Bytes. */
export const shownUpTo = 256 * 1024;

/** A file as it must be. */
export interface WantedContent {
  readonly sha256: string;
  readonly size: number;
  /** When it is text and small enough to be shown. */
  readonly text?: string | undefined;
  /** Neither the content nor its digest is shown. */
  readonly isSecret?: boolean | undefined;
}

/** A file as it must be, with the bytes to put. */
export interface WantedFile extends WantedContent {
  readonly dest: string;
  readonly content: Content;
}

/** A text that was made on the controller, as a file. */
export function wantedText(dest: string, given: string | Secret): WantedFile {
  const isSecret = given instanceof Secret;
  const text = isSecret ? given.reveal() : given;
  const bytes = Buffer.from(text, 'utf8');
  return {
    dest,
    content: { kind: 'bytes', bytes },
    sha256: digestOf(bytes),
    size: bytes.length,
    isSecret,
    ...(bytes.length <= shownUpTo && { text }),
  };
}

/** What differs between the file that is there and the one that is wanted; attributes only when they are given. */
export function diffContent(
  current: FileState,
  wanted: WantedContent,
  attributes: FileAttributes,
  predicted: Predicted,
): Diff {
  const expected = expectedFile(current, predicted);
  const { path } = expected;
  if (expected.type === 'directory') throw failure(`${path} is a folder; "dest" must name the file`);
  if (expected.type === 'other') throw failure(`${path} is neither a file nor a folder, so it is not replaced`);
  if (expected.type === 'file') {
    if (!expected.isContentKnown && expected.sha256 === undefined) {
      return unknown(`an earlier task would write ${path}; its content is not known`);
    }
    const undetermined = undeterminedAttribute(expected, attributes);
    const content = expected.sha256 === wanted.sha256 ? [] : contentChanges(expected, wanted, predicted);
    if (undetermined !== undefined && content.length === 0) return unknown(undetermined);
    return [...content, ...attributeChanges(expected, attributes, predicted)];
  }
  const reason = requireFolder(expected, predicted);
  if (reason !== undefined) return unknown(reason);
  // A link is replaced by a file that has nothing of it.
  const fresh = {
    ...expected,
    mode: undefined,
    owner: undefined,
    group: undefined,
    uid: undefined,
    gid: undefined,
  };
  return [
    ...creationChanges(expected, 'file'),
    ...contentChanges(fresh, wanted, predicted),
    ...attributeChanges(fresh, { ...attributes, mode: attributes.mode ?? modeOfNewFile(wanted) }, predicted),
  ];
}

/** Whether `changes` need the file to be put again, and not its attributes only. */
export function isContentChanged(changes: readonly Change[]): boolean {
  return changes.some((change) => change.path === 'content' || change.path === 'sha256' || change.path === 'type');
}

/** The attributes of a put: what is not wanted is kept from a file, and has a default where there is none. */
export function attributesToPut(
  current: FileState,
  wanted: Pick<WantedContent, 'isSecret'>,
  attributes: FileAttributes,
): FileAttributes {
  const { owner, group } = attributes;
  return { owner, group, mode: attributes.mode ?? (current.type === 'file' ? undefined : modeOfNewFile(wanted)) };
}

/** Puts the wanted file in place of what is there, and gives values for `register`. */
export function* putFile(
  current: FileState,
  wanted: WantedFile,
  args: FileAttributes & { readonly backup: boolean; readonly validate?: string | undefined },
  id: string,
): Generator<Step, Record<string, unknown>, StepResult> {
  const options = { ...attributesToPut(current, wanted, args), validate: validation(args.validate) };
  if (current.type === 'link') {
    // A put goes through a link, and would write the file that it leads to.
    const beside = pathBeside(wanted.dest, id);
    yield put(beside, wanted, { ...options, moreFollows: true });
    yield exec(renameScript(beside, wanted.dest), { purpose: `replacing the link ${wanted.dest}` });
    return {};
  }
  const { stdout } = yield put(wanted.dest, wanted, { ...options, backup: args.backup });
  return stdout.trim() === '' ? {} : { backup: stdout.trim() };
}

/** A hidden path for a file that is about to be renamed to `path`. */
export function pathBeside(path: string, id: string): string {
  return `${folderOf(path).replace(/\/$/, '')}/.${basename(path)}.runbook-${id}`;
}

/** Renames a file over whatever is at a path; nothing stays at `from` in any case. */
export function renameScript(from: string, to: string): Script {
  // Without -T (old busybox), mv would put the file into a folder that a link leads to.
  return sh`mv -fT ${from} ${to} 2>/dev/null ||
{ { [ ! -L ${to} ] || rm -f ${to}; } && mv -f ${from} ${to}; } || { rm -f ${from}; exit 1; }`;
}

/** The digest of a short secret would tell it; what is there now may be another secret. */
function secretChange(current: FileState, wanted: WantedContent): Change {
  const after = wanted.text === undefined ? { sha256: wanted.sha256 } : { content: wanted.text };
  const [path = '', value = ''] = Object.entries(after)[0] ?? [];
  // Not shown, but compared: whether it is still the same when a plan is applied.
  const before = current.type === 'file' ? new Secret(current.sha256 ?? '') : null;
  return { path, before, after: new Secret(value), ...namesOf(current) };
}

/** The digest of what is on the host, for `register`. */
export function shownDigest(
  current: FileState,
  wanted: Pick<WantedContent, 'isSecret'> | undefined,
): string | Secret | null {
  if (current.sha256 === undefined) return null;
  return wanted?.isSecret ? new Secret(current.sha256) : current.sha256;
}

function contentChanges(
  current: FileState & { readonly isSecret?: boolean | undefined },
  wanted: WantedContent,
  predicted: Predicted,
): Change[] {
  const names = namesOf(current);
  const isNew = current.type !== 'file';
  if (wanted.isSecret || current.isSecret) return [secretChange(current, wanted)];
  const before = isNew ? null : asText(current.content);
  if (wanted.text !== undefined && before !== undefined) {
    return [{ path: 'content', before, after: wanted.text, ...names }];
  }
  const changes: Change[] = [
    { path: 'sha256', before: current.sha256 ?? null, after: wanted.sha256, ...names },
    { path: 'size', before: current.size ?? null, after: wanted.size, ...names },
  ];
  // Without it a text that an earlier task would have written would still count as the content.
  if (predicted.of(fileResource(current.path)).content !== undefined)
    changes.push({ path: 'content', before: '(not shown)', after: null, ...names });
  return changes;
}

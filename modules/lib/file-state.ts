import { createHash } from 'node:crypto';
import {
  type Change,
  digestFile,
  failure,
  type Predicted,
  quoteWord,
  type Script,
  Secret,
  sh,
} from '../../engine/index.ts';
import { whoMayProvide } from './pending-providers.ts';

/** What stands at a path. */
export type FileType = 'file' | 'directory' | 'link' | 'other';

/** A path on a host as it is, or as check mode expects it to be. */
export interface FileState {
  readonly path: string;
  /** Where the path leads to; another one than `path` only when links were followed. */
  readonly realPath: string;
  /** The path without links above it; where links were followed, `realPath` without them. */
  readonly physicalPath: string;
  /** Null when nothing is there. */
  readonly type: FileType | null;
  /** Four octal digits. */
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  readonly size?: number | undefined;
  readonly sha256?: string | undefined;
  /** Only when asked for, and small enough. */
  readonly content?: Buffer | undefined;
  /** Where a link points. */
  readonly target?: string | undefined;
  /** Folders above the path that are not there, the nearest first. */
  readonly missingFolders: readonly string[];
  /** Something above the path that is there and is no folder. */
  readonly obstacle?: string | undefined;
  /** What is made in the nearest folder gets its group and, where it is a folder, its set-gid bit. */
  readonly isInSetGid?: boolean;
  /** Who would own what is made at the path; only when nothing is there and an owner or group is wanted. */
  readonly maker?: { readonly owner: string; readonly group: string } | undefined;
  /** The wanted owner or group that the host does not know: `user bob`, `group staff`. */
  readonly unknownNames: readonly string[];
}

/** What to ask of a path besides its type and attributes. */
export interface FileQuestion {
  /** Ask about what a link leads to. */
  readonly follow?: boolean;
  readonly digest?: boolean;
  /** Give the content too, up to this many bytes; together with `digest`. */
  readonly contentUpTo?: number;
  /** Do not give the content when it has this digest already: a converged host answers in a few bytes. */
  readonly unlessSha256?: string;
  /** Wanted names, so that one that the host does not know is told before anything is changed. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** Wanted attributes. */
export interface FileAttributes {
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/**
 * What a new file gets when nobody says otherwise: a secret is for its owner alone. A module says it, so that check mode
 * and the umask cannot differ.
 */
export function modeOfNewFile({ isSecret = false }: { readonly isSecret?: boolean | undefined } = {}): string {
  return isSecret ? '0600' : '0644';
}

/** Schema properties of every module that makes a file. */
export const attributeProperties = {
  mode: {
    type: 'string',
    pattern: '^0?[0-7]{3,4}$',
    description:
      'Permission bits as octal digits in quotes, for example "0644". Default: kept; 0644 for a new file, 0600 if it has a secret in it',
    examples: ['0644'],
  },
  owner: { type: 'string', minLength: 1, description: "Owner's name, or its number in quotes. Default: kept" },
  group: { type: 'string', minLength: 1, description: "Group's name, or its number in quotes. Default: kept" },
} as const;

/** Schema properties of every module that replaces a file's content. */
export const replacementProperties = {
  ...attributeProperties,
  backup: {
    type: 'boolean',
    default: false,
    description: 'Keep the replaced file beside the new one, as PATH.YYYYMMDDTHHMMSSZ~',
  },
  validate: {
    type: 'string',
    description: 'Shell command that must succeed before the file becomes visible; %s is the path of the new file',
    examples: ['visudo -cf %s'],
  },
} as const;

/** What every such module returns of the file. */
export const replacementReturns = {
  sha256: { secret: true, description: 'Hex digest of its content, null when there is no file' },
  mode: { description: 'Its permission bits as octal digits, null when there is no file' },
  backup: { type: 'string', description: 'The path of the copy that was kept, if one was' },
} as const;

/** The name under which check mode remembers a path. */
export function fileResource(path: string): string {
  return `file:${cleanPath(path)}`;
}

/** Under which names check mode remembers a path, or a folder above it: two paths may lead to the same thing. */
export function namesOf(
  state: Pick<FileState, 'path' | 'physicalPath'>,
  path = state.path,
): Pick<Change, 'resource' | 'alias'> {
  const physical = physicalPathOf(state, path);
  return { resource: fileResource(path), ...(physical !== path && { alias: fileResource(physical) }) };
}

/** A path without doubled, trailing and `.` parts, so that two spellings are one resource. */
export function cleanPath(path: string): string {
  // Nearly all are clean, and this is called for each file of each host.
  if (/^(\/[^/.][^/]*)+$/.test(path)) return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

/** What is wrong with an argument that must be a path on the host: for a module's `check`. */
export function pathMistakes(name: string, path: string): string[] {
  if (!path.startsWith('/')) return [`"${name}" must be an absolute path, not ${JSON.stringify(path)}`];
  if (path.includes('\0')) return [`"${name}" contains a NUL byte`];
  if (path.includes('\n')) return [`"${name}" contains a newline`];
  // "/a/link/.." is not "/a" when link leads elsewhere: nobody could tell which resource it is.
  if (path.split('/').includes('..')) return [`"${name}" must not contain "..": ${path}`];
  return [];
}

/** The folder that a path is in. */
export function folderOf(path: string): string {
  return cleanPath(path).replace(/\/[^/]*$/, '') || '/';
}

/** Four octal digits for any spelling. */
export function fullMode(mode: string): string {
  return mode.padStart(4, '0').slice(-4);
}

/**
 * A read-only script that describes one path; {@link parseFile} reads its answer. What it has to say it collects in `o` and
 * prints at once: each piece that comes by itself costs the controller 10 µs of its time, and the host as much.
 */
export function describeFile(path: string, question: FileQuestion = {}): Script {
  const folders = foldersAbove(path);
  const parts: Script[] = [
    sh`p=${path} h= z=`,
    // A path with "/" at its end would be followed by every test below.
    question.follow ? sh`if [ -L "$p" ]; then r=$(readlink -f "$p"); [ -n "$r" ] && p=$r; fi` : sh`:`,
    sh`if [ -L "$p" ]; then t=link; elif [ -f "$p" ]; then t=file; elif [ -d "$p" ]; then t=directory
elif [ -e "$p" ]; then t=other; else t=; fi
o="real=$p
type=$t
"
if [ -n "$t" ]; then z=$(stat -c 'mode=%a
uid=%u
gid=%g
size=%s
owner=%U
group=%G' "$p") && o="$o$z
"; fi
[ "$t" != link ] || o="\${o}target=$(readlink "$p")
"`,
  ];
  parts.push(physicalScript);
  if (folders.length > 0) {
    parts.push(sh`for d in ${folders}; do
if [ -d "$d" ]; then break; elif [ -e "$d" ] || [ -L "$d" ]; then o="\${o}obstacle=$d
"; break; fi
o="\${o}missing=$d
"; done`);
  }
  if (question.owner !== undefined || question.group !== undefined) parts.push(makerScript);
  if (question.owner !== undefined && !isNumber(question.owner)) {
    parts.push(
      sh`${isNamed('owner', question.owner)} || id -u ${question.owner} >/dev/null 2>&1 || o="\${o}unknown=user "${question.owner}"
"`,
    );
  }
  if (question.group !== undefined && !isNumber(question.group)) {
    // getent knows LDAP and the like, and is missing on busybox.
    parts.push(
      sh`${isNamed('group', question.group)} || getent group ${question.group} >/dev/null 2>&1 || grep -q ${`^${escapeRegExp(question.group)}:`} /etc/group || o="\${o}unknown=group "${question.group}"
"`,
    );
  }
  if (question.digest) parts.push(digestScript);
  return sh.lines([...parts, sh`printf %s "$o"`, contentScript(question)]);
}

/** A test whether what is there has this owner or group: then the host knows it, and need not be asked. */
function isNamed(attribute: 'owner' | 'group', name: string): Script {
  return sh`case "$z
" in *"
"${`${attribute}=${name}`}"
"*) ;; *) false ;; esac`;
}

/**
 * Where the path is without links above it, when that is another one: what is not there yet is in its nearest folder. What
 * cannot be searched may have it: that folder, or where a link in it leads.
 */
const physicalScript = sh`d=\${p%/*}; while [ -n "$d" ] && [ ! -d "$d" ]; do d=\${d%/*}; done
n=\${p#"$d"/}; [ -n "$t" ] || { [ -x "\${d:-/}" ] && [ ! -L "$d/\${n%%/*}" ]; } || case $(ls -d "$p" 2>&1) in *'ermission denied'*) o="\${o}denied=1
" ;; esac
l=$d; while [ -n "$l" ] && [ ! -L "$l" ]; do l=\${l%/*}; done
[ -n "$l" ] && f=$(cd -P "\${d:-/}" 2>/dev/null && pwd -P) && [ "\${f%/}" != "$d" ] && o="\${o}at=\${f%/}\${p#"$d"}
"
[ -n "$t" ] || [ ! -g "\${d:-/}" ] || o="\${o}setgid=1
"`;

/** What is made in a folder with the set-gid bit gets the folder's group. */
const makerScript = sh`if [ -z "$t" ]; then
m=$(id); u=\${m#*=}; u=\${u%% gid=*}; u=\${u#*'('}
g=\${m#* gid=}; g=\${g%% groups=*}; g=\${g%% context=*}; g=\${g%% euid=*}; g=\${g%% egid=*}; g=\${g#*'('}
d=$p; while [ ! -d "$d" ]; do d=\${d%/*}; [ -n "$d" ] || d=/; done
[ ! -g "$d" ] || g=$(stat -Lc %G "$d")
o="\${o}maker=\${u%')'}:\${g%')'}
"; fi`;

/** After the size comes the owner. */
const digestScript = sh`if [ "$t" = file ]; then
if [ -r "$p" ]; then n=\${z#*size=}; n=\${n%%?owner=*}
${digestFile}
o="\${o}sha256=$h
"
else o="\${o}unreadable=1
"; fi; fi`;

/** Comes last: it is as long as the file. */
function contentScript({ digest, contentUpTo, unlessSha256 = '' }: FileQuestion): Script {
  if (!digest || contentUpTo === undefined) return sh`:`;
  return sh`if [ "$t" = file ] && [ -r "$p" ] && [ "$h" != ${unlessSha256} ] && [ "$n" -le ${contentUpTo} ]; then echo content:; base64 <"$p"; fi`;
}

/** Reads the answer to {@link describeFile}. */
export function parseFile(path: string, stdout: string): FileState {
  const [head = '', content] = stdout.split(/^content:\n/m, 2);
  const fields = new Map<string, string[]>();
  for (const line of head.split('\n')) {
    const at = line.indexOf('=');
    if (at < 0) continue;
    const name = line.slice(0, at);
    fields.set(name, [...(fields.get(name) ?? []), line.slice(at + 1)]);
  }
  const first = (name: string): string | undefined => fields.get(name)?.[0];
  const type = first('type');
  if (type === undefined) throw failure(`${path} cannot be examined`, stdout);
  if (first('denied')) throw failure(`${path} cannot be examined: permission denied`);
  if (first('unreadable')) throw failure(`${path} cannot be read: permission denied`);
  const mode = first('mode');
  const size = first('size');
  const realPath = cleanPath(first('real') ?? path);
  return {
    path: cleanPath(path),
    realPath,
    physicalPath: cleanPath(first('at') ?? realPath),
    type: isFileType(type) ? type : null,
    mode: mode === undefined ? undefined : fullMode(mode),
    owner: first('owner'),
    group: first('group'),
    uid: first('uid'),
    gid: first('gid'),
    size: size === undefined ? undefined : Number(size),
    sha256: first('sha256'),
    content: content === undefined ? undefined : Buffer.from(content, 'base64'),
    target: first('target'),
    missingFolders: fields.get('missing') ?? [],
    obstacle: first('obstacle'),
    isInSetGid: first('setgid') !== undefined,
    maker: makerIn(first('maker')),
    unknownNames: fields.get('unknown') ?? [],
  };
}

function makerIn(text: string | undefined): FileState['maker'] {
  const [owner, group] = text?.split(':') ?? [];
  return owner === undefined || group === undefined ? undefined : { owner, group };
}

/** A path as it will be when the tasks before have run. */
export interface ExpectedFile extends FileState {
  /** False for a file that will be there with a content that nobody can tell yet. */
  readonly isContentKnown: boolean;
  /** An earlier task would put a secret there. */
  readonly isSecret?: boolean | undefined;
  /** False when something will be there of which nobody can tell whether it is a file: a command's `creates`. */
  readonly isTypeKnown: boolean;
}

/** The state with what check mode expects earlier tasks to have done; in a run the state as it is. */
export function expectedFile(asked: FileState, predicted: Predicted): ExpectedFile {
  const state = isReplacedLink(asked, predicted) ? { ...asked, physicalPath: asked.path } : asked;
  const { missingFolders, obstacle } = expectedFolders(state, predicted);
  const known = { ...state, missingFolders, obstacle, isContentKnown: true, isTypeKnown: true };
  const folderIsGone = foldersAbove(state.path).some((folder) => saidOf(state, folder, predicted).exists === false);
  const attributes = saidOf(state, state.path, predicted);
  const inTree = attributes.isNew === true ? {} : saidOfTree(state, predicted);
  // What is made where something was removed has nothing of it.
  const now = attributes.isNew === true && state.type !== null ? replaced(state) : state;
  if (attributes.exists === false || folderIsGone) {
    return { ...bare(known), type: null };
  }
  const text = textOr(attributes.content);
  const digest = textOr(attributes.sha256);
  const isWritten = text !== undefined || digest !== undefined;
  const isMade = attributes.exists === true;
  const type = typeOr(attributes.type) ?? (isMade && isWritten ? 'file' : now.type) ?? (isMade ? 'file' : null);
  // Modules that make folders give them one mode; that an archive may have another is told by null.
  const isPlainFolder = type === 'directory' && attributes.mode !== null && state.isInSetGid !== true;
  const merged = {
    ...known,
    type,
    // What is expected to be there has its folders.
    missingFolders: type === null ? missingFolders : [],
    mode:
      textOr(attributes.mode) ??
      (inTree.mode === undefined ? now.mode : undefined) ??
      (isPlainFolder ? '0755' : undefined),
    ...expectedOwner('owner', 'uid', { ...inTree, ...attributes }, now),
    ...expectedOwner('group', 'gid', { ...inTree, ...attributes }, now),
    target: textOr(attributes.target) ?? now.target,
  };
  if (type !== 'file') return merged;
  if (text !== undefined) {
    const content = Buffer.from(text, 'utf8');
    const isSecret = attributes.content instanceof Secret;
    return { ...merged, isSecret, content, size: content.length, sha256: digestOf(content) };
  }
  if (digest !== undefined && digest !== now.sha256) {
    return { ...merged, content: undefined, size: undefined, sha256: digest, isContentKnown: false };
  }
  const isTypeKnown = now.type !== null || typeOr(attributes.type) !== undefined;
  return { ...merged, isTypeKnown, isContentKnown: now.type === 'file' };
}

/** The change that makes check mode know that something will be at a path, with the folders that are made for it. */
export function creationChanges(state: FileState, type: FileType): Change[] {
  const changes: Change[] = [];
  for (const folder of [...state.missingFolders].reverse()) {
    const names = namesOf(state, folder);
    changes.push({ path: 'exists', before: false, after: true, ...names });
    changes.push({ path: 'type', before: null, after: 'directory', ...names });
  }
  const names = namesOf(state);
  if (state.type === null) changes.push({ path: 'exists', before: false, after: true, ...names });
  if (type !== 'file' || state.type !== null) changes.push({ path: 'type', before: state.type, after: type, ...names });
  return changes;
}

/** The attributes that differ. Raises when an owner or group is wanted that the host does not know. */
export function attributeChanges(state: FileState, wanted: FileAttributes, predicted: Predicted): Change[] {
  const names = namesOf(state);
  const changes: Change[] = [];
  if (wanted.mode !== undefined && state.mode !== fullMode(wanted.mode)) {
    changes.push({ path: 'mode', before: state.mode ?? null, after: fullMode(wanted.mode), ...names });
  }
  if (wanted.owner !== undefined && wanted.owner !== (isNumber(wanted.owner) ? state.uid : state.owner)) {
    changes.push({ path: 'owner', before: state.owner ?? null, after: wanted.owner, ...names });
  }
  if (wanted.group !== undefined && wanted.group !== (isNumber(wanted.group) ? state.gid : state.group)) {
    changes.push({ path: 'group', before: state.group ?? null, after: wanted.group, ...names });
  }
  for (const kind of ['owner', 'group'] as const) {
    if (changes.some((change) => change.path === kind)) requireName(kind, wanted[kind] ?? '', state, predicted);
  }
  return changes;
}

/** Raises when the host will not know a user or group, as it would when the attribute is set. */
function requireName(kind: 'owner' | 'group', name: string, state: FileState, predicted: Predicted): void {
  if (isNumber(name)) return;
  const noun = kind === 'owner' ? 'user' : 'group';
  const { exists } = predicted.of(`${noun}:${name}`);
  if (exists === true) return;
  if (exists === false) throw failure(`an earlier task removes the ${noun} ${name}`);
  if (!state.unknownNames.includes(`${noun} ${name}`)) return;
  if (whoMayProvide(predicted, `${noun} ${name}`) === undefined) {
    throw failure(`the ${noun} ${name} does not exist on this host`);
  }
}

/** Sets the attributes that `changes` names, of what the path leads to when the state was asked for with `follow`. */
export function setAttributes(state: FileState, changes: readonly Change[]): Script | undefined {
  const path = state.realPath;
  const scripts: Script[] = [];
  const after = (name: string): string | undefined => {
    const change = changes.find((c) => c.path === name && c.resource === fileResource(state.path));
    return change && String(change.after);
  };
  const [mode, owner, group] = [after('mode'), after('owner'), after('group')];
  if (owner !== undefined && group !== undefined) scripts.push(sh`chown -h ${`${owner}:${group}`} ${path}`);
  else if (owner !== undefined) scripts.push(sh`chown -h ${owner} ${path}`);
  else if (group !== undefined) scripts.push(sh`chgrp -h ${group} ${path}`);
  // After chown, which clears set-id bits of files. GNU chmod keeps a folder's set-id bits unless there is a fifth digit.
  const kept = scripts.length > 0 && state.type === 'file' && /^[246]/.test(state.mode ?? '') ? state.mode : undefined;
  const wanted = mode ?? kept;
  if (wanted !== undefined) scripts.push(sh`chmod ${`0${wanted}`} ${path}`);
  return scripts.length === 0 ? undefined : sh.all(scripts);
}

/**
 * Fails when the folder of a path is not there and no earlier task makes it. Gives a reason when it cannot be known: a
 * command that check mode skipped may make it.
 */
export function requireFolder(state: FileState, predicted: Predicted): string | undefined {
  if (state.obstacle !== undefined) throw failure(`${state.obstacle} is no folder, so ${state.path} cannot be in it`);
  if (state.missingFolders.length === 0) return undefined;
  const folder = folderOf(state.path);
  const reason = whoMayProvide(predicted, `folder ${folder}`);
  if (reason !== undefined) return reason;
  throw failure(`the folder ${folder} does not exist; create it with the file module first`);
}

/** The command that checks a temporary file, from text in which `%s` stands for its path. */
export function validation(text: string | undefined): ((temporaryPath: string) => Script) | undefined {
  if (text === undefined) return undefined;
  return (path) => sh`sh -c ${text.replaceAll('%s', () => quoteWord(path))}`;
}

/** What is wrong with a `validate` argument. */
export function validateMistakes(text: string | undefined): string[] {
  if (text === undefined || text.includes('%s')) return [];
  return ['"validate" must contain %s, which stands for the path of the file to check'];
}

/** The bytes as text, or undefined when they are not UTF-8 text. */
export function asText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The hex SHA-256 of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The nearest first, without "/". */
function foldersAbove(path: string): string[] {
  const clean = cleanPath(path);
  const folders: string[] = [];
  for (let at = clean.lastIndexOf('/'); at > 0; at = clean.lastIndexOf('/', at - 1)) folders.push(clean.slice(0, at));
  return folders;
}

function physicalPathOf({ path, physicalPath }: Pick<FileState, 'path' | 'physicalPath'>, above: string): string {
  const below = path.slice(above.length);
  return physicalPath.endsWith(below) ? physicalPath.slice(0, physicalPath.length - below.length) : above;
}

/** An earlier task would put something else in the place of the link that was followed. */
function isReplacedLink({ path, realPath }: FileState, predicted: Predicted): boolean {
  const { exists, type } = predicted.of(fileResource(path));
  return realPath !== path && (exists !== undefined || type !== undefined);
}

/** What is predicted of the path, or of a folder above it, under whichever name. */
function saidOf(state: FileState, path: string, predicted: Predicted): Readonly<Record<string, unknown>> {
  const named = predicted.of(fileResource(path));
  const physical = physicalPathOf(state, path);
  if (physical === path) return named;
  return { ...named, ...predicted.of(fileResource(physical)) };
}

/** The change of an attribute of all that is in a folder. Check mode remembers it under the folder's name with a slash. */
export function treeChangeName(attribute: 'mode' | 'owner' | 'group'): string {
  return `${attribute} of entries`;
}

/** What earlier tasks would set in all of a folder above the path. A task that changes the path itself comes after them. */
function saidOfTree(state: FileState, predicted: Predicted): FileAttributes {
  const said: Record<string, unknown> = {};
  for (const folder of foldersAbove(state.path).reverse()) {
    for (const name of new Set([folder, physicalPathOf(state, folder)])) {
      const tree = predicted.of(`${fileResource(name)}/`);
      for (const attribute of ['mode', 'owner', 'group'] as const)
        said[attribute] = tree[treeChangeName(attribute)] ?? said[attribute];
    }
  }
  return said;
}

/** The folders that will be missing, the nearest first, and what will be in the way of one. */
function expectedFolders(state: FileState, predicted: Predicted): Pick<FileState, 'missingFolders' | 'obstacle'> {
  const missingFolders: string[] = [];
  for (const folder of foldersAbove(state.path)) {
    const said = saidOf(state, folder, predicted);
    const isMissing = state.missingFolders.includes(folder);
    const isObstacle = folder === state.obstacle;
    if (said.exists === undefined && said.type === undefined && !isMissing) {
      return { missingFolders, obstacle: isObstacle ? folder : undefined };
    }
    if (said.exists === false || (isMissing && said.exists !== true)) missingFolders.push(folder);
    // The ones above it are there, then.
    else return { missingFolders, obstacle: isFileSaid(said) ? folder : undefined };
  }
  return { missingFolders, obstacle: undefined };
}

function isFileSaid({ type, content, sha256 }: Readonly<Record<string, unknown>>): boolean {
  return type === 'file' || (type === undefined && (content !== undefined || sha256 !== undefined));
}

/** Without what only something that is there can have. */
function bare(state: ExpectedFile): ExpectedFile {
  const { path, realPath, physicalPath, type, missingFolders, obstacle, unknownNames } = state;
  const { isContentKnown, isTypeKnown } = state;
  return { path, realPath, physicalPath, type, missingFolders, obstacle, unknownNames, isContentKnown, isTypeKnown };
}

/** Nothing of what is there, but who would make something in its place. */
function replaced(state: FileState): FileState {
  const { path, realPath, physicalPath, missingFolders, obstacle, unknownNames, maker } = state;
  return { path, realPath, physicalPath, type: null, missingFolders, obstacle, unknownNames, maker };
}

function expectedOwner(
  name: 'owner' | 'group',
  number: 'uid' | 'gid',
  attributes: Readonly<Record<string, unknown>>,
  state: FileState,
): Record<string, string | undefined> {
  const said = textOr(attributes[name]);
  if (said !== undefined) return { [name]: said, [number]: isNumber(said) ? said : undefined };
  return { [name]: state[name] ?? state.maker?.[name], [number]: state[number] };
}

/** Why it cannot be told whether the wanted attributes fit: what an earlier task would make has some of its own. */
export function undeterminedAttribute(state: ExpectedFile, wanted: FileAttributes): string | undefined {
  if (state.type === null || state.type === 'link') return undefined;
  const name = (['mode', 'owner', 'group'] as const).find((attribute) => {
    const value = wanted[attribute];
    if (value === undefined) return false;
    // A number says nothing of a name, nor a name of a number.
    if (attribute !== 'mode' && isNumber(value)) return state[attribute === 'owner' ? 'uid' : 'gid'] === undefined;
    return state[attribute] === undefined || (attribute !== 'mode' && isNumber(state[attribute]));
  });
  return name && `an earlier task would make ${state.path}; its ${name} is not known`;
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function isFileType(text: string): text is FileType {
  return text === 'file' || text === 'directory' || text === 'link' || text === 'other';
}

function typeOr(value: unknown): FileType | undefined {
  return typeof value === 'string' && isFileType(value) ? value : undefined;
}

function textOr(value: unknown): string | undefined {
  if (value instanceof Secret) return value.reveal();
  return typeof value === 'string' ? value : undefined;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*[\]^$\\]/g, '\\$&');
}

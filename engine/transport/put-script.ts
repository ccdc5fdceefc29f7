import { quoteWord } from '../base/sh.ts';
import { printfWord } from './framing.ts';
import { digestTemporary, keepDigest } from './host-digest.ts';

/** What a put does on the host; all values are literal, nothing is looked up there but the file that is replaced. */
export interface PutPlan {
  readonly target: string;
  readonly temporary: string;
  readonly sha256: string;
  /** It takes time to read. */
  readonly isLarge: boolean;
  readonly isSecret: boolean;
  readonly mode: string | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly validate: string | undefined;
  readonly backup: string | undefined;
}

/** Exit statuses of the put scripts that mean something; any other failure is explained on standard error. */
export const putStatus = { failed: 70, digest: 71, symlink: 73, started: 74 } as const;

/** Splits a path into its folder and name; a path without a folder, or that begins with a dash, is made explicit. */
function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf('/');
  if (at === -1) return { folder: '.', name: path };
  return { folder: path.slice(0, at) || '/', name: path.slice(at + 1) };
}

/** The temporary file's path: hidden, beside the target, and short enough for every file system (255 bytes). */
export function temporaryPath(target: string, mark: string): string {
  const { folder, name } = splitPath(target);
  const short = Buffer.from(name, 'utf8')
    .subarray(0, 200)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${folder === '/' ? '' : folder}/.${short}.runbook-${mark.slice(0, 12)}`;
}

/** Removes the temporary files of all transfers whose marks begin with `mark`: they were cut off. */
export function removeCutOff(target: string, mark: string): string {
  return `rm -f ${quoteWord(temporaryPath(target, mark))}*`;
}

/** Looks before anything is written: what the path is, and whether its folder is there. Only reads. */
export function prepareScript(plan: PutPlan): string {
  return `${header(plan)}
if [ -L "$target" ]; then readlink -f "$target" || fail "$target is a symbolic link that leads nowhere"; exit ${putStatus.symlink}; fi
[ ! -d "$target" ] || fail "$target is a directory"
[ ! -e "$target" ] || [ -f "$target" ] || fail "$target is not a regular file"
[ -d "$folder" ] || fail "the directory $folder does not exist"`;
}

/**
 * Makes the temporary file, of bytes that are few enough to come with the script, by the shell's own `printf`: no process is
 * started, and nothing is in a command line. Fails where there is a file of that name already. As all effects, this one is
 * begun with the umask 022. The shell does not say why it cannot write; `cat` does.
 */
export function fillScript(bytes: Uint8Array): string {
  return `
trap 'rm -f "$temporary"' EXIT
trap 'exit 143' HUP INT TERM
umask 077; set -C
{ printf ${printfWord(bytes)} 2>/dev/null || { echo | cat; false; }; } >"$temporary"; filled=$?
set +C; umask 022
[ $filled = 0 ] || { [ -e "$temporary" ] || fail "cannot create a file in $folder"; fail "cannot write to $folder"; }`;
}

/** Gives the filled temporary file its owner and mode, checks it, and renames it into place. */
export function finishScript(plan: PutPlan): string {
  return `${header(plan)}
trap 'rm -f "$temporary"' EXIT
trap 'exit 143' HUP INT TERM
${plan.isLarge ? `${beginSync}\n` : ''}${digestCheck(plan)}
${ownership(plan)}
${plan.validate === undefined ? '' : validation(plan.validate)}
sync "$temporary" 2>/dev/null
${plan.backup === undefined ? '' : backupCopy(plan.backup)}
mv -f "$temporary" "$target" || fail "cannot rename the new file to $target"
trap - EXIT${plan.isLarge ? `\n${keepDigest}` : ''}`;
}

/** Removes what a put may have left, after a failure that its own clean-up did not see. */
export function cleanUpScript(plan: PutPlan): string {
  return `rm -f ${quoteWord(plan.temporary)}`;
}

/**
 * Makes the temporary file of bytes that come over a channel of their own; what was cut short, by a lost link too, is removed.
 * Fails where there is a file of that name already. Nothing may make it beforehand: ext4 writes a file that was emptied out
 * to the disk when it is closed (auto_da_alloc in ext4(5)), and whoever closes it waits.
 */
export function streamCommand(plan: PutPlan, size: number): string {
  const temporary = quoteWord(plan.temporary);
  const { folder } = splitPath(plan.target);
  const isWhole = `n=$(wc -c <${temporary}) && { [ "$n" -eq ${size} ] || { echo "$n bytes arrived of ${size}" >&2; false; }; }`;
  const receive = `{ made=1; cat && ${isWhole} || { rm -f ${temporary}; exit ${putStatus.failed}; }; } >${temporary}`;
  const why = `[ -n "$made" ] || { echo ${quoteWord(`cannot create a file in ${folder}`)} >&2; exit ${putStatus.failed}; }`;
  return `exec /bin/sh -c ${quoteWord(`umask 077; set -C; made=; ${receive}; ${why}`)}`;
}

function header(plan: PutPlan): string {
  const { folder } = splitPath(plan.target);
  return `target=${quoteWord(plan.target)} temporary=${quoteWord(plan.temporary)} folder=${quoteWord(folder)}
fail() { printf '%s\\n' "$1" >&2; exit ${putStatus.failed}; }`;
}

/** It goes to the disk while its digest is made. */
const beginSync = 'sync "$temporary" 2>/dev/null &';

function digestCheck({ sha256, isLarge }: PutPlan): string {
  return `${digestTemporary(isLarge)}
[ "$sum" = ${quoteWord(sha256.toLowerCase())} ] || { printf '%s' "$sum"; exit ${putStatus.digest}; }`;
}

/**
 * Owner before mode, since chown clears setuid. A host without stat keeps owner and mode by a copy of the old file,
 * over which the new bytes are written. SELinux: a new file takes its folder's type, so the old one's is carried over.
 */
function ownership(plan: PutPlan): string {
  const owner = plan.owner === undefined ? '$1' : quoteWord(plan.owner);
  const group = plan.group === undefined ? '$2' : quoteWord(plan.group);
  const mode = plan.mode === undefined ? '$3' : quoteWord(plan.mode);
  const isForced = plan.owner !== undefined || plan.group !== undefined;
  const spec = plan.group === undefined ? (plan.owner ?? '') : `${plan.owner ?? ''}:${plan.group}`;
  return `if [ -e "$target" ]; then
  if old=$(stat -c '%u %g %a' "$target" 2>/dev/null); then
    set -- $old
    new=$(stat -c '%u %g' "$temporary")
    ${isForced ? '' : '[ "$new" = "$1 $2" ] || '}chown ${owner}:${group} "$temporary" || fail "cannot give the new file its owner"
    chmod ${mode} "$temporary" || fail "cannot give the new file its mode"
  else
    kept=$temporary~
    cp -p "$target" "$kept" && cat "$temporary" >"$kept" && mv -f "$kept" "$temporary" || { rm -f "$kept"; fail "cannot keep owner and mode of $target"; }
    ${isForced ? `chown ${quoteWord(spec)} "$temporary" || fail "cannot give the new file its owner"` : ':'}
    ${plan.mode === undefined ? ':' : `chmod ${mode} "$temporary" || fail "cannot give the new file its mode"`}
  fi
  [ ! -e /sys/fs/selinux/enforce ] || chcon --reference="$target" "$temporary" 2>/dev/null
else
  ${isForced ? `chown ${quoteWord(spec)} "$temporary" || fail "cannot give the new file its owner"` : ':'}
  chmod ${quoteWord(plan.mode ?? '0644')} "$temporary" || fail "cannot give the new file its mode"
fi`;
}

function validation(script: string): string {
  return `(eval ${quoteWord(script)}) </dev/null >&2 || fail "the new file did not pass its validation (status $?)"`;
}

function backupCopy(backup: string): string {
  const path = quoteWord(backup);
  return `if [ -e "$target" ]; then cp -p "$target" ${path} || { rm -f ${path}; fail "cannot keep a backup of $target"; }; printf 'kept %s' ${path}; fi`;
}

import { type Script, sh } from '../base/sh.ts';

/**
 * From so many bytes on the digest of a file takes longer to make than another program to start: openssl is several times as
 * fast as coreutils, since it uses what the processor has for it. It is also too long to make it twice.
 */
export const largeBytes = 10_000_000;

/**
 * For the script of a put: sets `sum` to the digest of `$temporary`, with whatever the host has. Of a large file it also sets
 * `before`, for {@link keepDigest}.
 */
export function digestTemporary(isLarge: boolean): string {
  const first = isLarge
    ? `before=$(${versionOf.text} <"$temporary"); sum=$(openssl dgst -sha256 -r <"$temporary" 2>/dev/null); [ -z "$sum" ]`
    : ':';
  return `if ! { ${first}; }; then :
elif command -v sha256sum >/dev/null; then sum=$(sha256sum <"$temporary")
elif command -v shasum >/dev/null; then sum=$(shasum -a 256 <"$temporary")
elif command -v openssl >/dev/null; then sum=$(openssl dgst -sha256 -r <"$temporary")
else fail "the host has none of sha256sum, shasum, openssl, so the file cannot be checked"; fi
sum=\${sum%% *}`;
}

/**
 * What tells that a file is still the one that was looked at: device, inode, size, and the times of the last write and of the
 * last change, to nanoseconds. Of an open file, since network file systems may answer for a path from memory. Only GNU stat
 * takes `-`; with another one nothing is known.
 */
const versionOf = sh`stat -c '%d %i %s %.9Y %.9Z' - 2>/dev/null`;

/**
 * For the script of a put, when `$target` is in place: notes the digest beside the effect (`$rb_d` of `effect-script.ts`), for
 * {@link digestFile}. Not when somebody wrote to the file after the digest was begun, a validation perhaps; nor when the
 * clock of the file system has not moved between its last write and its renaming: who writes later is to be known by the time.
 */
export const keepDigest = `set -- $before $(${versionOf.text} <"$target")
if [ $# = 10 ] && [ "$1 $2 $3 $4" = "$6 $7 $8 $9" ] && [ "$4" != "\${10}" ]; then
case $4 in *.000000000) ;; *.?????????) (umask 077; shift 5; printf '%s\\n' "$sum $rb_boot $*" >"$rb_d.sum") 2>/dev/null ;; esac; fi
:`;

/**
 * Gives scripts the folder in which their user's effects are kept, once the shell has made sure of it; until its first effect it
 * is empty. Effects do not have it.
 */
export const effectsVariable = `RUNBOOK_EFFECTS="\${rb_base:+$rb_base/effects}"`;

/**
 * For a probe: sets `h` to the SHA-256 of the file `$p`, which has `$n` bytes and can be read. Of a large file that is what a put
 * has noted since the host was started, until its effect is forgotten or somebody writes to the file. Uses `k`, `m`, `v`, `w`.
 */
export const digestFile: Script = sh`h=
case $n in ????????*)
if [ -n "\${RUNBOOK_EFFECTS:-}" ]; then
k=; { read -r k </proc/sys/kernel/random/boot_id; } 2>/dev/null
v=$(${versionOf} <"$p") && for w in "$RUNBOOK_EFFECTS"/*.sum; do
[ -e "$w" ] && read -r w m <"$w" && [ "$m" = "$k $v" ] && h=$w; done
fi
[ -n "$h" ] || h=$(openssl dgst -sha256 -r <"$p" 2>/dev/null) ;;
esac
[ -n "$h" ] || h=$(sha256sum <"$p")
h=\${h%% *}`;

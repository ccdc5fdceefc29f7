import { type Script, sh } from '../base/sh.ts';

/**
 * What tells that a file is the one that was looked at, and that nobody has written to it since: any write moves its times. In
 * whole seconds it would not tell, as where the file system or busybox knows no more.
 */
const version = sh`stat -c '%d %i %s %y %z'`;

/**
 * For the script of a put, which has verified that `$target` has the SHA-256 `$sum`: keeps that beside the effect, until the
 * effect is forgotten. The digest has taken longer than the clock of a file system ticks, so that a later write has a later time.
 */
export const keepDigest = `v=$(${version.text} "$target" 2>/dev/null) && case $v in *.000000000*) ;; *) printf '%s %s\\n' "$sum" "$v" >"$rb_d.sum" ;; esac 2>/dev/null`;

/** What a script has in its environment for {@link verifiedDigest}: only what the persistent shell has made sure of is believed. */
export const effectsVariable = `RUNBOOK_EFFECTS="\${rb_base:+$rb_base/effects}"`;

/**
 * For a probe: sets `h` to the SHA-256 of the file `$p` where a put of this run has verified a large file there and nobody has
 * written to it since. Reading it a second time would take as long as the first.
 */
export const verifiedDigest: Script = sh`if [ -n "$RUNBOOK_EFFECTS" ]; then for m in "$RUNBOOK_EFFECTS"/*.sum; do
[ -e "$m" ] && read -r s v <"$m" && [ "$v" = "$(${version} "$p" 2>/dev/null)" ] && h=$s; done; fi`;

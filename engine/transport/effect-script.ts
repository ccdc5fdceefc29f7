import { quoteWord } from '../base/sh.ts';
import { endGroupFunction } from './kill-script.ts';
import type { HostLock } from './transport.ts';

/** An effect as its host is told of it. Its id is a plain word. */
export interface EffectPlan {
  readonly id: string;
  /** What the program does first: it says who it is. */
  readonly begin: string;
  /** The effect itself, as commands. */
  readonly body: string;
  /** The boot in which it may have been started already; in another one nobody can tell any more. */
  readonly startedIn: string | undefined;
  /** Begins the last line, which tells how it went. */
  readonly verdictMark: string;
}

/**
 * How the last line that the program of {@link effectProgram} prints begins, after its mark. The state of the lock and
 * what the word is about follow.
 */
export type VerdictWord = 'ended' | 'over' | 'killed' | 'restarted' | 'held' | 'refused';

/** The files beside those of effects, as a pattern of the shell. */
const besideEffects = '*.out | *.err | *.sum';

/** Output of one stream that is kept at most; more of it ends the effect. */
const outputLimitBytes = 16 * 1024 * 1024;

/**
 * Where effects are kept, as positional parameters: folders to try in turn. They must be the user's own; a link, or what
 * belongs to somebody else, is refused. `/run` does not outlive a restart of the host.
 */
const folders = `
rb_why=
rb_own() {
  # Another run may make it at the same moment.
  [ -d "$1" ] || rb_why=$(mkdir -m 700 "$1" 2>&1) || [ -d "$1" ] || return
  if [ -L "$1" ] || [ ! -O "$1" ]; then rb_why="$1 belongs to somebody else"; return 1; fi
}
rb_u=$(id -u)
if [ -n "$RUNBOOK_HOST_FOLDER" ]; then set -- "$RUNBOOK_HOST_FOLDER"
elif [ "$rb_u" = 0 ]; then set -- /run/runbook /tmp/.runbook-0
else set -- "/tmp/.runbook-$rb_u"; fi`;

/**
 * How an effect is kept: in a file named by its id, whose first line says who runs it, and the last one how it ended; what it
 * printed is in two files beside it, `.out` and `.err`, and what a put has digested in `.sum` (`host-digest.ts`).
 */
const stateFunctions = `
# Start time and liveness by /proc: a process number may have been given to another one.
rb_start() {
  rb_z=
  read -r rb_1 <"/proc/$1/stat" || return
  set -- \${rb_1##*) }
  case $1 in Z | X) ;; *) rb_z=\${20} ;; esac
} 2>/dev/null
rb_alive() { if [ -r /proc/self/stat ]; then rb_start "$1"; [ "$rb_z" = "$2" ]; else kill -0 "$1" 2>/dev/null; fi; }
rb_read() {
  rb_p= rb_t= rb_e= rb_x=
  while read -r rb_1 rb_2 rb_3; do
    case $rb_1 in started) rb_p=$rb_2 rb_t=$rb_3 ;; over) rb_x=$rb_2 ;; ended) rb_e=$rb_2 ;; esac
  done <"$1"
} 2>/dev/null
# Waits until an effect has ended, or whoever ran it is gone.
rb_wait() {
  rb_n=0
  while :; do
    rb_read "$1"
    [ -z "$rb_e" ] || return 0
    if [ -n "$rb_p" ]; then rb_alive "$rb_p" "$rb_t" || { rb_read "$1"; return 0; }
    else [ "$rb_n" -lt 50 ] || return 0; fi
    rb_n=$((rb_n + 1))
    if [ "$rb_n" -lt 50 ]; then sleep 0.1 2>/dev/null || sleep 1; else sleep 1; fi
  done
}`;

/**
 * What all programs of effects have in common. To make the effect's file is to start the effect: of two that try, one waits
 * for the other. The space for the files is taken before the script is started.
 */
const effectFunctions = `${stateFunctions}
rb_show() { [ ! -s "$1" ] || if command -v head >/dev/null; then head -c ${outputLimitBytes + 1} <"$1"; else cat <"$1"; fi; }
rb_say() { printf '\\n%s %s %s %s\\n' "$rb_v" "$1" "$rb_lock" "$2"; exit 0; }
rb_tell() {
  rb_show "$1.out"; rb_show "$1.err" >&7
  if [ -n "$rb_x" ]; then rb_say over "$rb_x"; elif [ -n "$rb_e" ]; then rb_say ended "$rb_e"; fi
  rb_say killed
}
# Whether it has printed too much, which is noted.
rb_over() {
  for rb_1 in out err; do
    [ -s "$1.$rb_1" ] || continue
    rb_2=$(wc -c <"$1.$rb_1")
    [ "$rb_2" -gt ${outputLimitBytes} ] && printf 'over std%s\\n' $rb_1 >>"$1" && return
  done
  return 1
}
# ID BOOT FOLDERS: makes the effect's file, $rb_d. Where it was started before, or cannot be, that is told, and the shell ends.
rb_begin() {
  rb_i=$1 rb_in=$2; shift 2
  rb_boot=; read -r rb_boot 2>/dev/null </proc/sys/kernel/random/boot_id
  for rb_c; do [ ! -e "$rb_c/effects/$rb_i" ] || { rb_wait "$rb_c/effects/$rb_i"; rb_tell "$rb_c/effects/$rb_i"; }; done
  [ -z "$rb_in" ] || [ "$rb_boot" = "$rb_in" ] || rb_say restarted
  [ "$rb_lock" != other ] || rb_say held "$rb_holder"
  rb_start $$; rb_t=\${rb_z:--}
  umask 077
  for rb_c; do
    rb_d=$rb_c/effects/$rb_i rb_m=
    # Nobody makes it twice: O_EXCL.
    set -C
    { rb_m=made; printf 'started %s %s\\n' $$ "$rb_t"; } >"$rb_d"; rb_1=$?
    set +C
    if [ -n "$rb_m" ]; then
      [ $rb_1 = 0 ] && printf '' >"$rb_d.out" && printf '' >"$rb_d.err" && return
      rb_why=$(echo started | cat 2>&1 >"$rb_d")
      rm -f "$rb_d" "$rb_d".*
    elif [ -e "$rb_d" ]; then rb_wait "$rb_d"; rb_tell "$rb_d"
    else rb_why=$(mkdir "$rb_d.why" 2>&1) && rmdir "$rb_d.why"; fi
  done
  rb_say refused "$rb_why"
}
# STATUS: how the script ended.
rb_finish() {
  rb_over "$rb_d"
  printf 'ended %d\\n' "$1" >>"$rb_d"
  rb_read "$rb_d"; rb_tell "$rb_d"
}`;

/**
 * What a persistent shell is told before its first effect. From then on its positional parameters are the folders in which
 * effects are kept; the second one counts only where the first cannot be written, or once could not.
 *
 * The lock is held by descriptor 8 of the shell and of effects while they run. Scripts do not get it, since a daemon that
 * one starts would hold it for ever. One that becomes free while it is waited for the holder's name is not taken: the host was
 * asked while another run changed it. In the background somebody looks whether effects print too much, until the shell is gone
 * and they have ended. What runs that died have left is removed after a week.
 */
export const effectPrelude = `rb_lib=${quoteWord(effectFunctions)}
eval "$rb_lib"
${folders}
rb_base= rb_lock= rb_holder=
for rb_c; do
  shift
  { [ -z "$rb_base" ] || [ -d "$rb_c/effects" ]; } || continue
  rb_own "$rb_c" && rb_own "$rb_c/effects" || continue
  [ -w "$rb_c/effects" ] || { rb_why="$rb_c/effects cannot be written"; continue; }
  set -- "$@" "$rb_c"
  [ -n "$rb_base" ] || rb_base=$rb_c
done
rb_start $$; rb_born=$rb_z
{ for rb_c; do
  find "$rb_c/effects" -mindepth 1 -maxdepth 1 -mtime +7 | while read -r rb_d; do
    # What is told of an effect is removed with it; of one that is gone a loss of power may have left it.
    case $rb_d in ${besideEffects}) [ -e "\${rb_d%.*}" ] || rm -f "$rb_d"; continue ;; esac
    rb_read "$rb_d"; kill -0 "$rb_p" || rm -rf "$rb_d".* "$rb_d"
  done
done
while sleep 1; do
  rb_n=
  for rb_c; do for rb_d in "$rb_c/effects/"*; do
    case $rb_d in ${besideEffects}) continue ;; esac
    rb_read "$rb_d"
    [ -n "$rb_p" ] && [ -z "$rb_e" ] && rb_alive "$rb_p" "$rb_t" || continue
    rb_n=some
    [ -n "$rb_x" ] || ! rb_over "$rb_d" || { kill -TERM -"$rb_p"; sleep 2; kill -KILL -"$rb_p"; }
  done; done
  [ -n "$rb_n" ] || { kill -0 $$ && { [ -z "$rb_born" ] || rb_alive $$ "$rb_born"; }; } || exit
done; } </dev/null >/dev/null 9>&- &
rb_take_lock() {
  [ "$rb_lock" != held ] || return
  rb_lock=unavailable rb_holder=
  [ -n "$rb_base" ] && command -v flock >/dev/null && { :; } 8>>"$rb_base/lock" || return
  exec 8>>"$rb_base/lock"
  flock -n 8
  case $? in
    0) printf '%s\\t%s\\t%s\\n' "$1" "$2" $$ >"$rb_base/lock"; rb_lock=held; return ;;
    1) rb_lock=other ;;
  esac
  exec 8>&-
  # Whoever has just taken it may not have written its name yet: on a busy host that takes its time.
  rb_n=0
  while [ $rb_n -lt 20 ]; do
    IFS= read -r rb_holder <"$rb_base/lock"
    case $rb_holder in "$1	"*) break ;; esac
    sleep 0.1 || { sleep 1; rb_n=$((rb_n + 9)); }
    rb_n=$((rb_n + 1))
  done
  case $rb_holder in "$1	"*) rb_lock=shared ;; esac
}
`;

/** Takes the lock in the persistent shell, unless it has it. */
export function takeLock({ runId, holder }: HostLock): string {
  return `rb_take_lock ${quoteWord(runId)} ${quoteWord(holder.replace(/\s+/g, ' '))}; `;
}

/** Ends the script with a status when an effect of this id was started. */
export function exitIfStarted(id: string, status: number): string {
  return `(${folders}\nfor rb_c; do [ ! -e "$rb_c/effects/${id}" ] || exit 1; done) || exit ${status}`;
}

/** Removes what is kept of effects, and of their parts, whose ids have a dot more; in a shell that was told {@link effectPrelude}. */
export function forgetEffects(ids: readonly string[]): string {
  // The effect's own file last: without it nobody would look for the others.
  const paths = ids.map((id) => `"$rb_c/effects/${id}".* "$rb_c/effects/${id}"`).join(' ');
  return `for rb_c; do [ ! -d "$rb_c/effects" ] || rm -f ${paths}; done 9>&- 8>&-; `;
}

/** The same for a shell of its own. */
export function forgetScript(ids: readonly string[]): string {
  return `${folders}\n${forgetEffects(ids)}`;
}

/**
 * The program that runs an effect, for a new shell that leads its own session and was given {@link effectFunctions}, the
 * persistent shell's `$rb_lib`. Its parameters: the state of the lock, who holds it, why there is no folder, and the folders.
 * It is one group of commands, so that nothing of it is run before all of it has arrived.
 */
export function effectProgram({ id, begin, body, startedIn = '', verdictMark }: EffectPlan): string {
  return `{ ${begin}exec 7>&2 2>/dev/null
rb_lock=$1 rb_holder=$2 rb_why=$3 rb_v=${verdictMark}; shift 3
rb_begin ${id} ${quoteWord(startedIn)} "$@" || exit
# A signal to the group ends the script. This shell stays to tell with which status.
trap : HUP INT TERM
( umask 022; set --; unset rb_v; ${body} ) >"$rb_d.out" 2>"$rb_d.err" 7>&- 8>&-
rb_finish $?
}
`;
}

/** Waits until effects whose ids begin with `prefix` have ended, and prints for each `ID ended|killed`. */
export function settleScript(prefix: string): string {
  return `${folders}
${stateFunctions}
for rb_c; do
  for rb_d in "$rb_c/effects/"${quoteWord(prefix)}*; do
    case $rb_d in ${besideEffects}) continue ;; esac
    [ -e "$rb_d" ] || continue
    rb_wait "$rb_d"
    if [ -n "$rb_e" ]; then rb_1=ended; else rb_1=killed; fi
    printf '%s %s\\n' "\${rb_d##*/}" "$rb_1"
  done
done`;
}

/** Ends the process group of an effect, and that of the shell that waits for it. Status 0 when nobody of them is left. */
export function killEffectScript(id: string, group: number): string {
  return `${folders}
${endGroupFunction}
rb_p=
for rb_c; do [ -n "$rb_p" ] || read -r rb_1 rb_p rb_2 2>/dev/null <"$rb_c/effects/${id}"; done
rb_end ${group}
rb_r=$?
if [ -n "$rb_p" ] && [ "$rb_p" != ${group} ]; then rb_end "$rb_p"; else exit $rb_r; fi`;
}

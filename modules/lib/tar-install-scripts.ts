import { type Script, sh } from '../../engine/index.ts';

/** Where an archive goes and how. */
export interface Installation {
  /** Names the manifest and the staging folder. */
  readonly name: string;
  /** The folder, empty for the root folder, so that `${dest}/x` is always a path. */
  readonly dest: string;
  /** Where the archive is, on the host. */
  readonly archive: string;
  readonly sha256: string;
  /** A digest of the arguments that decide what is installed. */
  readonly options: string;
  /** What people call the archive: its file's name. */
  readonly label: string;
  readonly strip: number;
  readonly include: readonly string[];
  readonly mode: string | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly version: { readonly command: string; readonly expect: string } | undefined;
  readonly stateDir: string | undefined;
}

/** Exit statuses of the scripts, besides 0: a problem told on stderr, and a digest that differs, told on stdout. */
export const exitStatus = { problem: 3, digest: 9 } as const;

/** Beside the destination: on the same file system, so that a rename puts a file in place. */
export function stagingFolder({ dest, name }: Pick<Installation, 'dest' | 'name'>): string {
  return `${dest}/.runbook-${name}`;
}

/** Sets `$m` to the manifest's path. */
function manifestScript({ name, stateDir }: Installation): Script {
  const folder =
    stateDir !== undefined
      ? sh`state=${stateDir}`
      : sh`if [ "$(id -u)" = 0 ]; then state=/var/lib/runbook/tar-install
else state=\${XDG_STATE_HOME:-$HOME/.local/state}/runbook/tar-install; fi`;
  return sh`${folder}
m=$state/${name}`;
}

/**
 * Asks what is installed. The manifest lists every file with its digest, and with inode, size and time of change: where
 * those are as they were left, the bytes are too, and nothing has to be read.
 */
export function questionScript(installation: Installation): Script {
  const { dest, sha256, options } = installation;
  return sh`export TZ=UTC0
${manifestScript(installation)}
tab=$(printf '\\t')
is=
if [ -f "$m" ]; then
sed -n '/^\\(archive\\|options\\|label\\|version\\|count\\) /p' "$m"
if grep -qx ${`archive ${sha256}`} "$m" && grep -qx ${`options ${options}`} "$m"; then is=1; fi
now=$(sed -n 's/^stat [^|]*|//p' "$m" | tr '\\n' '\\0' | xargs -0 stat -c 'stat %i %s %z|%n' 2>/dev/null)
if [ "$now" = "$(sed -n '/^stat /p' "$m")" ]; then echo intact
else
sed -n 's/^file \\([^ ]*\\) [^ ]* [^ ]* \\(.*\\)$/\\1  \\2/p' "$m" | sha256sum -c 2>/dev/null | sed -n 's/: FAILED.*$//p' | while IFS= read -r p; do
if [ -e "$p" ]; then printf 'differs=%s\\n' "$p"; else printf 'missing=%s\\n' "$p"; fi
done
sed -n 's/^file [^ ]* [^ ]* [^ ]* //p' "$m" | tr '\\n' '\\0' | xargs -0 stat -c 'now=%a %U:%G %n' 2>/dev/null
sed -n 's/^link //p' "$m" | while IFS="$tab" read -r p t; do
if [ ! -L "$p" ]; then printf 'missing=%s\\n' "$p"; elif [ "$(readlink "$p")" != "$t" ]; then printf 'differs=%s\\n' "$p"; fi
done
fi
if [ -z "$is" ] || ! [ "$now" = "$(sed -n '/^stat /p' "$m")" ]; then sed -n '/^\\(file\\|link\\) /p' "$m"; fi
fi
d=${dest}
while [ -n "$d" ] && [ ! -d "$d" ]; do printf 'nofolder=%s\\n' "$d"; d=\${d%/*}; done
exit 0`;
}

/** Makes the staging folder anew: one that a broken run left is removed. It remembers which folders were made for it. */
export function prepareScript(installation: Installation): Script {
  const stage = stagingFolder(installation);
  return sh`umask 022
${removeScript(installation)}
made= d=${installation.dest}
while [ -n "$d" ] && [ ! -e "$d" ]; do made="$made$d
"; d=\${d%/*}; done
mkdir -p ${`${installation.dest}/`} && mkdir -m 0700 ${stage} && printf %s "$made" >${`${stage}/made`}`;
}

/** Fetches the archive on the host. */
export function fetchScript(installation: Installation, url: string): Script {
  return sh`if command -v curl >/dev/null; then curl -fsSL --retry 3 --connect-timeout 30 -o ${installation.archive} ${url}
elif command -v wget >/dev/null; then wget -q -O ${installation.archive} ${url}
else echo 'there is neither curl nor wget on this host; use via: controller' >&2; exit ${exitStatus.problem}; fi`;
}

/** Removes the staging folder, whatever modes the archive's folders have, and the folders made for it if nothing is in them. */
export function removeScript(installation: Installation): Script {
  return sh`s=${stagingFolder(installation)}
made=$(cat "$s/made" 2>/dev/null)
chmod -R u+rwX "$s" 2>/dev/null
rm -rf "$s"
printf '%s\\n' "$made" | while IFS= read -r d; do [ -z "$d" ] || rmdir "$d" 2>/dev/null || :; done`;
}

/**
 * Reads `tar -tv` (GNU and busybox: mode, owner, size, date, time, name) and prints what is wrong with a member that
 * would leave the folder. `modules/lib/archive-members.ts` says the same of archives that the controller has.
 */
const inspection = String.raw`
function complain(text) { print text; exit }
{
  type = substr($0, 1, 1)
  if (type !~ /[-dlhC]/) complain("a member is neither a file, a folder nor a link: " $0)
  name = $0
  for (i = 0; i < 5; i++) sub(/^[^ ]+ +/, "", name)
  target = ""
  if (type == "h" && (at = index(name, " link to "))) { target = substr(name, at + 9); name = substr(name, 1, at - 1) }
  else if (at = index(name, " -> ")) { target = substr(name, at + 4); name = substr(name, 1, at - 1) }
  if (name ~ /\\/ || target ~ /\\/) complain("the name of " name " has control characters or a backslash")
  if (name ~ /^\//) complain(name " has an absolute path")
  if (("/" name "/") ~ /\/\.\.\//) complain(name " leaves the folder")
  if (target == "") next
  if (type != "l") {
    if (target ~ /^\// || ("/" target "/") ~ /\/\.\.\//) complain("the hard link " name " leads to " target ", out of the folder")
    next
  }
  if (target ~ /^\//) complain("the link " name " leads to " target ", out of the folder")
  count = split(name, parts, "/")
  depth = -strip - 1
  for (i = 1; i <= count; i++) if (parts[i] != "" && (parts[i] != "." || i <= strip)) depth++
  if (depth < 0) next
  count = split(target, parts, "/")
  for (i = 1; i <= count; i++) {
    if (parts[i] == "" || parts[i] == ".") continue
    depth += parts[i] == ".." ? -1 : 1
    if (depth < 0) complain("the link " name " leads to " target ", out of the folder")
  }
}`;

/**
 * Checks, unpacks beside, verifies, and only then puts each file in place by a rename: a running program keeps its old
 * file. Whatever happens, the staging folder is gone afterwards.
 */
export function installScript(installation: Installation): Script {
  const { dest, archive, sha256, strip, include, mode, owner, group, version } = installation;
  const ownership = `${owner ?? ''}${group === undefined ? '' : `:${group}`}`;
  return sh`umask 022
export TZ=UTC0
dest=${dest} stage=${stagingFolder(installation)} archive=${archive}
mode=${mode ?? ''} owner=${ownership}
${manifestScript(installation)}
tab=$(printf '\\t')
say() { printf '%s\\n' "$*" >&2; exit ${exitStatus.problem}; }
clean() {
cd /
${removeScript(installation)}
}
trap clean EXIT
trap 'exit 143' HUP INT TERM
sum=$(sha256sum <"$archive") || say "the archive cannot be read"
sum=\${sum%% *}
[ "$sum" = ${sha256} ] || { printf '%s\\n' "$sum"; exit ${exitStatus.digest}; }
${unpackScript(strip)}
${selectScript(include)}
${attributesScript}
${version === undefined ? sh`said=` : versionScript(version)}
${manifestBody(installation)}
${placeScript}
${forgetScript}
{ cat "$stage/head"; sed 's/^/dir /' "$stage/dirs"; cat "$stage/entries"
sed -n 's/^file [^ ]* [^ ]* [^ ]* //p; s/^link \\(.*\\)'"$tab"'.*$/\\1/p' "$stage/entries" | tr '\\n' '\\0' | xargs -0 stat -c 'stat %i %s %z|%n'
} >"$m.new" && mv -f "$m.new" "$m" || say "the manifest $m cannot be written"`;
}

function unpackScript(strip: number): Script {
  const option = strip > 0 ? [`--strip-components=${strip}`] : [];
  // Not every busybox looks for itself how an archive is compressed.
  return sh`case $(head -c 6 "$archive" | od -An -tx1 | tr -d ' ') in
1f8b*) z=-z ;; fd377a585a00) z=-J ;; 425a68*) z=-j ;; 28b52ffd*) z=--zstd ;; *) z= ;;
esac
tar $z -tvf "$archive" >"$stage/list" 2>"$stage/errors" || say "tar cannot read the archive: $(tail -n 3 "$stage/errors")"
bad=$(awk -v strip=${strip} ${inspection} "$stage/list") || say "the archive's list cannot be checked"
[ -z "$bad" ] || say "the archive is refused: $bad"
mkdir "$stage/tree" && cd "$stage/tree" || exit
tar $z -xpof "$archive" ${option} 2>"$stage/errors" || say "tar cannot unpack the archive: $(tail -n 3 "$stage/errors")"
root=$(pwd -P)
find . -type l | while IFS= read -r l; do
r=$(readlink -f "$l") || r=
case $r in '' | "$root" | "$root"/*) ;; *) printf '%s leads to %s, out of the folder\\n' "$l" "$(readlink "$l")" ;; esac
done >"$stage/links"
[ ! -s "$stage/links" ] || say "the archive is refused: the link $(head -n 1 "$stage/links")"`;
}

function selectScript(include: readonly string[]): Script {
  const all = sh`find . -type f -o -type l | sed 's|^\\./||' | sort >"$stage/all"
[ -s "$stage/all" ] || say "the archive holds no files below the stripped folders"`;
  if (include.length === 0)
    return sh`${all}
cp "$stage/all" "$stage/files"`;
  return sh`${all}
for p in ${include.map((pattern) => pattern.replace(/\/+$/, ''))}; do
found=
while IFS= read -r f; do
case $f in $p | $p/*) printf '%s\\n' "$f"; found=1 ;; esac
done <"$stage/all" >>"$stage/some"
[ -n "$found" ] || say "nothing in the archive matches the include \\"$p\\"; it holds $(head -n 20 "$stage/all" | tr '\\n' ' ')"
done
sort -u "$stage/some" >"$stage/files"`;
}

const attributesScript = sh`if [ -n "$mode$owner" ]; then while IFS= read -r f; do
[ -z "$owner" ] || chown -h "$owner" "$f" || say "owner and group cannot be set to $owner"
[ -z "$mode" ] || [ -L "$f" ] || chmod "$mode" "$f" || say "the mode cannot be set to $mode"
done <"$stage/files"; fi`;

/** The staged program has to run on this host: a wrong libc shows now, before anything is replaced. */
function versionScript({ command, expect }: { command: string; expect: string }): Script {
  return sh`command=${command} expect=${expect}
case $command in "$dest"/*) command=./\${command#"$dest"/} ;; esac
path=$root:$root/bin:$root/sbin:$root/usr/local/bin:$root/usr/local/sbin:$root/usr/bin:$root/usr/sbin
word=\${command%% *}
case $word in */*) ;; *)
case $(PATH=$path:$PATH; command -v "$word") in "$root"/*) ;; *) say "the archive holds no $word, which has to tell its version" ;; esac ;;
esac
said=$(PATH=$path:$PATH; exec sh -c "$command" 2>&1 </dev/null)
rc=$?
[ "$rc" -eq 0 ] || say "the new program does not run on this host: \\"$command\\": exit status $rc: $said"
case $said in *"$expect"*) ;; *) say "the new program is another version: \\"$command\\" says \\"$said\\", in which \\"$expect\\" does not occur" ;; esac`;
}

function manifestBody({ sha256, options, label }: Installation): Script {
  return sh`mkdir -p "$state" || say "the manifest's folder $state cannot be made"
while IFS= read -r f; do
if [ -L "$f" ]; then printf 'link %s\\t%s\\n' "$dest/$f" "$(readlink "$f")"
else h=$(sha256sum <"$f"); printf 'file %s %s %s\\n' "\${h%% *}" "$(stat -c '%a %U:%G' "$f")" "$dest/$f"; fi
done <"$stage/files" >"$stage/entries"
printf '%s\\n' 'runbook tar-install 1' ${`archive ${sha256}`} ${`options ${options}`} ${`label ${label}`} "version $(printf '%s\\n' "$said" | head -n 1)" "count $(wc -l <"$stage/files")" >"$stage/head"`;
}

const placeScript = sh`while IFS= read -r f; do
[ ! -d "$dest/$f" ] || [ -L "$dest/$f" ] || say "$dest/$f is a folder on this host, and a file in the archive"
done <"$stage/files"
: >"$stage/dirs"
make() {
[ ! -d "$dest/$1" ] || return 0
case $1 in */*) make "\${1%/*}" ;; esac
mkdir -m "$(stat -c %a "$1")" "$dest/$1" || say "the folder $dest/$1 cannot be made"
[ -z "$owner" ] || chown "$owner" "$dest/$1"
printf '%s\\n' "$dest/$1" >>"$stage/dirs"
}
sed -n 's|/[^/]*$||p' "$stage/files" | sort -u >"$stage/parents"
while IFS= read -r d; do make "$d"; done <"$stage/parents"
tr '\\n' '\\0' <"$stage/files" | xargs -0 sync 2>/dev/null || sync
here=$(stat -c %d .)
while IFS= read -r f; do
t=$dest/$f
# mv would move into a folder that a link leads to.
if [ -L "$t" ] && [ -d "$t" ]; then rm -f "$t"; fi
if [ "$(stat -c %d "\${t%/*}/")" = "$here" ]; then mv -f "$f" "$t"
else cp -pP "$f" "$t.runbook-new" && mv -f "$t.runbook-new" "$t"; fi || { rm -f "$t.runbook-new"; say "$t cannot be replaced"; }
done <"$stage/files"
# A renamed file keeps the label of the folder in which it was made.
if [ -d /sys/fs/selinux ] && command -v restorecon >/dev/null; then
while IFS= read -r f; do restorecon -F "$dest/$f"; done <"$stage/files"; fi`;

/** What the version before installed and this one does not have; then its folders, where they are empty. */
const forgetScript = sh`if [ -f "$m" ]; then
paths='s/^file [^ ]* [^ ]* [^ ]* //p; s/^link \\(.*\\)'"$tab"'.*$/\\1/p'
sed -n "$paths" "$stage/entries" >"$stage/new"
sed -n "$paths" "$m" | grep -vxF -f "$stage/new" | while IFS= read -r p; do rm -f "$p"; done
sed -n 's/^dir //p' "$m" | sort -r | while IFS= read -r d; do
rmdir "$d" 2>/dev/null || [ ! -d "$d" ] || printf '%s\\n' "$d"
done >>"$stage/dirs"
fi`;

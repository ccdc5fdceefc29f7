import { type Probe, probe, sh } from '../../engine/index.ts';

/** The files that apt and dpkg lock. */
const lockFiles = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
];

/**
 * Asks who holds a lock of apt or dpkg: `unattended-upgr (process 812) holds /var/lib/dpkg/lock-frontend`. They are POSIX
 * locks, which flock(1) does not see and proc_locks(5) lists by inode.
 */
export function lockHolders(): Probe<readonly string[]> {
  return probe(
    sh`for f in ${lockFiles}; do
i=$(stat -c %i "$f" 2>/dev/null) || continue
sed -n "s/^[0-9]*: *[A-Z]* *[A-Z]* *WRITE *\\([-0-9]*\\) [^ ]*:$i .*/\\1/p" /proc/locks 2>/dev/null | while read -r p; do
printf 'holder=%s (process %s) holds %s\\n' "$(cat "/proc/$p/comm" 2>/dev/null || echo 'a program')" "$p" "$f"
done; done
exit 0`,
    ({ stdout }) => [...stdout.matchAll(/^holder=(.*)$/gm)].map((match) => match[1] ?? ''),
  );
}

import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabNode } from '../../test/lab/node/nodes.ts';
import { run } from '../../test/lab/run.ts';
import { ssh, sshArguments } from '../../test/lab/ssh.ts';

/** What Ansible's modules need of a host, whichever Python 3 it is. Lab nodes have none of it: runbook can do without. */
const packages = [
  ...['python3-minimal', 'python3.*-minimal', 'libpython3.*-minimal', 'libpython3.*-stdlib', 'python3-apt'],
  ...['libexpat1', 'libsqlite3-0', 'libreadline8', 'libncursesw6', 'libdb5.3', 'libnsl2', 'libtirpc3', 'media-types'],
];

/** Copies the controller's Python to nodes that have none and no way to a mirror. It has to be of their Debian release. */
export async function givePython(nodes: readonly LabNode[]): Promise<void> {
  const without: LabNode[] = [];
  for (const node of nodes) if ((await ssh(node, 'test -x /usr/bin/python3')).code !== 0) without.push(node);
  if (without.length === 0) return;
  const archive = join(tmpdir(), `runbook-bench-python-${process.pid}.tar`);
  const installed = `dpkg-query -W -f '\${Package}\\n' "$@" | xargs dpkg -L 2>/dev/null | sort -u`;
  const files = `${installed} | while read -r path; do [ -d "$path" ] || echo "$path"; done`;
  await run('sh', ['-c', `archive=$1; shift; ${files} | tar -cf "$archive" -T -`, 'sh', archive, ...packages]);
  try {
    const unpack = 'tar -x -C / --skip-old-files --keep-directory-symlink && python3 -c "import apt, json, ssl"';
    for (const node of without) {
      await run('sh', [
        '-c',
        'archive=$1; shift; "$@" <"$archive"',
        'sh',
        archive,
        'ssh',
        ...sshArguments(node),
        unpack,
      ]);
    }
  } finally {
    await rm(archive, { force: true });
  }
}

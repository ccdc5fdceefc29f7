import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sshOptions, type Target } from '../targets/targets.ts';
import type { Job, Peer, ReadyJob } from './peer.ts';

/** A script written by hand, sent to each host through OpenSSH, as many hosts at a time. */
export const ssh: Peer = {
  name: 'ssh',
  packages: ['openssh-client'],
  async prepare(job) {
    const command = await writeRunner(job, await sshOptions(job.targets, job.folder));
    return { ...command, before: async () => {}, after: async () => {} };
  },
};

/**
 * The same through connections that are there already when the run begins: what is left is the work on the hosts. Nothing
 * that has to log in can be faster.
 */
export const sshWithControlMaster: Peer = {
  name: 'ssh with ControlMaster',
  packages: ['openssh-client'],
  async prepare(job) {
    const options = await sshOptions(job.targets, job.folder);
    const socket = ['-o', `ControlPath=${join(job.folder, 's-%h')}`];
    const command = await writeRunner(job, [...options, ...socket], '-o ControlPath=SOCKET ');
    const master = async ({ address, port }: Target, ...flags: string[]): Promise<void> => {
      await promisify(execFile)('ssh', [...options, ...socket, ...flags, '-p', String(port), `root@${address}`]);
    };
    const connected: Target[] = [];
    return {
      ...command,
      async before() {
        for (const host of job.targets.hosts.slice(connected.length)) {
          await master(host, '-M', '-N', '-f', '-o', 'ControlPersist=yes');
          connected.push(host);
        }
      },
      async after() {
        await Promise.all(connected.splice(0).map((host) => master(host, '-O', 'exit')));
      },
    };
  },
};

async function writeRunner(
  job: Job,
  options: readonly string[],
  shownOptions = '',
): Promise<Pick<ReadyJob, 'command' | 'shown'>> {
  const { folder, play, targets, forks } = job;
  const hosts = targets.hosts.map(({ name, address, port, root }) => `${name} ${address} ${port} ${root}\n`);
  await writeFile(join(folder, 'hosts'), hosts.join(''));
  const connect = `ssh -o BatchMode=yes ${options.join(' ')} -p "$3" root@"$2"`;
  const { input, command } = play.shell ?? { input: 'script.sh', command: 'sh -s -- "$1" "$4"' };
  await writeFile(join(folder, 'on-host.sh'), `exec ${connect} ${command} <${play.name}/${input} >/dev/null\n`);
  const args = ['-a', 'hosts', '-L', '1', '-P', String(forks), 'sh', 'on-host.sh'];
  return {
    command: { file: 'xargs', args, cwd: folder },
    shown: `xargs ${args.join(' ')}   # ssh ${shownOptions}HOST ${command} <${input}`,
  };
}

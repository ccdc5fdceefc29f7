import type { ClientChannel } from 'ssh2';
import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { HostProcess, ProcessEnd } from './process.ts';
import type { SshClient } from './ssh-client.ts';
import { joinPackets } from './ssh-shortcuts.ts';

/** Starts a process over a channel of its own. sshd frees a slot late, so a refusal is asked again for two seconds. */
export async function openChannel(
  ssh: SshClient,
  command: string,
  description: string,
  clock: Clock,
): Promise<HostProcess> {
  for (let pauseMs = 20; ; pauseMs *= 2) {
    const opened = await exec(ssh, command, description);
    if (!(opened instanceof Error)) return opened;
    if (pauseMs > 1000) {
      throw new RunbookError('unreachable', `${description} refuses another session: ${opened.message}`, {
        hint: 'raise MaxSessions in the sshd_config of the host',
      });
    }
    await clock.sleep(pauseMs);
  }
}

/** How long a host may take to answer the request for a channel. */
const openTimeoutMs = 20_000;

/** The process, or the error of a refusal; throws when the link is gone. */
function exec(ssh: SshClient, command: string, description: string): Promise<HostProcess | Error> {
  return new Promise((resolve, reject) => {
    const lost = (reason: string): void =>
      reject(new RunbookError('unreachable', `lost the connection to ${description}: ${reason}`));
    const timer = setTimeout(
      () => lost(`no answer to the request for a session within ${openTimeoutMs / 1000} s`),
      openTimeoutMs,
    );
    try {
      ssh.client.exec(command, (error, channel) => {
        clearTimeout(timer);
        // At once: the exit of a short command is in the same packet, and is told to nobody else.
        if (!error && channel) return resolve(channelProcess(ssh, channel));
        // `reason` is there when the server said no; without it nobody answered.
        if (error && 'reason' in error && error.reason !== undefined) return resolve(error);
        lost(ssh.lostReason());
      });
    } catch {
      clearTimeout(timer);
      lost(ssh.lostReason());
    }
  });
}

function channelProcess(ssh: SshClient, channel: ClientChannel): HostProcess {
  joinPackets(ssh.client, channel);
  const ended = new Promise<ProcessEnd>((resolve) => {
    let exit: ProcessEnd | undefined;
    const settle = (): void => {
      ssh.client.off('close', onLost);
      resolve(exit ?? { kind: 'lost', reason: ssh.lostReason() });
    };
    // After what is queued for the channel, so that an exit that was seen counts.
    const onLost = (): void => void setImmediate(settle);
    channel.on('exit', (code: number | null, signal?: string) => {
      exit = code === null ? { kind: 'signalled', signal: signal ?? 'a signal' } : { kind: 'exited', code };
      // A daemon that holds the output keeps `close` away.
      setTimeout(settle, holdMs).unref();
    });
    channel.on('close', settle);
    ssh.client.once('close', onLost);
  });
  return { stdin: channel, stdout: channel, stderr: channel.stderr, ended, destroy: () => channel.close() };
}

/** How long output that follows the exit is waited for. */
const holdMs = 500;

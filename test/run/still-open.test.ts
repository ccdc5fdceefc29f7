import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { applyLine, createRunState, generationOf, hostStateOf } from '../../engine/run/journal/fold.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { createCuttingProxy } from '../support/cutting-proxy.ts';
import { runForReal, startFakeServer } from '../support/fake-ssh-server.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** An effect that is under way when the user interrupts the run, and goes on for a second. */
const playbook = `
- hosts: web
  gather_facts: false
  tasks: [{ name: work, shell: { cmd: "printf b >>DIR/done; sleep 1; printf e >>DIR/done" } }]
`;

/** Plays it against a host; `onEvent` may cut the link. */
async function playOn(
  folder: string,
  onEvent: (event: StampedEvent, cut: () => void) => void,
  options: Partial<RunRequest>,
): Promise<PlayRun> {
  await using server = await startFakeServer({
    onExec: (channel, command) => {
      const env = { ...process.env, RUNBOOK_HOST_FOLDER: join(folder, 'kept') };
      const onHost = ((file: string, args: string[], more: object) =>
        spawn(file, args, { ...more, env })) as typeof spawn;
      runForReal(channel, command, onHost);
    },
  });
  await using proxy = await createCuttingProxy('127.0.0.1', server.port);
  const inventory = `[web]\nnode-1 ansible_host=127.0.0.1 ansible_port=${proxy.port} ansible_user=${server.user} ansible_ssh_private_key_file=${server.keyFile}\n`;
  return await play(
    folder,
    { 'play.yaml': playbook.replaceAll('DIR', folder), 'hosts.ini': inventory },
    {
      hostKeyChecking: 'off',
      journalDirectory: join(folder, '.runbook'),
      ...options,
      onEvent: (event) => onEvent(event, () => proxy.cut('before')),
    },
  );
}

describe('an effect that goes on while its run is interrupted and its host is away', () => {
  it('is not begun again by whoever resumes the run: its end is taken', () =>
    withTemporaryFolder(async (folder) => {
      const first = new AbortController();
      const second = new AbortController();
      const press = (): void => {
        first.abort(new Error('interrupted by SIGINT'));
        second.abort(new Error('interrupted by SIGINT'));
      };
      const onEvent = (event: StampedEvent, cut: () => void): void => {
        if (event.type === 'step-started') setTimeout(cut, 300);
        if (event.type === 'host-task-progress' && /connection to come back/.test(event.text)) setTimeout(press, 0);
      };
      const run = await playOn(folder, onEvent, { signal: first.signal, abort: second.signal });
      expect(run.exitCode).to.equal(130);
      const runId = run.events.flatMap((event) => (event.type === 'run-started' ? [event.runId] : []))[0] ?? '';
      const again = await playOn(folder, () => undefined, { resume: { runId, isChanged: true } });
      expect(again.ends).to.deep.equal(['node-1: work: changed']);
      expect(readFileSync(join(folder, 'done'), 'utf8')).to.equal('be');
    }));

  it('is the same effect still when its task failed, other than one that is over', () => {
    const generationAfter = (isOpen: boolean): number => {
      const state = createRunState();
      const failure = { code: 'timeout', message: 'did not end', ...(isOpen && { isOpen }) };
      const end = { result: { outcome: 'failed' as const, changes: [], failure } };
      applyLine(state, { t: 'effect', host: 'h1', key: 'k', item: '', changes: [] });
      applyLine(state, { t: 'task', host: 'h1', key: 'k', end });
      applyLine(state, { t: 'cut', host: 'h1', keep: 0, isBlock: false });
      return generationOf(hostStateOf(state, 'h1'), 'k');
    };
    expect(generationAfter(true)).to.equal(0);
    expect(generationAfter(false)).to.equal(1);
  });
});

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { assert } from 'chai';
import pLimit from 'p-limit';
import { type Clock, systemClock } from '../../engine/base/clock.ts';
import { type CutMode, createChunkProxy } from '../support/chunk-proxy.ts';
import { runForReal, startFakeServer } from '../support/fake-ssh-server.ts';
import { type PlayRun, play } from '../support/play.ts';

/** Five tasks, each of which writes a letter into a file of its own whenever it is run. */
const playbook = `
- hosts: web
  gather_facts: false
  tasks:
    - name: one
      shell: { cmd: "printf x >>DIR/one" }
    - name: two
      copy:
        dest: DIR/small
        content: new
        backup: true
        validate: sh DIR/validate DIR/two %s
    - name: three
      copy: { src: DIR/large-source, dest: DIR/large, validate: "sh DIR/validate DIR/three %s" }
    - name: four
      shell: { cmd: "cat >>DIR/four; sleep 0.05", stdin: x }
      notify: five
  handlers:
    - name: five
      shell: { cmd: "printf x >>DIR/five; exit 3", ok_codes: [0, 3] }
`;

const counted = ['one', 'two', 'three', 'four', 'five'];
const large = randomBytes(150_000);

/** Time that goes faster, so that nobody waits for the pauses between two tries to connect. */
const fastClock = (factor: number): Clock => {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
};

interface Cut {
  readonly run: PlayRun;
  readonly passed: number;
  readonly cuts: number;
  /** How often each task was run on the host. */
  readonly counts: Readonly<Record<string, number>>;
  readonly left: readonly string[];
}

/** Plays it against a host whose link is cut once, at one piece of data, counted from the first command. */
async function playCut(at: number, mode: CutMode): Promise<Cut> {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-cut-'));
  try {
    let start = (): void => {};
    await using server = await startFakeServer({
      onExec: (channel, command) => {
        start();
        const environment = { ...process.env, RUNBOOK_HOST_FOLDER: join(folder, 'kept') };
        const onHost = ((file: string, args: string[], options: object) => {
          const child = spawn(file, args, { ...options, env: environment });
          // As sshd does, whose end of the pipe is closed with the session.
          channel.on('close', () => child.stdin.end());
          return child;
        }) as typeof spawn;
        runForReal(channel, command, onHost);
      },
    });
    await using proxy = await createChunkProxy(server.port);
    start = () => proxy.start(at, mode);
    writeFileSync(join(folder, 'validate'), 'printf x >>"$1"; test -s "$2"\n');
    writeFileSync(join(folder, 'large-source'), large);
    writeFileSync(join(folder, 'small'), 'old');
    const inventory = `[web]\nnode-1 ansible_host=127.0.0.1 ansible_port=${proxy.port} ansible_user=${server.user} ansible_ssh_private_key_file=${server.keyFile}\n`;
    const run = await play(
      folder,
      { 'play.yaml': playbook.replaceAll('DIR', folder), 'hosts.ini': inventory },
      { hostKeyChecking: 'off', clock: fastClock(10) },
    );
    const size = (name: string): number =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name)).length : 0;
    const isWhole =
      readFileSync(join(folder, 'small'), 'utf8') === 'new' && readFileSync(join(folder, 'large')).equals(large);
    assert.isTrue(isWhole, 'the files that were put are whole');
    const kept = join(folder, 'kept', 'effects');
    return {
      run,
      passed: proxy.passed,
      cuts: proxy.cuts,
      counts: Object.fromEntries(counted.map((name) => [name, size(name)])),
      left: [
        ...readdirSync(folder).filter((name) => name.startsWith('.') || name.startsWith('small.')),
        ...(existsSync(kept) ? readdirSync(kept) : []),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a link that is cut at any point of a run', () => {
  it('loses no effect and repeats none', async function () {
    this.timeout(900_000);
    const whole = await playCut(0, 'before');
    assert.equal(whole.run.exitCode, 0, JSON.stringify(whole.run.summary));
    const once = Object.fromEntries(counted.map((name) => [name, 1]));
    const pieces = whole.passed;
    const points = Array.from({ length: pieces }, (_, i) => i + 1).flatMap((at) =>
      (['before', 'half', 'after'] as const).map((mode) => ({ at, mode })),
    );
    assert.deepEqual(whole.counts, once);
    assert.isTrue(whole.left.length === 1 && whole.left[0]?.startsWith('small.'), `left ${whole.left}`);
    // Spread evenly: a whole run for each takes its time.
    const chosen = Array.from({ length: 126 }, (_, i) => points[Math.floor((i * points.length) / 126)]).filter(
      (point) => point !== undefined,
    );
    const limit = pLimit(3);
    let cuts = 0;
    const problems: string[] = [];
    const tryPoint = async ({ at, mode }: (typeof points)[number]): Promise<void> => {
      const cut = await playCut(at, mode).catch((error: Error) => error);
      const where = `cut ${mode} piece ${at} of ${pieces}`;
      if (cut instanceof Error) return void problems.push(`${where}: ${cut.message}`);
      cuts += Math.min(1, cut.cuts);
      const told = cut.run.ends.join('; ');
      if (cut.run.exitCode !== 0)
        problems.push(`${where}: exit code ${cut.run.exitCode}: ${JSON.stringify(cut.run.summary)}`);
      if (JSON.stringify(cut.counts) !== JSON.stringify(once))
        problems.push(`${where}: ${JSON.stringify(cut.counts)} (${told})`);
      const backups = cut.left.filter((name) => name.startsWith('small.'));
      if (backups.length !== 1) problems.push(`${where}: left ${cut.left}`);
      if (cut.left.some((name) => name.startsWith('.'))) problems.push(`${where}: left ${cut.left}`);
    };
    await Promise.all(chosen.map((point) => limit(() => tryPoint(point))));
    // Under load a run has fewer pieces than the first one had, and nothing to cut at the last points: others are cut again.
    for (const point of chosen) if (cuts < 100) await tryPoint(point);
    console.info(
      `      ${chosen.length} cut points (${pieces} pieces of data), ${cuts} links cut: each of 5 effects run once`,
    );
    assert.deepEqual(problems, []);
    assert.isAtLeast(cuts, 100);
  });
});

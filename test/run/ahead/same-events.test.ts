import { chmod, lstat, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { generateFleet } from '../../support/generated-fleet.ts';
import { Choices, writeArchive, writeHosts } from '../../support/generated-playbooks.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { type PlayRun, play } from '../../support/play.ts';
import { type Sshd, startSshd, whyNoSshd } from '../../support/sshd.ts';

const hosts = ['h1', 'h2'] as const;
const cases = Number(process.env.RUNBOOK_BATCH_CASES ?? 12);

/** What was told, in order, without what is another at every run: a slow machine has somebody told of waits. */
function told(events: PlayRun['events']): string {
  const varying = /^(seq|time|runId|effect|boot)$|Ms$/;
  const lasting = events.filter(({ type }) => !/progress|wait/.test(type));
  return steady(JSON.stringify(lasting, (key, value: unknown) => (varying.test(key) ? undefined : value), 1));
}

/** Without what is another at every run: names of backups and temporary files, times, and where files stand on the disk. */
function steady(text: string): string {
  return text
    .replace(/\d{8}T\d{6}Z~/g, 'TIME~')
    .replace(/\.runbook-[0-9a-f]+/g, '.runbook-ID')
    .replace(/mtime[^,\n]*/g, 'mtime')
    .replace(/^stat .*\|/gm, 'stat ');
}

/** Of hosts that do not go in step, the order among themselves is nobody's promise. */
function toldOfEach({ events }: PlayRun): string {
  return hosts.map((host) => told(events.filter((event) => 'host' in event && event.host === host))).join('\n');
}

/** Every path below a folder, with what it is and holds. */
async function tree(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const state = await lstat(path);
      const held = state.isSymbolicLink() ? await readlink(path) : state.isFile() ? await readFile(path, 'utf8') : '';
      return steady(`${name}: ${state.mode.toString(8)} ${state.uid}:${state.gid}\n${held}`);
    }),
  );
}

function inventory(servers: readonly Sshd[]): string {
  const line = (host: string, i: number): string => {
    const { port, user, keyFile } = servers[i] as Sshd;
    const login = `ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ansible_ssh_private_key_file=${keyFile}`;
    return `${host} other=${hosts[1 - i] ?? ''} zone=${['near', 'far'][i] ?? ''} ${login}\n`;
  };
  return `[web]\n${hosts.map(line).join('')}`;
}

/** Runs a playbook from the same beginning, at first in check mode and then twice: with batches, and without. */
async function compare(folder: string, servers: readonly Sshd[], numbers: readonly number[]): Promise<void> {
  const place = join(folder, 'place');
  const { files: generated, before, isCrossing } = generateFleet(new Choices(numbers));
  const files = Object.fromEntries(
    Object.entries({ ...generated, 'hosts.ini': inventory(servers) }).map(([name, text]) => [
      name,
      text.replaceAll('DIR', place),
    ]),
  );
  const runs = async (isBatched: boolean): Promise<string[]> => {
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    await writeArchive(place);
    for (const [i, host] of hosts.entries()) await writeHosts(place, [host], before[i] ?? before[0]);
    const said: string[] = [];
    for (const isCheckMode of [true, false, false]) {
      const options = { isCheckMode, isBatched, forks: isCrossing ? 1 : 2, hostKeyChecking: 'off' } as const;
      const run = await play(place, files, options);
      said.push(isCrossing ? told(run.events) : toldOfEach(run));
      for (const host of hosts) said.push(...(await tree(join(place, host))));
    }
    return said;
  };
  const [batched, alone] = [await runs(true), await runs(false)];
  const difference = firstDifference(batched, alone);
  if (difference !== undefined) throw new Error(`${difference}\nin ${files['play.yaml'] ?? ''}`);
}

/** The lines around the first one that differs: whole runs are too long to be read. */
function firstDifference(one: readonly string[], other: readonly string[]): string | undefined {
  const [lines, otherLines] = [one, other].map((texts) => texts.join('\n').split('\n')) as [string[], string[]];
  const at = lines.findIndex((line, i) => line !== otherLines[i]);
  if (at === -1 && lines.length === otherLines.length) return undefined;
  const around = (all: readonly string[]): string => all.slice(Math.max(0, at - 30), at + 15).join('\n');
  return `batched:\n${around(lines)}\none by one:\n${around(otherLines)}`;
}

describe('asking ahead', function () {
  this.timeout(600_000);
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  it(`tells and does the same, in the same order, as asking one by one: ${cases} generated playbooks`, () =>
    withTemporaryFolder(async (folder) => {
      // Some tasks become another user.
      await chmod(folder, 0o755);
      const start = (host: string) => startSshd({ env: { RUNBOOK_HOST_FOLDER: join(folder, `${host}-effects`) } });
      await using one = await start('h1');
      await using two = await start('h2');
      await fc.assert(
        fc.asyncProperty(fc.noBias(fc.array(fc.nat(10_000), { minLength: 500, maxLength: 500 })), (numbers) =>
          compare(folder, [one, two], numbers),
        ),
        // To make a failing one smaller takes minutes: RUNBOOK_BATCH_CASES asks for more of them instead.
        { numRuns: cases, endOnFailure: true },
      );
    }));
});

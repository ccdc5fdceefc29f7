import { chmod, lstat, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { createChunkProxy } from '../../support/chunk-proxy.ts';
import { generateFleet } from '../../support/generated-fleet.ts';
import { Choices, writeArchive, writeHosts } from '../../support/generated-playbooks.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { type PlayRun, play } from '../../support/play.ts';
import { inventoryLine, startSshd, whyNoSshd } from '../../support/sshd.ts';
import { pathToSudo } from '../../support/sudo.ts';

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

/** A host that is waited for over a way of its own. */
interface Host extends AsyncDisposable {
  readonly line: string;
  /** How often it was waited for, all in all. */
  readonly turns: () => number;
}

async function startHost(folder: string, i: number): Promise<Host> {
  const name = hosts[i] ?? '';
  const env = { RUNBOOK_HOST_FOLDER: join(folder, `${name}-effects`) };
  const sshd = await startSshd({ env, path: pathToSudo });
  const way = await createChunkProxy(sshd.port);
  return {
    line: `${inventoryLine(name, { ...sshd, port: way.port })} other=${hosts[1 - i] ?? ''} zone=${['near', 'far'][i] ?? ''}\n`,
    turns: () => way.turns,
    async [Symbol.asyncDispose]() {
      await way[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
    },
  };
}

/** What was counted over all playbooks. */
interface Counts {
  /** How often hosts were waited for. */
  readonly turns: { batched: number; alone: number };
  /** Paths that belong to another user than the one who logs in. */
  ofOthers: number;
}

/** Runs a playbook from the same beginning, at first in check mode and then twice: with batches, and without. */
async function compare(
  folder: string,
  [one, two]: readonly [Host, Host],
  numbers: readonly number[],
  counts: Counts,
): Promise<void> {
  const place = join(folder, 'place');
  const { files: generated, before, isCrossing } = generateFleet(new Choices(numbers));
  const files = Object.fromEntries(
    Object.entries({ ...generated, 'hosts.ini': `[web]\n${one.line}${two.line}` }).map(([name, text]) => [
      name,
      text.replaceAll('DIR', place),
    ]),
  );
  const runs = async (isBatched: boolean): Promise<string[]> => {
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    await writeArchive(place);
    for (const [i, host] of hosts.entries()) {
      await writeHosts(place, [host], before[i] ?? before[0]);
      // Not only its owner can do something there.
      await chmod(join(place, host), 0o777);
    }
    const turns = (): number => one.turns() + two.turns();
    const turnsBefore = turns();
    const said: string[] = [];
    for (const isCheckMode of [true, false, false]) {
      const options = { isCheckMode, isBatched, forks: isCrossing ? 1 : 2, hostKeyChecking: 'off' } as const;
      const run = await play(place, files, options);
      const refused = run.events.find((event) => 'failure' in event && event.failure?.code === 'become-failed');
      if (refused) throw new Error(`this compares how two are refused: ${JSON.stringify(refused)}`);
      said.push(isCrossing ? told(run.events) : toldOfEach(run));
      for (const host of hosts) said.push(...(await tree(join(place, host))));
    }
    counts.turns[isBatched ? 'batched' : 'alone'] += turns() - turnsBefore;
    counts.ofOthers += said.filter((text) => /^.*: \d+ [1-9]\d*:/.test(text)).length;
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
  const { PATH = '' } = process.env;
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
    // Some of what is done through the controller is done as another user, too.
    process.env.PATH = [pathToSudo, PATH].filter(Boolean).join(':');
  });
  after(() => {
    process.env.PATH = PATH;
  });

  it(`tells and does the same, in the same order, as asking one by one, and waits less often: ${cases} generated playbooks`, () =>
    withTemporaryFolder(async (folder) => {
      // Some tasks become another user.
      await chmod(folder, 0o755);
      await using one = await startHost(folder, 0);
      await using two = await startHost(folder, 1);
      const counts: Counts = { turns: { batched: 0, alone: 0 }, ofOthers: 0 };
      await fc.assert(
        fc.asyncProperty(fc.noBias(fc.array(fc.nat(10_000), { minLength: 500, maxLength: 500 })), (numbers) =>
          compare(folder, [one, two], numbers, counts),
        ),
        // To make a failing one smaller takes minutes: RUNBOOK_BATCH_CASES asks for more of them instead.
        { numRuns: cases, endOnFailure: true },
      );
      expect(counts.ofOthers, 'what another user made').to.be.above(0);
      // The logins are among them, and playbooks in which most tasks change something.
      expect(counts.turns.batched).to.be.below(0.85 * counts.turns.alone);
    }));
});

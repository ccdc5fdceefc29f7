import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { spreadOf } from '../../bench/measure.ts';
import { caseText, isGood, isMet, performancePage, type Report } from '../../bench/report.ts';
import { suites } from '../../bench/suites.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { whyNoSshd } from '../support/sshd.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function keptReports(): Promise<Report[]> {
  const texts = Object.keys(suites).map((suite) =>
    readFile(new URL(`../../bench/results/${suite}.json`, import.meta.url), 'utf8').catch(() => undefined),
  );
  const kept = (await Promise.all(texts)).filter((text) => text !== undefined);
  return kept.map((text) => JSON.parse(text) as Report);
}

describe('the benchmarks', () => {
  it('work, on small inputs and with the tools that are there', async function () {
    this.timeout(600_000);
    const bench = ['--import', 'tsx', 'bench/main.ts', '--smoke'];
    // The lab of somebody who works with it just now is left alone: .ci/run has its own turn with it.
    const env = { ...process.env, RUNBOOK_LAB_DIR: join(tmpdir(), 'runbook-no-lab') };
    const { stdout } = await promisify(execFile)(process.execPath, bench, { cwd: root, env });
    const titles = stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(titles).to.have.length(Object.values(suites).flat().length);
    expect(stdout)
      .to.match(/^ {2}runbook +[\d.]+ ms/m)
      .and.not.to.match(/NaN|failed/);
  });

  it('fail in a smoke run, too, when a tool does not do its work', () =>
    withTemporaryFolder(async (folder) => {
      const runbook = join(folder, 'runbook.cjs');
      await writeFile(runbook, "process.exit(process.argv.includes('--check') ? 2 : 0);\n");
      const bench = ['--import', 'tsx', 'bench/main.ts', 'hosts', '--smoke', '--case', 'skipped-1000'];
      const error: unknown = await promisify(execFile)(process.execPath, [...bench, '--runbook', runbook], {
        cwd: root,
      }).catch((reason: unknown) => reason);
      expect(error)
        .to.include({ code: 1 })
        .and.have.property('stdout')
        .that.contains('After the last run of runbook runbook finds something left to do');
    })).timeout(60_000);

  it('end what they started when they are given up: the program, the server, the folders', async function () {
    this.timeout(60_000);
    // The hosts of a benchmark are an sshd's; .ci/run installs it.
    if (whyNoSshd() !== undefined) this.skip();
    await withTemporaryFolder(async (folder) => {
      const runbook = join(folder, 'runbook.cjs');
      const told = join(folder, 'told');
      const tell = `fs.writeFileSync('${told}.new', process.pid + ''); fs.renameSync('${told}.new', '${told}');`;
      await writeFile(runbook, `const fs = require('node:fs'); ${tell} setInterval(() => {}, 1000);\n`);
      const places = await mkdtemp(join(folder, 'tmp-'));
      const smoke = ['hosts', '--smoke', '--case', 'hosts-100', '--runbook', runbook];
      const bench = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...smoke], {
        cwd: root,
        env: { ...process.env, TMPDIR: places },
        stdio: 'ignore',
      });
      const ended = once(bench, 'exit');
      try {
        let isOver = false;
        void ended.then(() => {
          isOver = true;
        });
        while (!existsSync(told) && !isOver) await sleep(20);
        const [server] = (await readdir(places)).filter((name) => name.startsWith('runbook-bench-sshd'));
        const pids = [await readFile(told, 'utf8'), await readFile(join(places, server ?? '', 'pid'), 'utf8')];
        const running = (): readonly boolean[] => pids.map((pid) => existsSync(`/proc/${pid.trim()}/cwd`));
        expect(running()).to.deep.equal([true, true]);
        bench.kill('SIGINT');
        expect(await ended).to.deep.equal([130, null]);
        expect(running()).to.deep.equal([false, false]);
        expect((await readdir(places)).filter((name) => name.startsWith('runbook'))).to.deep.equal([]);
      } finally {
        bench.kill();
        await ended;
      }
    });
  });

  it('refuse what would not be a measurement, before anything is installed', async () => {
    const said = async (...args: string[]): Promise<string> => {
      const bench = ['--import', 'tsx', 'bench/main.ts', ...args];
      return promisify(execFile)(process.execPath, bench, { cwd: root }).then(
        ({ stdout }) => `0 ${stdout}`,
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => `${code} ${stderr}${stdout}`,
      );
    };
    expect(await said('--smoke', '--keep')).to.match(/^2 the times of a smoke run mean nothing/);
    expect(await said('--runs', '4', '--keep')).to.match(/^2 the numbers of fewer than 5 runs are not kept/);
    expect(await said('hosts', '--case', 'nonesuch')).to.match(/^2 no case nonesuch in hosts/);
    expect(await said('--runs', 'many')).to.match(/^2 --runs must be 1 or more/);
    // A benchmark that runs on this machine just now is as good.
    await using other = createServer();
    await new Promise((resolve) => other.once('error', resolve).listen('\0runbook-bench', () => resolve(undefined)));
    expect(await said('language', '--case', 'skipped-task')).to.match(/^2 another benchmark runs on this machine/);
  }).timeout(60_000);

  it('say of a tool that did not do the work that it did not', () => {
    const measurement = { runs: 1, wallMs: spreadOf([1]), cpuMs: spreadOf([1]), peakMb: spreadOf([1]) };
    const tool = { tool: 'Fast', command: 'fast', measurement, value: 1 };
    const result = { title: 'x', input: 'y', metric: { name: 'wall time', unit: 'ms' }, goals: [], notes: [] };
    const note = 'After the last run of Fast runbook finds something left to do: it did other work';
    const incomplete = { ...result, tools: [{ ...tool, isIncomplete: true as const }] };
    const complete = { ...result, tools: [tool] };
    expect(caseText(incomplete)).to.contain(note);
    expect(caseText(complete)).not.to.contain('left to do');
    expect([incomplete, complete].map(isGood)).to.deep.equal([false, true]);
  });

  it('give the middle, the least and the most of their runs', () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 10])).to.deep.equal({ median: 3, min: 1, max: 10 });
  });

  it('miss a goal when it is exceeded, and only then', () => {
    const goal = { what: 'x', bound: 'at most' as const, limit: 50, unit: 'µs' };
    expect([49, 50, 51].map((actual) => isMet({ ...goal, actual }))).to.deep.equal([true, true, false]);
    const ofCase = (actual: number) => isGood({ goals: [{ ...goal, actual }], tools: [] });
    expect([50, 51].map(ofCase)).to.deep.equal([true, false]);
  });

  it('are what docs/performance.md tells: the page is made from the numbers that are kept', async () => {
    const page = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
    expect(page).to.equal(performancePage(await keptReports()));
    // Commands are told as a user types them, without the paths of the machine.
    expect(page).to.not.match(/`\/|bin\/node|runbook\.c?js/);
  });
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { spreadOf } from '../../bench/measure.ts';
import { isMet, performancePage, type Report } from '../../bench/report.ts';
import { suites } from '../../bench/suites.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function keptReports(): Promise<Report[]> {
  const texts = Object.keys(suites).map((suite) =>
    readFile(new URL(`../../bench/results/${suite}.json`, import.meta.url), 'utf8').catch(() => undefined),
  );
  const kept = (await Promise.all(texts)).filter((text) => text !== undefined);
  return kept.map((text) => JSON.parse(text) as Report);
}

describe('the benchmarks', () => {
  it('work, on small inputs and without Ansible', async function () {
    this.timeout(300_000);
    const bench = ['--import', 'tsx', 'bench/main.ts', '--smoke'];
    // The lab of somebody who works with it just now is left alone: .ci/run has its own turn with it.
    const env = { ...process.env, RUNBOOK_LAB_DIR: join(tmpdir(), 'runbook-no-lab') };
    const { stdout } = await promisify(execFile)(process.execPath, bench, { cwd: root, env });
    const titles = stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(titles).to.have.length(Object.values(suites).flat().length);
    expect(stdout)
      .to.match(/^ {2}runbook +[\d.]+ ms/m)
      .and.not.to.match(/NaN|^ {2}Ansible|failed/m);
  });

  it('give the middle, the least and the most of their runs', () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 10])).to.deep.equal({ median: 3, min: 1, max: 10 });
  });

  it('miss a goal when it is exceeded, and only then', () => {
    const goal = { what: 'x', bound: 'at most' as const, limit: 50, unit: 'µs' };
    expect([49, 50, 51].map((actual) => isMet({ ...goal, actual }))).to.deep.equal([true, true, false]);
  });

  it('are what docs/performance.md tells: the page is made from the numbers that are kept', async () => {
    const page = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
    expect(page).to.equal(performancePage(await keptReports()));
    // Commands are told as a user types them, without the paths of the machine.
    expect(page).to.not.match(/`\/|bin\/node|runbook\.c?js/);
  });
});

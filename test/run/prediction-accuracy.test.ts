import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { projectRoot } from '../support/cli.ts';
import { Choices, generatePlaybook, writeArchive, writeHosts } from '../support/generated-playbooks.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';
import { type Comparison, comparePrediction, emptyComparison, tellComparison } from '../support/prediction.ts';

/** Check mode is held to its word: what it says of every task, host and item is compared with what a run then does. */

const hosts = ['h1', 'h2'] as const;
const cases = Number(process.env.RUNBOOK_PREDICTION_CASES ?? 60);

/** Every path below a folder with what it is: what nobody may change unseen. */
async function treeDigest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const visit = async (path: string): Promise<void> => {
    const state = await lstat(path);
    const type = state.isSymbolicLink() ? await readlink(path) : state.isFile() ? await readFile(path) : '';
    hash.update(`${path} ${state.mode} ${state.uid}:${state.gid} ${state.mtimeMs}\n`).update(type);
    if (state.isDirectory()) for (const name of (await readdir(path)).sort()) await visit(join(path, name));
  };
  await visit(folder);
  return hash.digest('hex');
}

async function digestOfHosts(folder: string): Promise<string[]> {
  return Promise.all(hosts.map((host) => treeDigest(join(folder, host))));
}

async function checkAndRun(numbers: readonly number[], total: Comparison): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const generated = generatePlaybook(new Choices(numbers));
    await writeArchive(folder);
    await writeHosts(folder, hosts, generated);
    const files = Object.fromEntries(
      Object.entries(generated.files).map(([name, text]) => [name, text.replaceAll('DIR', folder)]),
    );
    const run = (isCheckMode: boolean): Promise<PlayRun> => play(folder, files, { isCheckMode });
    const before = await digestOfHosts(folder);
    const check = await run(true);
    expect(await digestOfHosts(folder), 'check mode changed a host').to.deep.equal(before);
    const real = await run(false);
    const found = comparePrediction(check, real);
    if (found.wrong.length > 0) throw new Error(`${found.wrong.join('\n')}\nin ${files['play.yaml']}`);
    for (const name of ['told', 'unknown', 'tasks'] as const) total[name] += found[name];
  });
}

describe('what check mode says', function () {
  this.timeout(600_000);

  it('is what a run then does, in playbooks/hello.yaml, at first and when nothing is left to do', () =>
    withTemporaryFolder(async (folder) => {
      const total = emptyComparison();
      const playbook = join(projectRoot, 'playbooks/hello.yaml');
      const extraVars = { hello_folder: join(folder, 'hello') };
      const run = (isCheckMode: boolean): Promise<PlayRun> => play(folder, {}, { playbook, extraVars, isCheckMode });
      for (const expected of [3, 0]) {
        const check = await run(true);
        expect(check.exitCode).to.equal(expected);
        const found = comparePrediction(check, await run(false));
        expect(found.wrong).to.deep.equal([]);
        for (const name of ['told', 'unknown', 'tasks'] as const) total[name] += found[name];
      }
      console.log(`      ${tellComparison(total)}`);
    }));

  it(`is what a run then does, in ${cases} generated playbooks`, async () => {
    const total = emptyComparison();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(10_000), { minLength: 40, maxLength: 160 }), (numbers) =>
        checkAndRun(numbers, total),
      ),
      { numRuns: cases, endOnFailure: process.env.RUNBOOK_PREDICTION_SHRINK === undefined },
    );
    process.stdout.write(`      ${tellComparison(total)}\n`);
    expect(total.told).to.be.greaterThan(total.tasks / 2);
  });
});

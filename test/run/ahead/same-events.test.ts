import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Choices, generatePlaybook, writeArchive, writeHosts } from '../../support/generated-playbooks.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { type PlayRun, play } from '../../support/play.ts';

const hosts = ['h1', 'h2'] as const;
const cases = Number(process.env.RUNBOOK_BATCH_CASES ?? 40);

/** What was told, in order, without what is another at every run. */
function told({ events }: PlayRun): string {
  const varying = /^(seq|time|runId|effect|boot)$|Ms$/;
  return JSON.stringify(events, (key, value: unknown) => (varying.test(key) ? undefined : value), 1)
    .replace(/\d{8}T\d{6}Z~/g, 'TIME~')
    .replace(/mtime[^,\n]*/g, 'mtime');
}

/** Runs a playbook twice, from the same beginning, in check mode too: with batches, and without. */
async function compare(folder: string, numbers: readonly number[]): Promise<void> {
  const place = join(folder, 'place');
  const generated = generatePlaybook(new Choices(numbers));
  const files = Object.fromEntries(
    Object.entries(generated.files).map(([name, text]) => [name, text.replaceAll('DIR', place)]),
  );
  const runs = async (isBatched: boolean): Promise<string[]> => {
    await rm(place, { recursive: true, force: true });
    await mkdir(place);
    await writeArchive(place);
    await writeHosts(place, hosts, generated);
    const said: string[] = [];
    for (const isCheckMode of [true, false, false])
      said.push(told(await play(place, files, { isCheckMode, isBatched, forks: 1 })));
    return said;
  };
  expect(await runs(true), files['play.yaml']).to.deep.equal(await runs(false));
}

describe('asking ahead', function () {
  this.timeout(600_000);

  it(`tells the same, in the same order, as asking one by one: ${cases} generated playbooks`, () =>
    withTemporaryFolder((folder) =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.nat(10_000), { minLength: 40, maxLength: 160 }), (numbers) =>
          compare(folder, numbers),
        ),
        { numRuns: cases, endOnFailure: true },
      ),
    ));
});

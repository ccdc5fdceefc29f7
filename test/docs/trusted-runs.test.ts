import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { formatPage, readPage } from './page.ts';
import { produceSection } from './produce.ts';
import type { DocSection } from './section.ts';

const file = new URL('../../docs/trusted-runs.md', import.meta.url);
const folder = new URL('sections/', import.meta.url);
const sections = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .sort();

/** Every section is produced by running its commands; `UPDATE_GOLDEN=1` writes those that ran (`--grep 04-budget`) anew. */
describe('docs/trusted-runs.md', () => {
  for (const name of sections) {
    const id = name.replace(/\.ts$/, '');
    it(`shows what is so: ${id}`, async function () {
      this.timeout(120_000);
      const { default: section } = (await import(new URL(name, folder).href)) as { default: DocSection };
      if (section.whyNot?.() !== undefined) this.skip();
      const text = await produceSection(section);
      if (process.env.UPDATE_GOLDEN !== undefined) {
        const page = readPage(await readFile(file, 'utf8').catch(() => ''));
        await writeFile(file, formatPage(page.set(id, text)));
      }
      expect(readPage(await readFile(file, 'utf8')).get(id)).to.equal(text);
    });
  }

  it('has these sections and no others', async () => {
    const page = await readFile(file, 'utf8');
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(file, formatPage(readPage(page)));
    expect([...readPage(await readFile(file, 'utf8')).keys()].map((id) => `${id}.ts`)).to.deep.equal(sections);
    expect(formatPage(readPage(page))).to.equal(page);
  });
});

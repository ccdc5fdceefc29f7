import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { factsSchema } from '../../engine/language/facts-schema.ts';
import { loadModules } from '../../engine/module/loader.ts';
import { mistakesInFactNames } from '../../engine/run/facts/names.ts';
import { factsPage } from '../support/facts-page.ts';

const file = new URL('../../docs/facts.md', import.meta.url);

describe('docs/facts.md', () => {
  it('says what the schema of facts and the modules say (UPDATE_GOLDEN=1 writes it anew)', async () => {
    const registry = await loadModules({});
    expect(mistakesInFactNames(registry)).to.deep.equal([]);
    const modules = registry.names().flatMap((name) => registry.get(name) ?? []);
    const page = factsPage(factsSchema, modules);
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(file, page);
    expect(await readFile(file, 'utf8')).to.equal(page);
  });
});

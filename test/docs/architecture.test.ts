import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/architecture.md', root), 'utf8');
const files = ['engine', 'modules'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map((path) => `/${folder}/${path}`),
);

describe('docs/architecture.md', () => {
  it('names no file or folder of the source that is not there', () => {
    const named = [...page.matchAll(/[\w./-]+\.ts\b|`[\w/-]+\/`/g)].map(([text]) => text.replace(/`|\/`$/g, ''));
    const isThere = (name: string): boolean =>
      ['engine', 'modules'].includes(name) || files.some((file) => file.endsWith(`/${name}`));
    expect(named).to.have.length.above(50);
    // `x` stands for any.
    const ours = named.filter((name) => name !== 'x.ts' && name !== 'x');
    expect(ours.filter((name) => !isThere(name))).to.deep.equal([]);
  });
});

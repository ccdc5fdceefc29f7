import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { errorCatalogue } from '../../engine/base/errors.ts';

describe('the error catalogue', () => {
  it('and docs/exit-codes.md list the same codes, with the same exit codes', async () => {
    const doc = await readFile(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const documented = [...doc.matchAll(/^\| `([a-z-]+)` \| (\d+) \| (.+) \|$/gm)].map(([, code, exit, summary]) => [
      code,
      { exitCode: Number(exit), summary },
    ]);
    expect(Object.fromEntries(documented)).to.deep.equal(errorCatalogue);
  });
});

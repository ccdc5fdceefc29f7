import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readExtraVars } from '../../engine/cli/extra-vars.ts';

describe('-e', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-vars-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('takes name=text, and text it stays', async () => {
    expect(await readExtraVars(['version=1.10', 'flag=no', 'empty=', 'equation=a=b'])).to.deep.equal({
      version: '1.10',
      flag: 'no',
      empty: '',
      equation: 'a=b',
    });
  });

  it('takes JSON for other types, and the later over the earlier', async () => {
    expect(await readExtraVars(['n=1', '{"n": 2, "list": ["a"]}'])).to.deep.equal({ n: 2, list: ['a'] });
  });

  it('takes a YAML file', async () => {
    const file = join(folder, 'vars.yaml');
    await writeFile(file, 'zone: west\nports: [80, 443]\nold: yes\n');
    expect(await readExtraVars([`@${file}`])).to.deep.equal({ zone: 'west', ports: [80, 443], old: 'yes' });
  });

  it('refuses anything else with a way out', async () => {
    const list = join(folder, 'list.yaml');
    await writeFile(list, '- a\n');
    const wrong: [value: string, code: string, message: RegExp][] = [
      ['version', 'usage', /none of the three forms/],
      ['groups=b', 'usage', /"groups" is provided by the engine/],
      ['1a=b', 'usage', /none of the three forms/],
      ['{"a": ', 'invalid-input', /^-e:1:6: error: not valid YAML/],
      [`@${list}`, 'invalid-input', /must be a map/],
      ['@nowhere.yaml', 'file-unreadable', /-e @nowhere.yaml: there is no such file/],
    ];
    for (const [value, code, message] of wrong) {
      const error = await readExtraVars([value]).catch((e: unknown) => e);
      expect(error, value).to.include({ code });
      expect(error, value).to.have.property('message').that.matches(message);
    }
  });
});

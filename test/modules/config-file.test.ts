import { readdirSync } from 'node:fs';
import { chmod, lstat, readFile, symlink, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Change, Diff } from '../../engine/index.ts';
import configFile from '../../modules/config-file.ts';
import { env } from '../../modules/lib/config/env.ts';
import { ini } from '../../modules/lib/config/ini.ts';
import { json } from '../../modules/lib/config/json.ts';
import { planConfig } from '../../modules/lib/config/plan.ts';
import { toml } from '../../modules/lib/config/toml.ts';
import { yaml } from '../../modules/lib/config/yaml.ts';
import { applyLocally, diffOf, output, predicted, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf, modeOf } from './support.ts';

const fixtures = new URL('../fixtures/modules/config-file/', import.meta.url).pathname;

function answer(text: string): ReturnType<typeof output> {
  const attributes = 'mode=644\nuid=0\ngid=0\nsize=1\nowner=root\ngroup=root\n';
  return output(`real=/etc/x\ntype=file\n${attributes}sha256=x\ncontent:\n${Buffer.from(text).toString('base64')}\n`);
}

function changesOf(diff: Diff): readonly Change[] {
  if ('unknown' in diff) throw new Error(diff.unknown);
  return diff;
}

function contentOf(diff: Diff): unknown {
  return changesOf(diff).find((change) => change.path === 'content')?.after;
}

describe('config-file', () => {
  describe('edits files and keeps what it does not edit', () => {
    for (const name of readdirSync(fixtures)) {
      it(name, async () => {
        const file = readdirSync(join(fixtures, name)).find((entry) => entry.startsWith('before')) ?? '';
        const extension = extname(file);
        const before = await readFile(join(fixtures, name, file), 'utf8');
        const after = await readFile(join(fixtures, name, `after${extension}`), 'utf8');
        const args = parse(await readFile(join(fixtures, name, 'args.yaml'), 'utf8')) as Record<string, unknown>;
        await withTemporaryFolder(async (folder) => {
          const path = join(folder, `f${extension}`);
          await writeFile(path, before);
          const { changes } = await applyLocally(configFile, { path, ...args });
          expect(await readFile(path, 'utf8')).to.equal(after);
          expect(changes.at(-1)).to.deep.equal({ path: 'content', before, after, resource: `file:${path}` });
          expect((await applyLocally(configFile, { path, ...args })).changes, 'second run').to.deep.equal([]);
        });
      });
    }
  });

  it('removes a section of an INI file, and not the comment of the next one', () => {
    const text = '# top\n[A]\n; in a\na=1\n\n# about B\n[B]\nb=1\n[A]\nc=1\n\n# end\n';
    const without = (name: string): string =>
      planConfig('/x', text, { set: {}, remove: [[name]], create: false }, ini).text;
    expect(without('A')).to.equal('# top\n# about B\n[B]\nb=1\n# end\n');
    expect(without('B')).to.equal('# top\n[A]\n; in a\na=1\n\n# about B\n[A]\nc=1\n\n# end\n');
  });

  it('tells the keys that differ, one by one', async () => {
    const set = { plugins: { 'io.x': { image: 'b', level: 3 } }, version: 2 };
    const diff = await diffOf(
      configFile,
      { path: '/etc/x.toml', set },
      answer('version = 2\n[plugins."io.x"]\nimage = "a"\n'),
    );
    expect(
      changesOf(diff)
        .map(({ path, before, after }) => [path, before, after])
        .slice(0, 2),
    ).to.deep.equal([
      ['plugins."io.x".image', 'a', 'b'],
      ['plugins."io.x".level', null, 3],
    ]);
  });

  it('knows in check mode what earlier tasks would have written', async () => {
    const args = { path: '/etc/x.toml', set: { b: 2 } };
    const earlier = predicted({ 'file:/etc/x.toml': { exists: true, content: 'a = 1 # one\n' } });
    const missing = output('real=/etc/x.toml\ntype=\nmissing=/etc\n');
    expect(contentOf(await diffOf(configFile, args, missing, { predicted: earlier }))).to.equal('a = 1 # one\nb = 2\n');
    const unseen = predicted({ 'file:/etc/x.toml': { exists: true } });
    expect(await diffOf(configFile, args, missing, { predicted: unseen })).to.have.property('unknown');
    const command = predicted({ command: { command: 'apt-get install x' } });
    expect(await diffOf(configFile, args, missing, { predicted: command })).to.have.property('unknown');
  });

  it('makes a file only when asked to, and only in a folder that is there', async () => {
    const missing = output('real=/etc/x.env\ntype=\n');
    const args = { path: '/etc/x.env', set: { A: 'b c' } };
    expect(await failureOf(diffOf(configFile, args, missing))).to.equal(
      '/etc/x.env does not exist; create: true makes it',
    );
    expect(contentOf(await diffOf(configFile, { ...args, create: true }, missing))).to.equal('A="b c"\n');
    const folderless = output('real=/opt/x.env\ntype=\nmissing=/opt\n');
    expect(await failureOf(diffOf(configFile, { ...args, path: '/opt/x.env', create: true }, folderless))).to.equal(
      'the folder /opt does not exist; create it with the file module first',
    );
  });

  describe('refuses what it cannot edit', () => {
    const cases: [string, Record<string, unknown>, string, string][] = [
      [
        'broken TOML',
        { path: '/etc/x.toml', set: { a: 1 } },
        'b = 1\na = = 2\n',
        '/etc/x.toml:2:5 cannot be read as TOML, so it is not edited',
      ],
      [
        'broken YAML',
        { path: '/etc/x.yaml', set: { a: 1 } },
        'a: [1\nb: 2\n',
        '/etc/x.yaml:2:1 cannot be read as YAML',
      ],
      ['several YAML documents', { path: '/etc/x.yaml', set: { a: 1 } }, 'a: 1\n---\nb: 2\n', 'several documents'],
      ['a YAML list', { path: '/etc/x.yaml', set: { a: 1 } }, '- a\n', 'the file holds no map'],
      [
        'broken JSON',
        { path: '/etc/x.json', set: { a: 1 } },
        '{\n  "a": }\n',
        '/etc/x.json:2:8 cannot be read as JSON, so it is not edited: value expected',
      ],
      [
        'YAML in a .conf',
        { path: '/etc/kubelet.conf', set: { a: 1 } },
        'apiVersion: v1\n',
        '/etc/kubelet.conf:1:1 cannot be read as INI',
      ],
      [
        'an env file with a command',
        { path: '/etc/x.env', set: { A: 1 } },
        'A=1\nif true\n',
        '/etc/x.env:2:1 cannot be read as env',
      ],
      [
        'an env quote that is left open',
        { path: '/etc/x.env', set: { A: 1 } },
        'A="1\n',
        'the quote " is never closed',
      ],
      [
        'keys below a value',
        { path: '/etc/x.yaml', set: { a: { b: 1 } } },
        'a: 5\n',
        'a is 5 in the file, so no keys can be set in it',
      ],
      [
        'a value over keys',
        { path: '/etc/x.yaml', set: { a: 5 } },
        'a: {b: 1}\n',
        'a holds other keys in the file and would be lost',
      ],
      ['null in TOML', { path: '/etc/x.toml', set: { a: null } }, '', 'TOML has no null'],
      ['a map in a list of an INI file', { path: '/etc/x.ini', set: { a: [{}] } }, '', 'an INI value is a text'],
      [
        'a YAML value that others refer to',
        { path: '/etc/x.yaml', set: { a: 2 } },
        'a: &x 1\nb: *x\n',
        'cannot be edited without harm',
      ],
      [
        'a variable that is set twice',
        { path: '/etc/x.env', set: { A: 1 } },
        'A=0\nB=1\nA=2\n',
        'A is set more than once, in lines 1 and 3',
      ],
      [
        'flags in a variable that is set twice',
        { path: '/etc/x.env', flags: { variable: 'A', remove: ['--x'] } },
        'A=--x\nA=--y\n',
        'A is set more than once',
      ],
      [
        'flags in a variable that is not there',
        { path: '/etc/x.env', flags: { variable: 'A', set: { '--x': 1 } } },
        '',
        'sets no variable A; create: true makes it',
      ],
    ];
    for (const [name, args, text, message] of cases) {
      it(name, async () => expect(await failureOf(diffOf(configFile, args, answer(text)))).to.contain(message));
    }

    it('a binary file, and one that is too large', async () => {
      const args = { path: '/etc/x.env', set: { A: 1 } };
      expect(await failureOf(diffOf(configFile, args, answer('\0')))).to.contain('is no UTF-8 text');
      const large = output(
        'real=/etc/x.env\ntype=file\nmode=644\nuid=0\ngid=0\nsize=9999999\nowner=r\ngroup=r\nsha256=x\n',
      );
      expect(await failureOf(diffOf(configFile, args, large))).to.contain('is larger than 1 MiB');
    });
  });

  it('refuses arguments that contradict each other', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ path: '/etc/x' }, '"format" is required: the name of /etc/x does not tell it'],
      [{ path: '/etc/x.toml', remove: ['a."b'] }, 'is no key path'],
      [
        { path: '/etc/x.toml', remove: ['a'], set: { a: { b: 1 } } },
        'a.b is set and a removed: they contradict each other',
      ],
      [{ path: '/etc/x.env', set: { a: { b: 1 } } }, 'a.b is deeper than a key in an env file'],
      [{ path: '/etc/x.toml', flags: { variable: 'A' } }, '"flags" is for env files'],
      [{ path: '/etc/x.env', flags: { variable: 'A', set: { x: 1 } } }, '"x" is no flag'],
      [{ path: '/etc/x.env', flags: { variable: 'A', remove: ['--x=1'] } }, '"--x=1" is no flag'],
      [{ path: '/etc/x.env', flags: { variable: 'A', set: { '--x': 1 }, remove: ['--x'] } }, '--x is set and removed'],
      [{ path: '/etc/x.env', set: { A: 1 }, flags: { variable: 'A' } }, 'A is in "set" and in "flags"'],
    ];
    for (const [args, message] of cases) expect(mistakesOf(configFile, args).join('\n')).to.contain(message);
  });

  describe('flags', () => {
    const edit = (value: string, flags: Record<string, unknown>) =>
      diffOf(configFile, { path: '/etc/x.env', flags: { variable: 'A', ...flags } }, answer(`A="${value}"\n`));
    const cases: [string, string, Record<string, unknown>, string | undefined][] = [
      [
        'a longer name is another flag',
        '--container-runtime-endpoint=x',
        { set: { '--container-runtime': 'remote' } },
        '--container-runtime-endpoint=x --container-runtime=remote',
      ],
      [
        'a longer name is not removed',
        '--cni-bin-dir-x=1 --cni-bin-dir=2',
        { remove: ['--cni-bin-dir'] },
        '--cni-bin-dir-x=1',
      ],
      ['a value in a word of its own', '--a 1 --b', { set: { '--a': 2 } }, '--a 2 --b'],
      ['a flag without a value', '--a=1', { set: { '--b': null } }, '--a=1 --b'],
      ['a value that is there', '--a=1 --b', { set: { '--a': 1, '--b': null } }, undefined],
      ['a flag that is there twice', '--a=1 --b --a=2', { set: { '--a': 1 } }, '--a=1 --b'],
      ['a value with a space', '--a=1', { set: { '--a': 'x y' } }, "'--a=x y'"],
      ['nothing to remove', '--a=1', { remove: ['--b'] }, undefined],
      ['the last one', '--a=1', { remove: ['--a'] }, ''],
    ];
    for (const [name, value, flags, wanted] of cases) {
      it(name, async () => {
        const content = contentOf(await edit(value, flags));
        expect(content).to.equal(wanted === undefined ? undefined : `A="${wanted}"\n`);
      });
    }
  });

  describe('on this machine', () => {
    it('follows a link and keeps it, and the mode of the file', () =>
      withTemporaryFolder(async (folder) => {
        const [real, link] = [join(folder, 'real.env'), join(folder, 'link.env')];
        await writeFile(real, 'A=1\n');
        await chmod(real, 0o600);
        await symlink('real.env', link);
        await applyLocally(configFile, { path: link, set: { A: 2 } });
        expect(await readFile(real, 'utf8')).to.equal('A=2\n');
        expect((await lstat(link)).isSymbolicLink()).to.equal(true);
        const { changes } = await applyLocally(configFile, { path: link, set: { A: 2 }, mode: '0640' });
        expect(changes.map((c) => c.path)).to.deep.equal(['mode']);
        expect(await modeOf(real)).to.equal('0640');
      }));

    it('makes a file, and leaves it alone when validate refuses it', () =>
      withTemporaryFolder(async (folder) => {
        const path = join(folder, 'x.json');
        const args = { path, set: { a: { b: [1] } }, create: true, validate: 'grep -q b %s' };
        await applyLocally(configFile, args);
        expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal({ a: { b: [1] } });
        expect(await modeOf(path)).to.equal('0644');
        const refused = { ...args, set: { a: { b: 2 } }, validate: 'grep -q c %s' };
        expect(await failureOf(applyLocally(configFile, refused))).to.contain('validation failed');
        expect((await applyLocally(configFile, args)).changes).to.deep.equal([]);
      }));
  });

  describe('whatever is set is there afterwards, all else is as before, and a second edit changes nothing', () => {
    const word = fc.constantFrom('a', 'b', 'c.d', 'e f', 'yes', '1', '#x', 'it"s', '[s]');
    const scalar = fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc.boolean(),
      fc.constantFrom(
        '',
        'x',
        'yes',
        '0x1',
        '~',
        'a: b',
        '- a',
        "it's",
        'a "b"',
        ' lead',
        'two\nlines\n',
        '# no',
        'é',
        '${x}',
        '\\',
      ),
    );
    const leaf = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
    const map = (depth: number): fc.Arbitrary<Record<string, unknown>> => {
      const value: fc.Arbitrary<unknown> = depth === 0 ? leaf : fc.oneof(leaf, map(depth - 1));
      return fc.array(fc.tuple(word, value), { minLength: 1, maxLength: 4 }).map(Object.fromEntries) as never;
    };
    for (const [format, start] of [
      [toml, '# top\nz = 1 # one\n[t]\nu = "v"\n'],
      [yaml, '# top\nz: 1 # one\nt:\n    u: "v"\nl:\n- 1 # first\n'],
      [json, '{\n  // top\n  "z": 1,\n  "t": { "u": "v" }\n}\n'],
    ] as const) {
      it(format.name, () => {
        fc.assert(
          fc.property(map(2), map(2), (first, second) => {
            const wanted = (set: Record<string, unknown>) => ({ set, remove: [], create: false });
            const once = planConfig('/x', start, wanted(first), format);
            expect(planConfig('/x', once.text, wanted(first), format).text).to.equal(once.text);
            expect(once.text).to.contain('top');
            expect(once.text).to.match(/z"?( =|:) 1/);
            let twice: string;
            try {
              twice = planConfig('/x', once.text, wanted(second), format).text;
            } catch (error) {
              // A value where the other one has keys, or the other way round: refused, as it should be.
              expect(String(error)).to.match(/so no keys can be set in it|would be lost/);
              return;
            }
            expect(planConfig('/x', twice, wanted(second), format).changes).to.deep.equal([]);
          }),
          { numRuns: 150 },
        );
      });
    }

    it('INI and env', () => {
      const name = fc.constantFrom('A', 'B_2', 'Key');
      const text = fc.constantFrom('', 'x', 'a b', "it's", 'a "b"', '$x `y`', '\\n', '# no', 'a=b', '--f=1 --g');
      const values = fc
        .array(fc.tuple(name, text), { minLength: 1, maxLength: 4 })
        .map(Object.fromEntries) as fc.Arbitrary<Record<string, string>>;
      fc.assert(
        fc.property(values, values, (first, second) => {
          for (const [format, start] of [
            [env, "# top\nexport A='1' # one\nZ=1\n"],
            [ini, '# top\nZ=1\n\n[S]\nA = 2\n'],
          ] as const) {
            let current: string = start;
            for (const set of [first, second]) {
              const wanted = { set: format === ini ? { S: set } : set, remove: [], create: false };
              current = planConfig('/x', current, wanted, format).text;
              expect(planConfig('/x', current, wanted, format).text).to.equal(current);
            }
            expect(current).to.contain('# top\n').and.contain('Z=1\n');
          }
        }),
      );
    });
  });
});

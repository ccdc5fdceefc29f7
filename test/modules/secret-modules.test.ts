import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import command from '../../modules/command.ts';
import configFile from '../../modules/config-file.ts';
import copy from '../../modules/copy.ts';
import debug from '../../modules/debug.ts';
import fileTemplate from '../../modules/file-template.ts';
import shell from '../../modules/shell.ts';
import { applyLocally, checkLocally, localController } from '../support/module-rig.ts';
import { runAction } from './actions.ts';

const secret = new Secret('hunter2');

describe('modules that take secrets', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-secret-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const path = (name: string): string => join(folder, name);
  const noneIn = (shown: unknown): void => {
    expect(JSON.stringify(shown)).not.to.match(/hunter2|f52fbd32b2b3b86f/);
  };

  it('a new file with one is for its owner alone, unless a mode is given', async () => {
    const controller = localController(folder, { password: secret });
    await writeFile(path('t.hbs'), '{{ password }}\n');
    await applyLocally(copy, { content: secret, dest: path('a') });
    await applyLocally(fileTemplate, { src: 't.hbs', dest: path('b') }, { controller });
    await applyLocally(configFile, { path: path('c.env'), create: true, set: { TOKEN: secret } });
    await applyLocally(copy, { content: secret, dest: path('d'), mode: '0640' });
    await applyLocally(copy, { content: 'plain', dest: path('e') });
    const modes = await Promise.all(['a', 'b', 'c.env', 'd', 'e'].map((name) => stat(path(name))));
    const expected = [0o600, 0o600, 0o600, 0o640, 0o644];
    expect(modes.map(({ mode }) => mode & 0o777)).to.deep.equal(expected);
  });

  it('copy writes one, and shows neither it nor its digest', async () => {
    const first = await applyLocally(copy, { content: secret, dest: path('a') });
    expect(await readFile(path('a'), 'utf8')).to.equal('hunter2');
    await writeFile(path('a'), 'the one before');
    const second = await applyLocally(copy, { content: secret, dest: path('a') });
    expect(second.changes.map((change) => change.path)).to.deep.equal(['content']);
    const third = await applyLocally(copy, { content: secret, dest: path('a') });
    expect(third.changes).to.deep.equal([]);
    noneIn([first, second, third]);
    expect(JSON.stringify([first, second])).not.to.contain('the one before');
  });

  it('file-template is secret as a whole when a secret went into it', async () => {
    await writeFile(path('t.hbs'), 'user=me\npassword={{ password }}\n');
    const controller = localController(folder, { password: secret });
    const run = await applyLocally(fileTemplate, { src: 't.hbs', dest: path('b') }, { controller });
    expect(await readFile(path('b'), 'utf8')).to.equal('user=me\npassword=hunter2\n');
    noneIn(run);
    expect(JSON.stringify(run)).not.to.contain('user=me');
  });

  it('config-file sets one, and hides the file and the value before', async () => {
    await writeFile(path('c.json'), '{"a": {"password": "older", "port": 1}}');
    const args = { path: path('c.json'), set: { a: { password: secret, port: 2 } } };
    const run = await applyLocally(configFile, args);
    expect(JSON.parse(await readFile(path('c.json'), 'utf8'))).to.deep.equal({ a: { password: 'hunter2', port: 2 } });
    noneIn(run);
    expect(JSON.stringify(run)).not.to.contain('older');
    expect(run.changes.find((change) => change.path === 'a.port')).to.include({ before: 1, after: 2 });
    expect((await applyLocally(configFile, args)).changes).to.deep.equal([]);
  });

  it('config-file makes a file with one', async () => {
    const run = await applyLocally(configFile, { path: path('d.env'), create: true, set: { TOKEN: secret } });
    expect(await readFile(path('d.env'), 'utf8')).to.contain('hunter2');
    noneIn(run);
  });

  it('command and shell take them on stdin and in the environment, also for what only reads and for guards', async () => {
    const cmd = 'cat > in; printf %s "$TOKEN" > env';
    await applyLocally(shell, { cmd, chdir: folder, stdin: secret, environment: { TOKEN: secret } });
    expect([await readFile(path('in'), 'utf8'), await readFile(path('env'), 'utf8')]).to.deep.equal([
      'hunter2',
      'hunter2',
    ]);
    const reading = { cmd: `sh -c 'test "$TOKEN" = hunter2'`, reads: true, environment: { TOKEN: secret } };
    expect((await applyLocally(command, reading)).values.rc).to.equal(0);
    const guarded = { cmd: 'exit 9', unless: 'test "$TOKEN" = hunter2', environment: { TOKEN: secret } };
    expect((await applyLocally(shell, guarded)).changes).to.deep.equal([]);
  });

  it('debug shows asterisks', async () => {
    expect((await runAction(debug, { message: secret })).message).to.equal('********');
    expect((await runAction(debug, { value: secret })).message).to.equal('********');
    expect((await runAction(debug, { value: { a: [secret] } })).message).to.contain('********');
  });

  it('check mode expects what a secret would make of a file, and hides it from later tasks too', async () => {
    await writeFile(path('e'), 'before');
    const { diff } = await checkLocally(copy, { content: secret, dest: path('e') });
    const content = 'unknown' in diff ? undefined : diff.find((change) => change.path === 'content');
    const attributes: Record<string, unknown> = { content: content?.after };
    const later = { any: true, anyOfHost: true, of: () => attributes, under: () => [] };
    const same = await checkLocally(copy, { content: secret, dest: path('e') }, { predicted: later });
    expect(same.diff).to.deep.equal([]);
    const other = await checkLocally(copy, { content: 'open', dest: path('e') }, { predicted: later });
    noneIn([diff, other.diff]);
  });
});

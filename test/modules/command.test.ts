import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { TaskFailure } from '../../engine/index.ts';
import command from '../../modules/command.ts';
import { applyLocally, diffOf, output, predicted, stepsOf, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

const there = 'real=/x\ntype=file\n';
const missing = 'real=/x\ntype=\n';

describe('command', () => {
  describe('runs when all of its guards ask for it', () => {
    const cases: { name: string; guards: Record<string, unknown>; answer: string; runs: boolean }[] = [
      { name: 'no guard', guards: {}, answer: '', runs: true },
      { name: 'creates, there', guards: { creates: '/x' }, answer: `---- creates\n${there}`, runs: false },
      { name: 'creates, missing', guards: { creates: '/x' }, answer: `---- creates\n${missing}`, runs: true },
      { name: 'removes, there', guards: { removes: '/x' }, answer: `---- removes\n${there}`, runs: true },
      { name: 'removes, missing', guards: { removes: '/x' }, answer: `---- removes\n${missing}`, runs: false },
      { name: 'unless, succeeds', guards: { unless: 't' }, answer: '---- unless\nrc=0\n', runs: false },
      { name: 'unless, fails', guards: { unless: 't' }, answer: '---- unless\nrc=1\n', runs: true },
      { name: 'only_if, succeeds', guards: { only_if: 't' }, answer: '---- only_if\nrc=0\n', runs: true },
      { name: 'only_if, fails', guards: { only_if: 't' }, answer: '---- only_if\nrc=2\n', runs: false },
      {
        name: 'two that disagree',
        guards: { creates: '/x', only_if: 't' },
        answer: `---- creates\n${missing}---- only_if\nrc=1\n`,
        runs: false,
      },
    ];
    for (const { name, guards, answer, runs } of cases) {
      it(name, async () => {
        const diff = await diffOf(command, { cmd: 'make "a b"', ...guards }, output(answer));
        if ('unknown' in diff) throw new Error(diff.unknown);
        expect(diff.length > 0).to.equal(runs);
        if (runs) expect(diff[0]).to.include({ path: 'command', before: null, after: 'make "a b"' });
      });
    }
  });

  it('tells check mode what it would create and remove', async () => {
    const args = { cmd: 'make', creates: '/x', removes: '/y' };
    const diff = await diffOf(command, args, output(`---- creates\n${missing}---- removes\nreal=/y\ntype=file\n`));
    expect(diff).to.deep.equal([
      { path: 'command', before: null, after: 'make', resource: 'command:declared' },
      { path: 'exists', before: false, after: true, resource: 'file:/x' },
      { path: 'exists', before: true, after: false, resource: 'file:/y' },
    ]);
    const made = predicted({ 'file:/x': { exists: true } });
    expect(
      await diffOf(command, { cmd: 'make', creates: '/x' }, output(`---- creates\n${missing}`), { predicted: made }),
    ).to.deep.equal([]);
  });

  it('fails for a folder that is not there, unless an earlier task makes it', async () => {
    const args = { cmd: 'make', chdir: '/opt/x' };
    const answer = output('---- chdir\nreal=/opt/x\ntype=\nmissing=/opt\n');
    expect(await failureOf(diffOf(command, args, answer))).to.equal('chdir: the folder /opt/x does not exist');
    const made = predicted({ 'file:/opt/x': { exists: true, type: 'directory' } });
    expect(await diffOf(command, args, answer, { predicted: made })).to.have.length(1);
    const guarded = output(`${answer.stdout}---- unless\nrc=2\n`);
    expect(await diffOf(command, { ...args, unless: 'test -e y' }, guarded, { predicted: made })).to.have.property(
      'unknown',
    );
  });

  it('does not say what a reading command would read after a pending task', async () => {
    const args = { cmd: 'runc --version', reads: true };
    expect(await diffOf(command, args, output('runc 1.1\n'))).to.deep.equal([]);
    expect(await diffOf(command, args, output('', 127), { predicted: predicted({}) })).to.have.property('unknown');
    const failed = await failureOf(diffOf(command, args, output('', 127, 'sh: runc: not found\n')));
    expect(failed).to.equal('"runc --version": exit status 127: not found\nsh: runc: not found');
  });

  it('gives words to the host as they are, stdin and environment outside of the script', async () => {
    const args = { cmd: `echo '$HOME' *`, chdir: '/tmp', stdin: 'secret', environment: { A: 'b c' }, timeout: 1.5 };
    const steps = await stepsOf(command, args, output('---- chdir\nreal=/tmp\ntype=directory\n'));
    expect(steps).to.deep.equal([
      {
        kind: 'exec',
        script: { text: `cd /tmp && echo '$HOME' '*'` },
        purpose: `echo '$HOME' *`,
        okCodes: 'any',
        stdin: 'secret',
        environment: { A: 'b c' },
        timeoutMs: 1500,
      },
    ]);
  });

  it('fails with the output and still gives the values', async () => {
    const answers = [output('half\n', 3, 'no space left\n')];
    const work = stepsOf(command, { cmd: 'make' }, output(''), { answers });
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof TaskFailure)) throw new Error(`no TaskFailure but ${String(error)}`);
    expect(error.message).to.equal('"make": exit status 3\nno space left');
    expect(error.values).to.deep.equal({ rc: 3, stdout: 'half', stderr: 'no space left', stdout_lines: ['half'] });
    await stepsOf(command, { cmd: 'make', ok_codes: [0, 3] }, output(''), { answers });
  });

  it('refuses arguments that contradict each other', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{}, 'exactly one of "cmd" and "argv" is required'],
      [{ cmd: 'a', argv: ['a'] }, 'exactly one of "cmd" and "argv" is required'],
      [{ cmd: 'a | b' }, '"|" means nothing to command, which runs no shell'],
      [{ cmd: 'a 2>/dev/null' }, '"2>/dev/null" means nothing to command'],
      [{ cmd: 'LANG=C ls' }, '"LANG=C" is no command: set variables with environment: { LANG: … }'],
      [{ argv: ['LANG=C', 'ls'] }, '"LANG=C" is no command'],
      [{ cmd: "it's" }, 'cmd: the quote'],
      [{ cmd: ' ' }, '"cmd" is empty'],
      [{ cmd: 'a', creates: 'x' }, '"creates" must be an absolute path'],
      [{ cmd: 'a', reads: true, unless: 'x' }, '"reads" and "unless" contradict each other'],
      [{ cmd: 'a', reads: true, stdin: 'x' }, '"stdin" cannot be given'],
      [{ cmd: 'a', environment: { 'a b': 'x' } }, '"a b" is no name of an environment variable'],
      [{ cmd: 'a', ok_codes: [256] }, 'must be <= 255'],
    ];
    for (const [args, message] of cases) expect(mistakesOf(command, args).join('\n')).to.contain(message);
    expect(mistakesOf(command, { cmd: "grep '|' x" })).to.deep.equal([]);
  });

  describe('on this machine', () => {
    it('runs once when creates says so', () =>
      withTemporaryFolder(async (folder) => {
        const args = { argv: ['cp', '/dev/null', join(folder, "it's $HOME")], creates: join(folder, "it's $HOME") };
        expect((await applyLocally(command, args)).changes).to.have.length(2);
        expect((await applyLocally(command, args)).changes).to.deep.equal([]);
      }));

    it('fails when the command did not make what it promised', () =>
      withTemporaryFolder(async (folder) => {
        const args = { cmd: 'true', creates: join(folder, 'x') };
        expect(await failureOf(applyLocally(command, args))).to.contain('did not converge');
      }));

    it('runs every time without guards, and says why that cannot be verified', async () => {
      const run = () => applyLocally(command, { cmd: 'printf "one\\ntwo\\n"' });
      await run();
      const { changes, values } = await run();
      expect(changes).to.have.length(1);
      expect(values).to.deep.equal({ rc: 0, stdout: 'one\ntwo', stderr: '', stdout_lines: ['one', 'two'] });
      if (command.kind === 'resource') {
        expect(command.unverifiable?.({ cmd: 'x', ok_codes: [0] } as never)).to.equal(
          'a command has no state to probe',
        );
      }
    });

    it('registers what a reading command says, with its folder and environment', async () => {
      const args = { argv: ['sh', '-c', 'pwd; echo "$A"'], chdir: '/usr', environment: { A: "it's" }, reads: true };
      const { changes, values } = await applyLocally(command, args);
      expect(changes).to.deep.equal([]);
      expect(values.stdout_lines).to.deep.equal(['/usr', "it's"]);
    });

    it('gives stdin and keeps guards away from it', () =>
      withTemporaryFolder(async (folder) => {
        const path = join(folder, 'out');
        const args = { argv: ['tee', path], stdin: 'text', unless: `cat >/dev/null; test -s ${path}` };
        await applyLocally(command, args);
        expect(await readFile(path, 'utf8')).to.equal('text');
        await writeFile(path, 'other');
        expect((await applyLocally(command, args)).changes).to.deep.equal([]);
      }));
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diff } from '../../engine/module/contract.ts';
import kernelModule from '../../modules/kernel-module.ts';
import { applyLocally, diffOf, output, predicted, stepsOf, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

function changesOf(diff: Diff): Record<string, unknown> {
  if ('unknown' in diff) return { unknown: diff.unknown };
  return Object.fromEntries(diff.map((c) => [`${c.resource ?? ''} ${c.path}`, [c.before, c.after]]));
}

/** A file as the probe describes it. */
function fileAnswer(path: string, text: string): string {
  const content = Buffer.from(text).toString('base64');
  return `real=${path}\ntype=file\nmode=644\nuid=0\ngid=0\nsize=${text.length}\nowner=root\ngroup=root\nsha256=0\ncontent:\n${content}\n`;
}

const notLoaded = '';
const refused = 'modprobe=modprobe: FATAL: Module nope not found in directory /lib/modules/6.1.0-18-amd64\n';
const loadFile = '/etc/modules-load.d/containerd.conf';

describe('kernel-module', () => {
  describe('compares what a host answered', () => {
    const cases: { name: string; args: Record<string, unknown>; answer: string; changes: Record<string, unknown> }[] = [
      { name: 'a listed module', args: { name: 'overlay' }, answer: 'sign=listed\n', changes: {} },
      { name: 'a built-in module', args: { name: 'overlay' }, answer: 'sign=built in\n', changes: {} },
      {
        name: 'a module of which only the effect shows',
        args: { name: 'br_netfilter' },
        answer: 'sign=its effect\n',
        changes: {},
      },
      {
        name: 'a module that is not there',
        args: { name: 'br-netfilter' },
        answer: notLoaded,
        changes: { 'kernel-module:br_netfilter loaded': [false, true] },
      },
      {
        name: 'its line beside those of others',
        args: { name: 'br_netfilter', persistent: true, file: loadFile },
        answer: `sign=listed\n==load\n${fileAnswer(loadFile, '# pods\noverlay')}`,
        changes: { [`file:${loadFile} content`]: ['# pods\noverlay', '# pods\noverlay\nbr_netfilter\n'] },
      },
      {
        name: 'its line, spelt with a dash',
        args: { name: 'br_netfilter', persistent: true, file: loadFile },
        answer: `sign=listed\n==load\n${fileAnswer(loadFile, 'overlay\nbr-netfilter\n')}`,
        changes: {},
      },
      {
        name: 'a new file with its folder',
        args: { name: 'overlay', persistent: true },
        answer: 'sign=listed\n==load\nreal=/etc/modules-load.d/overlay.conf\ntype=\nmissing=/etc/modules-load.d\n',
        changes: {
          'file:/etc/modules-load.d exists': [false, true],
          'file:/etc/modules-load.d type': [null, 'directory'],
          'file:/etc/modules-load.d/overlay.conf exists': [false, true],
          'file:/etc/modules-load.d/overlay.conf content': [null, 'overlay\n'],
        },
      },
      {
        name: 'parameters, also for the next boot',
        args: { name: 'nf_conntrack', persistent: true, params: { hashsize: 65536, acct: true } },
        answer:
          'sign=listed\nparam=hashsize 65536\nparam=acct Y\n==load\n' +
          `${fileAnswer('/etc/modules-load.d/nf_conntrack.conf', 'nf_conntrack\n')}` +
          '==options\nreal=/etc/modprobe.d/runbook-nf_conntrack.conf\ntype=\n',
        changes: {
          'file:/etc/modprobe.d/runbook-nf_conntrack.conf exists': [false, true],
          'file:/etc/modprobe.d/runbook-nf_conntrack.conf content': [
            null,
            'options nf_conntrack hashsize=65536 acct=Y\n',
          ],
        },
      },
    ];
    for (const { name, args, answer, changes } of cases) {
      it(name, async () => {
        expect(changesOf(await diffOf(kernelModule, args, output(answer)))).to.deep.equal(changes);
      });
    }
  });

  it('refuses a module that the kernel does not have', async () => {
    expect(await failureOf(diffOf(kernelModule, { name: 'nope' }, output(refused)))).to.equal(
      "this host's kernel has no module nope\nmodprobe: FATAL: Module nope not found in directory /lib/modules/6.1.0-18-amd64",
    );
  });

  it('takes no other complaint of modprobe for an answer: trying will tell', async () => {
    const diff = await diffOf(kernelModule, { name: 'overlay' }, output('modprobe=sh: modprobe: not found\n'));
    expect(diff).to.have.length(1);
  });

  it('refuses a module that is loaded with other parameters', async () => {
    const args = { name: 'nf_conntrack', params: { hashsize: 65536 } };
    const answer = output('sign=listed\nparam=hashsize 16384\n');
    expect(await failureOf(diffOf(kernelModule, args, answer))).to.equal(
      'nf_conntrack is loaded with hashsize=16384 instead of 65536; parameters are taken when a module is loaded: unload it or reboot',
    );
  });

  it('knows in check mode that an earlier task would load it, and what that task would write', async () => {
    const file = { exists: true, type: 'file', content: 'overlay\n' };
    const context = { predicted: predicted({ 'kernel-module:overlay': { loaded: true }, [`file:${loadFile}`]: file }) };
    const args = { name: 'overlay', persistent: true, file: loadFile };
    const answer = output(`==load\nreal=${loadFile}\ntype=\n`);
    expect(await diffOf(kernelModule, args, answer, context)).to.deep.equal([]);
  });

  it('knows that a command that was not run may bring the module', async () => {
    const context = { predicted: predicted({ command: { command: 'apt-get install linux-modules-extra' } }) };
    expect(await diffOf(kernelModule, { name: 'nope' }, output(refused), context)).to.have.property('unknown');
  });

  it('loads before it writes, with the parameters', async () => {
    const args = { name: 'nf_conntrack', persistent: true, params: { acct: false } };
    const answer = output(
      '==load\nreal=/etc/modules-load.d/nf_conntrack.conf\ntype=\n==options\nreal=/etc/modprobe.d/x\ntype=\n',
    );
    const steps = await stepsOf(kernelModule, args, answer);
    expect(steps.map((step) => step.kind)).to.deep.equal(['exec', 'put', 'put']);
    expect(steps[0])
      .to.have.nested.property('script.text')
      .that.matches(/modprobe nf_conntrack acct=N$/);
  });

  it('does not mind a modprobe that fails when the module is there afterwards', async () => {
    const answers = [output('', 1, 'modprobe: FATAL: Module overlay is builtin.'), output('sign=its effect\n')];
    expect(await stepsOf(kernelModule, { name: 'overlay' }, output(''), { answers })).to.have.length(2);
  });

  it('fails with what modprobe said when it is not', async () => {
    const answers = [
      output('', 1, "modprobe: ERROR: could not insert 'br_netfilter': Operation not permitted\n"),
      output(''),
    ];
    expect(await failureOf(stepsOf(kernelModule, { name: 'br_netfilter' }, output(''), { answers }))).to.equal(
      "br_netfilter could not be loaded: modprobe: exit status 1\nmodprobe: ERROR: could not insert 'br_netfilter': Operation not permitted",
    );
  });

  it('judges arguments together', () => {
    expect(mistakesOf(kernelModule, { name: 'x', file: '/etc/x.conf' })).to.deep.equal([
      '"file" is for persistent: true',
    ]);
    expect(mistakesOf(kernelModule, { name: 'x', params: { a: '1 2' } })).to.have.length(1);
    expect(mistakesOf(kernelModule, { name: 'x; reboot' })).to.have.length(1);
  });

  it('is judged by its effect on this machine, and keeps one line', async () => {
    await withTemporaryFolder(async (folder) => {
      const file = join(folder, 'pods.conf');
      await writeFile(file, '# for pods\n');
      const args = { name: 'runbook-test', effect: folder, persistent: true, file };
      expect((await applyLocally(kernelModule, args)).changes.map((c) => c.path)).to.deep.equal(['content']);
      const second = await applyLocally(kernelModule, args);
      expect(second.changes).to.deep.equal([]);
      expect(second.values).to.include({ loaded: true, sign: 'its effect' });
      expect(await readFile(file, 'utf8')).to.equal('# for pods\nrunbook-test\n');
    });
  });
});

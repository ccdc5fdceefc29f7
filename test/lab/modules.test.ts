import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { builtInModules } from '../../modules/index.ts';
import { type CliEvents, playEvents, projectRoot } from '../support/cli.ts';
import { lab } from './rig.ts';

const folder = join(projectRoot, 'test/lab/modules');

/**
 * Every module on a real node: `test/lab/modules/NAME.yaml` is checked, applied, checked and applied again. The first check
 * must predict what the first run changes and must itself change nothing; after it nothing is left to do.
 */
describe('every module on a real node', function () {
  this.timeout(300_000);
  let node = '';

  before(async () => {
    await lab.ensureUp();
    // Fresh nodes: what an earlier test installed would leave nothing to change here.
    await lab.reset();
    node = lab.nodes.at(-1) ?? '';
  });

  const play = (name: string, ...args: string[]): Promise<CliEvents> =>
    playEvents([join('test/lab/modules', `${name}.yaml`), '-i', lab.inventoryPath, '--limit', node, ...args]);

  it('has a playbook here', async () => {
    const cases = (await readdir(folder)).filter((f) => f.endsWith('.yaml')).map((f) => f.replace('.yaml', ''));
    expect(cases).to.have.members(builtInModules.map(({ name }) => name));
  });

  for (const name of [
    'add-host',
    'assert',
    'command',
    'config-file',
    'container-image',
    'copy',
    'debug',
    'fail',
    'file',
    'file-template',
    'group',
    'group-by',
    'kernel-module',
    'kube-node',
    'kubectl-drain',
    'package',
    'pause',
    'set-fact',
    'shell',
    'sysctl',
    'systemd',
    'tar-install',
    'user',
    'wait-for',
  ]) {
    it(`${name}: check → apply → check → apply`, async () => {
      const before = await lab.digestOf(node);
      const check = await play(name, '--check', '--diff');
      const after = await lab.digestOf(node);
      const moved = [...new Set([...before.keys(), ...after.keys()])].filter(
        (key) => before.get(key) !== after.get(key),
      );
      expect(moved, 'changed by --check').to.deep.equal([]);
      const apply = await play(name, '--diff');
      expect(apply.exitCode, told(apply)).to.equal(0);
      const unknown = outcomes(check, 'unknown');
      expect(
        outcomes(apply, 'changed').filter((key) => !unknown.includes(key)),
        told(check),
      ).to.deep.equal(outcomes(check, 'changed'));
      expect(check.exitCode, told(check)).to.equal(outcomes(check, 'changed').length + unknown.length > 0 ? 3 : 0);
      const again = await play(name, '--check');
      expect(outcomes(again, 'changed'), 'still pending').to.deep.equal([]);
      expect(again.exitCode, told(again)).to.equal(0);
      const second = await play(name);
      expect(outcomes(second, 'changed'), 'changed again').to.deep.equal([]);
      expect(second.exitCode, told(second)).to.equal(0);
    });
  }
});

function outcomes(run: CliEvents, outcome: string): string[] {
  return run.events
    .flatMap((e) => (e.type === 'host-task-ended' && e.outcome === outcome ? [`${e.task.id} ${e.task.name}`] : []))
    .sort();
}

/** What a run said, for the message of an assertion. */
function told(run: CliEvents): string {
  const lines = run.events.flatMap((e) =>
    e.type === 'host-task-ended' ? [`${e.task.name}: ${e.outcome} ${e.failure?.message ?? e.message ?? ''}`] : [],
  );
  return `${run.stderr}\n${lines.join('\n')}`;
}

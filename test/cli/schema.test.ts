import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';

const moduleCalled = (name: string): string =>
  `import { defineAction } from 'runbook';
   export default defineAction({
     name: '${name}', summary: 'Is ${name}', schema: { type: 'object', properties: {} }, run: async () => ({}),
   });`;

interface PrintedSchema {
  readonly $schema: string;
  readonly definitions: Readonly<Record<string, unknown>>;
}

describe('runbook schema', () => {
  it('prints one JSON Schema of draft 7', async () => {
    const { exitCode, stdout, stderr } = await runCli(['schema']);
    expect(exitCode, stderr).to.equal(0);
    const { $schema, definitions } = JSON.parse(stdout) as PrintedSchema;
    expect($schema).to.equal('http://json-schema.org/draft-07/schema#');
    expect(definitions).to.include.keys('play', 'task', 'inventory', 'module.copy', 'keyword.when');
  });

  it('has the modules beside the playbook, those of its roles, and those of --modules', () =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'site/play.yaml': '- hosts: all\n',
        'site/modules/beside.ts': moduleCalled('beside'),
        'site/roles/web/modules/in-role.ts': moduleCalled('in-role'),
        'site/roles/db/tasks/main.yaml': '[]',
        'other/given.ts': moduleCalled('given'),
      });
      const custom = ['module.beside', 'module.in-role', 'module.given'];
      const playbook = ['--playbook', join(folder, 'site/play.yaml')];
      const { stdout, stderr } = await runCli(['schema', ...playbook, '--modules', join(folder, 'other')]);
      expect((JSON.parse(stdout) as PrintedSchema).definitions, stderr).to.include.keys(...custom);
      const here = await runCli(['schema'], { cwd: join(folder, 'site') });
      expect((JSON.parse(here.stdout) as PrintedSchema).definitions).to.include.keys('module.beside', 'module.in-role');
    }));

  it('says that a playbook is not there', async () => {
    const { exitCode, stdout, stderr } = await runCli(['schema', '--playbook', 'nowhere/play.yaml']);
    expect(exitCode).not.to.equal(0);
    expect(stdout).to.equal('');
    expect(stderr).to.contain('cannot read nowhere/play.yaml: there is no such file');
  });
});

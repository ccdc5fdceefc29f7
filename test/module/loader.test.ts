import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { loadModules } from '../../engine/module/loader.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

const typed = `
import { defineModule, failure, probe, put, sh } from 'runbook';
const schema = { type: 'object', additionalProperties: false, required: ['text'], properties: { text: { type: 'string', description: 'x' } } } as const;
export default defineModule({
  name: 'motd', summary: 'Keeps the message of the day', schema,
  probe: () => probe(sh\`cat /etc/motd\`, ({ stdout }): string => stdout),
  diff: (current, { text }) => (current === text ? [] : [{ path: 'motd', before: current, after: text }]),
  *apply({ args }) { if (args.text === 'boom') throw failure('boom'); yield put('/etc/motd', args.text); },
});`;

describe('loading modules', () => {
  it('finds TypeScript beside the playbook and in --modules, and hands it the running engine', async () => {
    await withTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'modules'));
      await writeFile(join(folder, 'modules', 'motd.ts'), typed);
      const registry = await loadModules({ playbookDirectory: folder });
      const module = registry.get('motd');
      expect(registry.origin('motd')).to.equal(join(folder, 'modules', 'motd.ts'));
      if (module?.kind !== 'resource') throw new Error('not a resource');
      const steps = module.apply({
        args: { text: 'boom' } as never,
        desired: undefined,
        current: '',
        changes: [],
        id: 'x',
      });
      // The very class of this process: an instanceof in the engine must hold.
      expect(() => steps.next()).to.throw(RunbookError, 'boom');
    });
  });

  it('takes JavaScript too, and leaves files that start with _ alone', async () => {
    await withTemporaryFolder(async (folder) => {
      await writeFile(
        join(folder, 'hi.js'),
        `import { defineAction } from 'runbook';\nexport default defineAction({ name: 'hi', summary: 'Says hi', schema: { type: 'object', properties: {} }, run: async () => ({ message: 'hi' }) });`,
      );
      await writeFile(join(folder, '_helper.js'), 'export const x = 1;');
      expect((await loadModules({ directories: [folder] })).get('hi')?.kind).to.equal('action');
    });
  });

  it('names every file that is no module, and why, at once', async () => {
    await withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'a.ts'), 'export default 3;');
      await writeFile(join(folder, 'b.ts'), typed);
      await writeFile(join(folder, 'c.ts'), 'syntax error here');
      await writeFile(
        join(folder, 'd.js'),
        `export default { kind: 'resource', name: 'd', summary: 'x', schema: { type: 'object' } };`,
      );
      const error: unknown = await loadModules({ directories: [folder, join(folder, 'nowhere')] }).catch(
        (e: unknown) => e,
      );
      expect(error).to.be.instanceOf(DiagnosticsError);
      const text = (error as Error).message;
      expect(text).to.contain('a.ts: its default export is no module');
      expect(text).to.contain('b.ts: its name is "motd", so its file must be called motd.ts');
      expect(text).to.match(/c\.ts: cannot be loaded/);
      expect(text).to.contain('d.js: it lacks probe, diff, apply');
      expect(text).to.contain('nowhere');
    });
  });

  it('refuses two modules of one name', async () => {
    await withTemporaryFolder(async (folder) => {
      for (const name of ['one', 'two']) {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'motd.ts'), typed);
      }
      const error: unknown = await loadModules({ directories: [join(folder, 'one'), join(folder, 'two')] }).catch(
        (e: unknown) => e,
      );
      expect((error as Error).message).to.contain('a module named "motd" exists already');
    });
  });
});

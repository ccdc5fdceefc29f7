import { join } from 'node:path';
import { expect } from 'chai';
import { playEvents } from '../../support/cli.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { writeFiles } from '../../support/play.ts';
import { tellScripts, whichScript } from '../../support/which-script.ts';

describe('runbook play --no-batch', () => {
  it('asks a host for one task at a time, where else it is asked for all of them with one script', () =>
    withTemporaryFolder(async (folder) => {
      const tasks = ['a', 'b', 'c'].map((name) => `    - { which-script: {}, register: ${name} }\n`).join('');
      await writeFiles(folder, {
        'modules/which-script.ts': whichScript,
        'play.yaml': `- hosts: localhost\n  tasks:\n${tasks}    - ${tellScripts(['a', 'b', 'c'])}\n`,
      });
      const scripts = async (...options: readonly string[]): Promise<number> => {
        const { events, stderr } = await playEvents([join(folder, 'play.yaml'), '--no-journal', ...options]);
        const [told = stderr] = events.flatMap((event) =>
          event.type === 'host-task-ended' && event.task.name === 'scripts' ? [event.message] : [],
        );
        expect(told).to.match(/^\d+ \d+ \d+$/);
        return new Set(told.split(' ')).size;
      };
      expect(await scripts()).to.equal(1);
      expect(await scripts('--no-batch')).to.equal(3);
    }));
});

import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { keywordExamples } from '../../engine/language/keyword-examples.ts';
import { type Holder, keywords } from '../../engine/language/keywords.ts';
import { loadPlaybook } from '../../engine/language/load.ts';
import { loadModules } from '../../engine/module/loader.ts';
import type { Registry } from '../../engine/module/registry.ts';
import { languagePage } from '../support/language-page.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';
import { mistakesIn } from './fakes.ts';

const file = new URL('../../docs/language.md', import.meta.url);

describe('docs/language.md', () => {
  let registry: Registry;
  before(async () => {
    registry = await loadModules({});
  });

  it('says what the tables of the engine say (UPDATE_GOLDEN=1 writes it anew)', async () => {
    const page = languagePage(registry.names().flatMap((name) => registry.get(name) ?? []));
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(file, page);
    expect(await readFile(file, 'utf8')).to.equal(page);
  });

  it('explains every keyword once, with an example', async () => {
    const page = await readFile(file, 'utf8');
    for (const { name } of keywords) expect(page.split(`\n### ${name}\n`).length, name).to.equal(2);
    expect(Object.keys(keywordExamples).sort()).to.deep.equal(keywords.map(({ name }) => name).sort());
  });

  for (const { name, on } of keywords) {
    it(`has an example of ${name} that loads`, () =>
      withTemporaryFolder(async (folder) => {
        await writeFiles(folder, surroundings);
        const [holder = 'task'] = on;
        for (const form of formsOf(keywordExamples[name] ?? '')) {
          const playbook = frame(holder, form);
          await writeFiles(folder, { 'play.yaml': playbook });
          expect(await mistakesIn(() => loadPlaybook(`${folder}/play.yaml`, { registry })), playbook).to.equal('');
        }
      }));
  }
});

/** An example shows several ways of writing with a comment between them. */
function formsOf(example: string): string[] {
  return example.trim().split(/^# .*:\n/m);
}

/** What the examples name. */
const surroundings: Readonly<Record<string, string>> = {
  'tasks/web.yaml': '- shell: { cmd: ls }\n',
  'web.yaml': '- hosts: web\n',
  'vars/common.yaml': 'a: 1\n',
  'vars/secrets.yaml': 'b: 2\n',
  'roles/web/tasks/main.yaml': '- shell: { cmd: ls }\n',
  'roles/web/defaults/main.yaml': 'port: 80\n',
  'roles/common/tasks/main.yaml': '[]\n',
};

/** A playbook with an example in it. */
function frame(holder: Holder, example: string): string {
  const at = (spaces: number): string => example.trim().replaceAll('\n', `\n${' '.repeat(spaces)}`);
  const handlers = '  handlers:\n    - name: restart web\n      shell: { cmd: restart-web }\n';
  switch (holder) {
    case 'play':
      return `- ${example.startsWith('hosts:') ? '' : 'hosts: web\n  '}${at(2)}\n`;
    case 'task':
      return `- hosts: web\n  tasks:\n    - shell: { cmd: ls }\n      ${at(6)}\n${handlers}`;
    case 'handler':
      return `- hosts: web\n  handlers:\n    - name: a\n      shell: { cmd: ls }\n      ${at(6)}\n`;
    case 'lease':
      return `- hosts: web\n  tasks:\n    - block:\n        - shell: { cmd: ls }\n      lease:\n        ${at(8)}\n`;
    case 'role':
      return `- hosts: web\n  roles:\n    - ${at(6)}\n`;
    case 'import_playbook':
      return `- ${at(2)}\n`;
    default:
      return `- hosts: web\n  tasks:\n    - ${at(6)}\n`;
  }
}

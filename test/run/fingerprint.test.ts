import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { differences, type Fingerprint, takeFingerprint } from '../../engine/run/fingerprint.ts';
import { loadRun } from '../../engine/run/load.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { readRunKey, runKeyOf } from '../../engine/run/run-key.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';

/** What a fingerprint is of, and what it says when something of it has changed. */

const key = runKeyOf(Buffer.alloc(32, 1));

const files = {
  'play.yaml': `
- hosts: web
  vars_files: [vars.yaml]
  roles: [one]
  tasks:
    - import_tasks: tasks.yaml
    - mine: { text: x }
`,
  'vars.yaml': 'a: 1\n',
  'tasks.yaml': `
- file-template: { src: conf.hbs, dest: /tmp/x }
- copy: { src: key.txt, dest: /tmp/y }
`,
  'templates/conf.hbs': '{{ a }}\n',
  'files/key.txt': 'the key\n',
  'roles/one/tasks/main.yaml': '- debug: { message: one }\n',
  'roles/one/defaults/main.yaml': 'r: 1\n',
  'group_vars/web.yaml': 'g: 1\n',
  'host_vars/h1.yaml': 'h: 1\n',
  'hosts.ini': '[web]\nh1\n',
  'modules/mine.ts': `
import { defineAction } from 'runbook';
import { text } from './_text.ts';
export default defineAction({
  name: 'mine', summary: 'x',
  schema: { type: 'object', additionalProperties: false, properties: { text: { type: 'string' } } },
  run: async () => ({ message: text }),
});
`,
  'modules/_text.ts': "export const text = 'x';\n",
};

describe('the fingerprint of a run', () => {
  const take = async (
    folder: string,
    asked: Partial<RunRequest> = {},
    also: readonly string[] = [],
  ): Promise<Fingerprint> => {
    const request = {
      playbook: join(folder, 'play.yaml'),
      inventory: [join(folder, 'hosts.ini')],
      moduleDirectories: [],
      extraVars: {},
      tags: [],
      skipTags: [],
      ...asked,
    };
    return takeFingerprint({ request, loaded: await loadRun(request), key, also });
  };
  const withFiles = (body: (folder: string) => Promise<void>, more: Readonly<Record<string, string>> = {}) =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, { ...files, ...more });
      await body(folder);
    });
  /** What is told after something was done to the files. */
  const after = async (folder: string, change: () => Promise<unknown>): Promise<string[]> => {
    const before = await take(folder);
    await change();
    return differences(before, await take(folder, {}, Object.keys(before.files))).map((line) =>
      line.replace(`${folder}/`, ''),
    );
  };

  it('is the same when nothing has changed', () =>
    withFiles(async (folder) => {
      expect(await after(folder, async () => undefined)).to.deep.equal([]);
    }));

  for (const name of Object.keys(files)) {
    it(`tells that ${name} changed`, () =>
      withFiles(async (folder) => {
        const changed = name.endsWith('.ts') ? `${files[name as keyof typeof files]}// x\n` : undefined;
        const text = changed ?? `${files[name as keyof typeof files]}${name.endsWith('.hbs') ? 'x' : '# x\n'}`;
        expect(await after(folder, () => writeFiles(folder, { [name]: text }))).to.deep.equal([`${name} changed`]);
      }));
  }

  it('tells of files that came and went', () =>
    withFiles(async (folder) => {
      const change = async (): Promise<void> => {
        await writeFiles(folder, { 'group_vars/all.yaml': 'n: 1\n' });
        await rm(join(folder, 'host_vars/h1.yaml'));
      };
      expect(await after(folder, change)).to.deep.equal(['group_vars/all.yaml is new', 'host_vars/h1.yaml is gone']);
    }));

  it('tells what an inventory program says otherwise, by part', () =>
    withFiles(
      async (folder) => {
        const program = join(folder, 'hosts.ini');
        await chmod(program, 0o755);
        const path = join(folder, 'answer.json');
        await writeFiles(folder, { 'answer.json': '{"web": ["h1"], "_meta": {"hostvars": {}}}' });
        const [line = ''] = await after(folder, () =>
          writeFiles(folder, { 'answer.json': '{"web": ["h1", "h2"], "db": ["h3"], "_meta": {"hostvars": {}}}' }),
        );
        expect(path).to.include(folder);
        expect(line).to.match(/^what "hosts\.ini --list" says changed: db is new, web changed$/);
      },
      { 'hosts.ini': '#!/bin/sh\ncat "$(dirname "$0")/answer.json"\n' },
    ));

  it('tells which variable of the command line is another, and which options', () =>
    withFiles(async (folder) => {
      const before = await take(folder, { extraVars: { a: 'one', r: new Secret('two') }, limit: 'h1' });
      const now = await take(folder, { extraVars: { a: 'one', r: new Secret('three'), g: 1 } });
      expect(differences(before, now)).to.deep.equal([
        'limit was h1 and is not given',
        '-e g was not given',
        '-e r is another',
      ]);
      expect(JSON.stringify(before)).to.not.match(/two|one"/);
    }));

  it('tells that an answer to a prompt is another', () =>
    withFiles(
      async (folder) => {
        const answering = (answer: string): Partial<RunRequest> => ({
          ask: async ([play]) => new Map([[play?.id ?? '', { pin: answer }]]),
        });
        const before = await take(folder, answering('1234'));
        const now = await take(folder, answering('1235'));
        expect(differences(before, now)).to.have.length(1);
        expect(differences(before, now)[0]).to.match(/^the answer to pin of .* is another$/);
      },
      {
        'play.yaml':
          '- hosts: web\n  vars_prompt: [{ name: pin, prompt: PIN }]\n  tasks: [{ debug: { message: "{{ pin }}" } }]\n',
      },
    ));

  it('tells of another engine and of other code of its own', () =>
    withFiles(async (folder) => {
      const now = await take(folder);
      expect(differences({ ...now, engine: '0.0.1', builtInModules: 'x' }, now)).to.deep.equal([
        `runbook was 0.0.1 and is ${now.engine}`,
        "runbook's own code changed",
      ]);
    }));

  it('compares nothing that was made with another key', () =>
    withFiles(async (folder) => {
      const now = await take(folder);
      const other = runKeyOf(Buffer.alloc(32, 2));
      expect(differences({ ...now, key: other.id }, now)).to.have.length(1);
      expect(other.digest('file', 'x')).to.not.equal(key.digest('file', 'x'));
    }));
});

describe('the key of a controller', () => {
  it('is made once, for its owner alone', () =>
    withTemporaryFolder(async (folder) => {
      const { statSync } = await import('node:fs');
      const [first, second] = [readRunKey(join(folder, 'k')), readRunKey(join(folder, 'k'))];
      expect(first.id).to.equal(second.id);
      expect(first.digest('a', 'b')).to.equal(second.digest('a', 'b'));
      expect(statSync(join(folder, 'k', 'key')).mode & 0o777).to.equal(0o600);
    }));

  it('that is damaged is refused', () =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, { key: 'short\n' });
      expect(() => readRunKey(folder)).to.throw(/is no key of runbook/);
    }));
});

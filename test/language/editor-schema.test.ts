import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { inventoryDefinitions, inventoryFiles } from '../../engine/inventory/editor-schema.ts';
import type { EditorSchema } from '../../engine/language/editor-schema/parts.ts';
import { editorSchema, keywordDefinition } from '../../engine/language/editor-schema.ts';
import { type Holder, keywords } from '../../engine/language/keywords.ts';
import { loadModules } from '../../engine/module/loader.ts';
import type { Registry } from '../../engine/module/registry.ts';
import { projectRoot } from '../support/cli.ts';
import { yamlData } from '../support/yaml-data.ts';
import { registry as fakes, load } from './fakes.ts';

/** What keywords stand on, with one keyword more. */
type Framed = 'play' | 'task' | 'handler' | 'block' | 'lease' | 'import_tasks' | 'include_tasks' | 'meta';
const frames: Readonly<Record<Framed, (keyword: object) => object>> = {
  play: (keyword) => ({ hosts: 'all', ...keyword }),
  task: (keyword) => ({ hosts: 'all', tasks: [{ command: { cmd: 'ls' }, ...keyword }] }),
  handler: (keyword) => ({ hosts: 'all', handlers: [{ name: 'h', command: { cmd: 'ls' }, ...keyword }] }),
  block: (keyword) => ({ hosts: 'all', tasks: [{ block: [{ command: { cmd: 'ls' } }], ...keyword }] }),
  lease: (keyword) => ({
    hosts: 'all',
    tasks: [{ block: [{ command: { cmd: 'ls' } }], lease: { drain: { node: 'n' }, ...keyword } }],
  }),
  import_tasks: (keyword) => ({ hosts: 'all', tasks: [{ import_tasks: 'a.yaml', ...keyword }] }),
  include_tasks: (keyword) => ({ hosts: 'all', tasks: [{ include_tasks: 'a.yaml', ...keyword }] }),
  meta: (keyword) => ({ hosts: 'all', tasks: [{ meta: 'flush_handlers', ...keyword }] }),
};

/** Keywords that make a thing what it is. */
const structural: ReadonlySet<string> = new Set(['import_tasks', 'include_tasks', 'block']);

/** Keywords whose values a schema cannot judge whole: it knows no CEL, no other file, and no handler. */
const looser: ReadonlySet<string> = new Set([
  ...['when', 'until', 'changed_when', 'failed_when', 'max_per_group'],
  ...['vars_files', 'roles', 'notify', 'inputs'],
  // Of all but tasks it is written out.
  'name',
]);

/** Values of every shape, such as people write. */
const odd: readonly unknown[] = [
  ...[null, true, false, 0, 1, 3, 2.5, -1, '', ' ', 'yes', 'no', 'a', 'a.yaml', 'a b', '5', '0', '30%', '101%', '30s'],
  ...[
    '500ms',
    '1.5h',
    '5 m',
    '5x',
    'true',
    'all',
    'web:&db',
    '{{ x }}',
    'a {{ x }}',
    'item',
    'a == 1',
    'batch',
    'auto',
  ],
  ...['keep', 'linear', 'free', 'sorted', 'end_host', 'root', 'drain', 'a, b'],
  ...[[], ['a'], ['a', 'b'], [1, '50%'], [1, 2], ['{{ x }}'], [true], [null], [{}], [['a']]],
  ...[{}, { a: 1 }, { a: '{{ x }}' }, { 'a-b': 1 }, { item: 1 }, { window: 2 }, { window: '20%' }, { window: 0 }],
  ...[{ by: 'zone', n: 1 }, { by: 'zone' }, { loop_var: 'x' }, { index_var: 'i', label: '{{ i }}', pause: 2 }],
  ...[{ copy: { backup: true } }, { copy: null }, { command: {} }, [{ command: { cmd: 'ls' } }]],
  ...[[{ name: 'h', command: { cmd: 'ls' } }], { drain: { node: 'n' } }, [{ meta: 'end_play' }], [{ name: 'v' }]],
  ...[[{ name: 'v', prompt: 'V?', private: false, default: 'x', confirm: true }], { x: { type: 'string' } }],
  ...[{ x: { type: 'integer', default: 3, minimum: 1, description: 'x', required: false, enum: [1, 2, 3] } }],
];

/** Which of these plays loading refuses. All are loaded at once: making a validator costs more than all of them. */
async function refusedPlays(plays: readonly string[]): Promise<ReadonlySet<number>> {
  const starts = plays.map((_, i) => plays.slice(0, i).join('').length);
  try {
    await load({ 'play.yaml': plays.join(''), 'a.yaml': '- command: ls\n' });
    return new Set();
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const places = error.diagnostics.map(({ range }) => range?.start ?? 0);
    return new Set(places.map((place) => starts.findLastIndex((start) => start <= place)));
  }
}

/** A judge of YAML texts: `''`, or what is wrong. */
function judge(registry: Registry): (text: string) => string {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const validate = ajv.compile(editorSchema(registry, inventoryFiles(), inventoryDefinitions()));
  return (text) => (validate(yamlData(text)) ? '' : ajv.errorsText(validate.errors, { separator: '\n' }));
}

function definitions(registry: Registry): Readonly<Record<string, EditorSchema>> {
  return editorSchema(registry).definitions as Readonly<Record<string, EditorSchema>>;
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('the schema for editors', () => {
  const check = judge(fakes);

  it('defines every keyword with its meaning and its difference, and has it on everything that it can stand on', () => {
    const all = definitions(fakes);
    for (const { name, on, summary, differs } of keywords) {
      const definition = all[keywordDefinition(name)];
      expect(definition?.title).to.equal(name);
      expect(definition?.description)
        .to.contain(summary)
        .and.contain(differs ?? '');
      expect(definition?.markdownDescription)
        .to.contain(summary)
        .and.contain(differs ?? '');
      for (const holder of on) expect(all[holder]?.properties, `${name} on ${holder}`).to.have.property(name);
    }
  });

  it('has no keyword where none can stand', () => {
    const all = definitions(fakes);
    const refuses = (holder: Holder, keyword: string): unknown =>
      (all[holder]?.properties as Record<string, unknown>)[keyword];
    expect(refuses('play', 'register')).to.equal(undefined);
    expect(refuses('block', 'loop')).to.equal(undefined);
    expect(refuses('task', 'listen')).to.equal(undefined);
  });

  describe('with the built-in modules', () => {
    let registry: Registry;
    let judged: (text: string) => string;
    before(async () => {
      registry = await loadModules({});
      judged = judge(registry);
    });

    it('accepts every playbook, role and inventory of this repository', async () => {
      const files = [...(await filesUnder('playbooks')), ...(await filesUnder('inventories'))];
      expect(files.length).to.be.above(10);
      for (const file of files) expect(judged(await readFile(file, 'utf8')), file).to.equal('');
    });

    it('accepts the examples of every module', () => {
      for (const name of registry.names()) expect(judged(registry.get(name)?.examples ?? '[]'), name).to.equal('');
    });
  });

  describe('accepts what loading accepts, and refuses what it refuses', () => {
    for (const holder of Object.keys(frames) as Framed[]) {
      it(`on ${holder}`, async () => {
        const own = keywords.filter(({ on, name }) => on.includes(holder) && !structural.has(name));
        let accepted = 0;
        for (const { name } of own) {
          const plays = odd.map((value) => stringify([frames[holder]({ [name]: value })]));
          const refused = await refusedPlays(plays);
          for (const [i, play] of plays.entries()) {
            const what = `${name}: ${JSON.stringify(odd[i])} on ${holder}`;
            if (!refused.has(i)) expect(check(play), what).to.equal('');
            else if (!looser.has(name)) expect(check(play), what).not.to.equal('');
            accepted += refused.has(i) ? 0 : 1;
          }
        }
        expect(accepted).to.be.above(5);
      });
    }
  });

  const mistakes: Readonly<Record<string, string>> = {
    'a misspelt keyword of a play': '- hosts: all\n  gather_fact: true',
    'a misspelt keyword of a task': '- hosts: all\n  tasks: [{copy: {dest: /x}, whn: a}]',
    'a misspelt argument': '- hosts: all\n  tasks: [{copy: {dst: /x, dest: /y}}]',
    'a module that does not exist': '- hosts: all\n  tasks: [{copyy: {dest: /x}}]',
    'an argument that is missing': '- hosts: all\n  tasks: [{copy: {content: x}}]',
    'an argument of a wrong type': '- hosts: all\n  tasks: [{copy: {dest: /x, backup: 5}}]',
    'yes for true': '- hosts: all\n  tasks: [{copy: {dest: /x, backup: yes}}]',
    'a word that is none of those allowed': '- hosts: all\n  tasks: [{copy: {dest: /x, state: gone}}]',
    'a mode that is a number': '- hosts: all\n  tasks: [{copy: {dest: /x, mode: 0644}}]',
    'two modules': '- hosts: all\n  tasks: [{copy: {dest: /x}, command: {cmd: ls}}]',
    'no module': '- hosts: all\n  tasks: [{name: x}]',
    'a lease as a task': '- hosts: all\n  tasks: [{drain: {node: x}}]',
    'a module as a lease': '- hosts: all\n  tasks: [{block: [], lease: {command: {cmd: ls}}}]',
    'a play without hosts': '- name: x\n  tasks: []',
    'a keyword of a task on a block': '- hosts: all\n  tasks: [{block: [], loop: [1]}]',
    'rescue without a block': '- hosts: all\n  tasks: [{rescue: []}]',
    'a serial of 0': '- hosts: all\n  serial: 0',
    'a strategy that does not exist': '- hosts: all\n  strategy: fast',
    'a condition in braces': '- hosts: all\n  tasks: [{command: {cmd: ls}, when: "{{ x }}"}]',
    'a loop over a name': '- hosts: all\n  tasks: [{command: {cmd: ls}, loop: items}]',
    'a keyword of Ansible that is not here': '- hosts: all\n  tasks: [{command: {cmd: ls}, with_items: [1]}]',
    'a misspelt argument in a file of tasks': '- name: x\n  copy: {dest: /x, contnt: y}',
    'a misspelt key of a group': 'all:\n  hots: {a: }',
    'a port that is none': 'web:\n  hosts: {a: {ansible_port: ssh}}',
    'a name that no variable can have': 'a-b: 1\nc: 2',
    'a misspelt word of an input': 'a: {type: string, dfault: x}',
    'an input without a type': 'a: {type: string}\nb: {description: x}',
    'a misspelt key of a cluster': 'source: kubernetes\ncontxt: x',
    'a role that a role needs and that has no name': 'dependencies: [{vars: {a: 1}}]',
    'module_defaults for no module': '- hosts: all\n  module_defaults: {copyy: {}}',
    'module_defaults for no argument': '- hosts: all\n  module_defaults: {copy: {dst: /x}}',
    'a template where there are no variables yet': '- hosts: all\n  tasks: [{import_tasks: "{{ x }}.yaml"}]',
  };
  for (const [what, text] of Object.entries(mistakes)) {
    it(`rejects ${what}`, () => {
      expect(check(text)).not.to.equal('');
    });
  }

  it('accepts templates and expressions in place of typed arguments', () => {
    expect(check('- hosts: all\n  tasks: [{copy: {dest: /x, backup: "{{ x }}"}}]')).to.equal('');
    expect(check('- hosts: all\n  tasks: [{copy: {dest: /x, backup: !expr a && b}}]')).to.equal('');
    expect(check('- hosts: all\n  tasks: [{copy: {dest: /x, options: "{{ x }}"}}]')).to.equal('');
    expect(check('- hosts: all\n  tasks: [{copy: {dest: /x, options: {retries: "{{ x }}"}}}]')).to.equal('');
  });

  const files: Readonly<Record<string, string>> = {
    'an inventory': 'all:\n  vars: {ansible_user: root}\n  children:\n    web: {hosts: {"n[1:3]": {ansible_port: 22}}}',
    'an inventory without all': 'web:\n  hosts: {a: , b: {zone: x}}\ndb:\n  children: {web: }',
    'a cluster': 'source: kubernetes\ncontext: prod\ngroup_labels: [zone]\naddress: Hostname',
    variables: 'a: 1\nhosts: [x]\nb: {hosts: [c]}\nc: "{{ a }}"\nd: !expr a + 1',
    'encrypted variables': 'a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162',
    'inputs of a role': 'port: {type: integer, default: 80, minimum: 1}\nname: {enum: [a, b], required: true}',
    'what a role needs': 'dependencies: [common, {role: users, vars: {a: 1}}]\ngalaxy_info: {author: x}',
    'handlers of a role': '- name: restart\n  listen: [a]\n  command: {cmd: ls}',
    'tasks of a role': '- block:\n    - command: {cmd: ls}\n  rescue: []\n- import_role: x\n- meta: end_host',
  };
  for (const [what, text] of Object.entries(files)) {
    it(`accepts ${what}`, () => {
      expect(check(text)).to.equal('');
    });
  }

  it('says what to do instead of a keyword of Ansible', () => {
    const properties = definitions(fakes).task?.properties as Record<string, EditorSchema>;
    expect(properties.with_items?.errorMessage).to.equal('with_items is not supported: use loop.');
  });
});

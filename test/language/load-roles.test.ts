import { expect } from 'chai';
import type { Block, Node, Play, Task } from '../../engine/language/playbook.ts';
import { createScope } from '../../engine/language/scope.ts';
import { asTask, load, mistakesOf } from './fakes.ts';

type Files = Readonly<Record<string, string>>;

async function playOf(files: Files): Promise<Play> {
  const [play] = (await load(files)).playbook.plays;
  if (!play) throw new Error('no play');
  return play;
}

function asRole(node: Node | undefined): Block {
  if (node?.kind !== 'block' || !node.role) throw new Error('not the use of a role');
  return node;
}

async function roleOf(files: Files): Promise<Block> {
  return asRole((await playOf(files)).tasks[0]);
}

const roles = (list: string, more = ''): string => `- hosts: all\n  roles: ${list}\n${more}`;

/** What a task sees of its layers alone. */
const scopeOf = (task: Task, inventory: Record<string, unknown> = {}): Record<string, unknown> =>
  createScope([...task.defaults, inventory, ...task.vars]);

describe('roles of a play', () => {
  const nginx = {
    'roles/nginx/defaults/main.yaml': 'port: 80\nuser: www\nlog: "/var/log/{{ user }}"\n',
    'roles/nginx/vars/main.yml': 'service: nginx\nuser2: "{{ user }}"\n',
    'roles/nginx/tasks/main.yaml':
      '- command: run {{ service }} {{ port }}\n  notify: restart\n- import_tasks: more.yaml\n',
    'roles/nginx/tasks/more.yaml': '- command: ls\n',
    'roles/nginx/handlers/main.yaml': '- {name: restart, command: "restart {{ service }}", listen: web}\n',
  };

  it('are blocks before the tasks, with the tasks of their files', async () => {
    const play = await playOf({
      'play.yaml': roles(
        '[nginx, {role: nginx, name: Again}]',
        '  tasks: [{command: x}]\n  pre_tasks: [{command: y}]\n',
      ),
      ...nginx,
    });
    expect(play.tasks.map((node) => [node.id, node.name])).to.deep.equal([
      ['play-1/pre/1', 'command'],
      ['play-1/pre/flush', 'flush_handlers'],
      ['play-1/roles/1', 'nginx'],
      ['play-1/roles/2', 'Again'],
      ['play-1/1', 'command'],
    ]);
    const role = asRole(play.tasks[2]);
    expect(role.role).to.deep.include({ name: 'nginx', inputs: [], when: [] });
    expect(role.body.map((node) => node.id)).to.deep.equal(['play-1/roles/1.body.1', 'play-1/roles/1.body.2.import.1']);
  });

  it('have defaults under the inventory, vars over it, and the vars of the use over these', async () => {
    const { body } = await roleOf({
      'play.yaml': roles('[{role: nginx, vars: {service: mine}}]'),
      ...nginx,
    });
    const task = asTask(body[0]);
    expect({ ...scopeOf(task) }).to.deep.equal({
      port: 80,
      user: 'www',
      log: '/var/log/www',
      service: 'mine',
      user2: 'www',
    });
    const inventory = { port: 81, user: 'u', service: 'inventory' };
    expect({ ...scopeOf(task, inventory) }).to.deep.include({
      port: 81,
      user2: 'u',
      log: '/var/log/u',
      service: 'mine',
    });
    expect(asTask((await roleOf({ 'play.yaml': roles('[nginx]'), ...nginx })).body[0]).vars).to.have.length(1);
  });

  it('hand down what the use says and what is around it', async () => {
    const play = await playOf({
      'play.yaml': `- hosts: all\n  tags: p\n  roles:\n    - role: nginx\n      when: a\n      tags: t\n      become: true\n`,
      ...nginx,
    });
    const use = asRole(play.tasks[0]);
    const task = asTask(use.body[0]);
    expect(task.when.map((w) => w.text)).to.deep.equal(['a']);
    expect(use.role?.when.map((w) => w.text)).to.deep.equal(['a']);
    expect(task.tags).to.deep.equal(['p', 't']);
    const [handler] = play.handlers;
    expect([task.become?.render({}), handler?.become?.render({}), handler?.when]).to.deep.equal([true, true, []]);
  });

  it('find files in their own folder first', async () => {
    const files = { 'books/play.yaml': roles('[nginx]') };
    const moved = Object.fromEntries(Object.entries(nginx).map(([path, text]) => [`books/${path}`, text]));
    const { body } = await roleOf({ ...files, ...moved });
    expect(asTask(body[0]).folders).to.deep.equal(['books/roles/nginx', 'books/roles/nginx/tasks', 'books']);
  });

  it('bring their handlers once, after those of the play', async () => {
    const play = await playOf({
      'play.yaml': roles('[nginx, nginx]', '  handlers: [{name: own, command: x}]\n'),
      ...nginx,
    });
    expect(play.handlers.map((h) => [h.id, h.name, h.listen])).to.deep.equal([
      ['play-1/handlers/1', 'own', []],
      ['play-1/handlers/nginx/1', 'nginx : restart', ['web']],
    ]);
    expect(play.handlers[1]?.args.render(scopeOf(play.handlers[1]))).to.deep.equal({ cmd: 'restart nginx' });
  });

  it('can be imported among tasks, in blocks too', async () => {
    const play = await playOf({
      'play.yaml': `
- hosts: all
  tasks:
    - block:
        - import_role: nginx
          vars: {port: 1}
      when: a
      vars: {around: 2}
`,
      ...nginx,
    });
    const block = play.tasks[0];
    const use = asRole(block?.kind === 'block' ? block.body[0] : undefined);
    expect(use.id).to.equal('play-1/1.body.1');
    const task = asTask(use.body[0]);
    expect(task.when.map((w) => w.text)).to.deep.equal(['a']);
    expect({ ...scopeOf(task) }).to.deep.include({ port: 1, around: 2, service: 'nginx' });
    expect(play.handlers).to.have.length(1);
  });

  it('are found beside the file that names them, beside the role around, and beside the playbook', async () => {
    const play = await playOf({
      'books/play.yaml': '- hosts: all\n  roles: [outer]\n  tasks: [{import_tasks: ../lib/t.yaml}]\n',
      'lib/t.yaml': '- import_role: local\n- import_role: shared\n',
      'lib/roles/local/tasks/main.yaml': '- command: local\n',
      'books/roles/shared/tasks/main.yaml': '- command: shared\n',
      'books/roles/outer/tasks/main.yaml': '- import_role: shared\n- import_role: within\n',
      'books/roles/outer/tasks/roles/within/tasks/main.yaml': '- command: within\n',
    });
    const commands = (nodes: readonly Node[]): string[] =>
      nodes.flatMap((node) => (node.kind === 'block' ? commands(node.body) : [String(asTask(node).args.written)]));
    const written = (nodes: readonly Node[]): unknown[] =>
      nodes.flatMap((node) => (node.kind === 'block' ? written(node.body) : [asTask(node).args.render({})]));
    expect(commands(play.tasks)).to.have.length(4);
    expect(written(play.tasks)).to.deep.equal(['shared', 'within', 'local', 'shared'].map((cmd) => ({ cmd })));
  });

  it('run what they depend on first, with what they hand down', async () => {
    const { body } = await roleOf({
      'play.yaml': roles('[{role: app, when: a}]'),
      'roles/app/meta/main.yaml': 'galaxy_info: {author: me}\ndependencies: [base, {role: base, vars: {n: 2}}]\n',
      'roles/app/tasks/main.yaml': '- command: app\n',
      'roles/app/defaults/main.yaml': 'n: 1\n',
      'roles/base/tasks/main.yaml': '- command: base {{ n }}\n',
    });
    expect(body.map((node) => [node.id, node.name])).to.deep.equal([
      ['play-1/roles/1.needs.1', 'base'],
      ['play-1/roles/1.needs.2', 'base'],
      ['play-1/roles/1.body.1', 'command'],
    ]);
    const tasks = body.slice(0, 2).map((node) => asTask(asRole(node).body[0]));
    expect(tasks.map((task) => task.args.render(scopeOf(task)))).to.deep.equal([{ cmd: 'base 1' }, { cmd: 'base 2' }]);
    expect(tasks[0]?.when.map((w) => w.text)).to.deep.equal(['a']);
  });

  const wrong: readonly (readonly [string, Files, string])[] = [
    [
      'a role that is not there',
      { 'books/play.yaml': roles('[ngnix]'), 'books/roles/nginx/tasks/main.yaml': '[]' },
      'books/play.yaml:2:11: error: there is no role "ngnix"; looked in books/roles\n',
    ],
    [
      'a misspelt role',
      { 'play.yaml': roles('[ngnix]'), 'roles/nginx/tasks/main.yaml': '[]' },
      'did you mean "nginx"?',
    ],
    [
      'a role whose name is like none',
      { 'play.yaml': roles('[x]'), 'roles/nginx/tasks/main.yaml': '[]' },
      'the roles are nginx',
    ],
    ['a role of a collection', { 'play.yaml': roles('[a.b.c]') }, 'roles of collections are not supported'],
    ['a name instead of a list', { 'play.yaml': roles('nginx') }, 'roles must be a list, not the text "nginx"'],
    ['a template as a name', { 'play.yaml': roles('["{{ x }}"]') }, 'a role must be written out'],
    ['a role without its name', { 'play.yaml': roles('[{when: a}]') }, 'write "- role: NAME"'],
    [
      'inputs beside the keywords',
      { 'play.yaml': roles('[{role: nginx, port: 81}]'), ...nginx },
      '"port" is no keyword',
    ],
    ['a misspelt keyword', { 'play.yaml': roles('[{role: nginx, whn: a}]'), ...nginx }, 'did you mean "when"?'],
    [
      'a map under import_role',
      { 'play.yaml': '- hosts: all\n  tasks: [{import_role: {name: nginx}}]\n', ...nginx },
      'write "import_role: NAME"',
    ],
    ['include_role', { 'play.yaml': '- hosts: all\n  tasks: [{include_role: nginx}]\n', ...nginx }, 'use import_role'],
    [
      'both spellings of a file',
      { 'play.yaml': roles('[nginx]'), ...nginx, 'roles/nginx/vars/main.yaml': 'a: 1\n' },
      'the role has both roles/nginx/vars/main.yaml and roles/nginx/vars/main.yml',
    ],
    [
      'a role inside itself',
      {
        'play.yaml': roles('[a]'),
        'roles/a/tasks/main.yaml': '- import_role: b\n',
        'roles/b/meta/main.yaml': 'dependencies: [a]\n',
      },
      'roles/b/meta/main.yaml:1:16: error: the role "a" never ends: a → b → a',
    ],
    [
      'a mistake in a file of a role',
      { 'play.yaml': roles('[a]'), 'roles/a/tasks/main.yaml': '- comand: ls\n' },
      'roles/a/tasks/main.yaml:1:3: error: unknown module "comand"',
    ],
    [
      'two roles of the same name',
      {
        'play.yaml': roles('[a]', '  tasks: [{import_tasks: more/t.yaml}]\n'),
        'more/t.yaml': '- import_role: a\n',
        'more/roles/a/tasks/main.yaml': '[]\n',
        'roles/a/tasks/main.yaml': '[]\n',
      },
      'this play uses another role "a"',
    ],
    [
      'a role as a handler',
      { 'play.yaml': '- hosts: all\n  handlers: [{import_role: nginx}]\n', ...nginx },
      'cannot be a handler',
    ],
  ];
  for (const [what, files, message] of wrong) {
    it(`refuse ${what}`, async () => expect(await mistakesOf(files)).to.contain(message));
  }
});

describe('handlers of roles', () => {
  const two = {
    'roles/a/tasks/main.yaml': '- {command: a, notify: restart}\n',
    'roles/a/handlers/main.yaml': '- {name: restart, command: a, notify: after}\n- {name: after, command: a}\n',
    'roles/b/tasks/main.yaml': '- {command: b, notify: [restart, topic]}\n',
    'roles/b/handlers/main.yaml': '- {name: restart, command: b, listen: topic}\n- {name: only b, command: b}\n',
  };
  const notifies = async (task: string, more = ''): Promise<readonly string[]> => {
    const play = await playOf({
      'play.yaml': roles('[a, b]', `  tasks: [{command: x, notify: ${task}}]\n${more}`),
      ...two,
    });
    return asTask(play.tasks.at(-1)).notify;
  };

  it('are meant before others by the tasks and handlers of their role', async () => {
    const play = await playOf({
      'play.yaml': roles('[a, b]', '  handlers: [{name: restart, command: x}]\n'),
      ...two,
    });
    const [a, b] = play.tasks.map((node) => asTask(asRole(node).body[0]).notify);
    expect([a, b]).to.deep.equal([['a : restart'], ['b : restart', 'topic']]);
    expect(play.handlers.find((h) => h.name === 'a : restart')?.notify).to.deep.equal(['a : after']);
  });

  it('are meant by their name where only one has it, by role and name, and by topic', async () => {
    expect(await notifies('only b')).to.deep.equal(['b : only b']);
    expect(await notifies('"a : restart"')).to.deep.equal(['a : restart']);
    expect(await notifies('topic')).to.deep.equal(['topic']);
    expect(await notifies('restart', '  handlers: [{name: restart, command: x}]\n')).to.deep.equal(['restart']);
  });

  it('have to be told apart', async () => {
    const text = roles('[a, b]', '  tasks: [{command: x, notify: restart}]\n');
    expect(await mistakesOf({ 'play.yaml': text, ...two })).to.contain('write "a : restart" or "b : restart"');
    const other = roles('[a, b]', '  tasks: [{command: x, notify: "b : restrt"}]\n');
    expect(await mistakesOf({ 'play.yaml': other, ...two })).to.contain('did you mean "b : restart"?');
  });
});

describe('inputs', () => {
  const withInputs = (inputs: string, more = ''): string =>
    `- hosts: all\n  inputs:\n${inputs.trim().replace(/^/gm, '    ')}\n${more}`;

  it('of a play are typed, with their defaults in the lowest layer', async () => {
    const play = await playOf({
      'play.yaml': withInputs(`
version: {type: string, description: which, pattern: "^v", default: v1}
size: {type: integer, minimum: 1, required: false}
name: {type: string}
zones: {type: array, items: {type: object, required: [n], properties: {n: {type: string}}}, default: [{n: a}]}
path: {type: string, default: "/srv/{{ name }}"}
kind: {enum: [a, b], required: true}
`),
    });
    const inputs = play.inputs.map(({ name, isRequired }) => [name, isRequired]);
    expect(inputs).to.deep.equal([
      ['version', false],
      ['size', false],
      ['name', true],
      ['zones', false],
      ['path', false],
      ['kind', true],
    ]);
    expect(play.inputs[0]?.schema).to.deep.equal({
      type: 'string',
      description: 'which',
      pattern: '^v',
      default: 'v1',
    });
    expect(play.inputs[4]?.schema).to.deep.equal({ type: 'string' });
    expect({ ...createScope([play.defaults, { name: 'x' }]) }).to.deep.equal({
      version: 'v1',
      zones: [{ n: 'a' }],
      path: '/srv/x',
      name: 'x',
    });
  });

  it('of several plays are in one file, beside the playbook', async () => {
    const text = '- hosts: all\n  inputs: in/inputs.yaml\n  tasks: []\n';
    const play = await playOf({ 'play.yaml': text, 'in/inputs.yaml': 'size: {type: integer, default: 3}\n' });
    expect(play.inputs.map(({ name, range }) => [name, range.source.path])).to.deep.equal([['size', 'in/inputs.yaml']]);
    expect({ ...createScope([play.defaults]) }).to.deep.equal({ size: 3 });
    expect(await mistakesOf({ 'play.yaml': text })).to.contain('play.yaml:2:11: error: cannot read in/inputs.yaml');
    const wrong = await mistakesOf({ 'play.yaml': text, 'in/inputs.yaml': 'size: {type: size}\n' });
    expect(wrong).to.contain('in/inputs.yaml:1:14: error: ');
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['version: string', 'the input "version" must be a map, not the text "string"'],
    ['version: {}', 'the input "version" has no type'],
    ['version: {typ: string}', 'did you mean "type"?'],
    ['version: {type: text}', 'type must be a type, not the text "text"'],
    ['version: {type: string, required: yes}', 'required must be true or false'],
    ['version: {type: string, required: true, default: x}', 'so that its default is never used'],
    ['version: {type: integer, default: x}', 'the default does not fit: "version" must be a whole number, not "x"'],
    ['version: {type: string, pattern: "("}', 'pattern is no valid regular expression'],
    ['version: {enum: a}', 'enum must be a list of values, not the text "a"'],
    ['version: {anyOf: [{type: object, properties: {a: {default: x}}}]}', 'the inputs are no JSON Schema'],
    ['version: {type: integer, minimum: "1"}', 'minimum must be a number, not the text "1"'],
    ['version: {type: array, items: {type: strin}}', 'type must be a type'],
    ['version: {type: object, properties: {a: {required: true}}}', 'required must be a list of keys'],
    ['version: {anyOf: string}', 'anyOf must be a list of schemas'],
    ['facts: {type: string}', '"facts" is provided by the engine'],
    ['a-b: {type: string}', 'write a_b'],
  ];
  for (const [text, message] of wrong) {
    it(`refuse ${text}`, async () => expect(await mistakesOf(withInputs(text))).to.contain(message));
  }

  it('of a play have to fit where vars give them', async () => {
    const text = withInputs('size: {type: integer}', '  vars: {size: big, other: 1}\n');
    const mistakes = await mistakesOf(text);
    expect(mistakes).to.contain('play.yaml:4:16: error: "size" must be a whole number, not "big"');
    expect(mistakes.match(/error:/g)).to.have.length(1);
    expect(await mistakesOf(withInputs('size: {type: integer}', '  vars: {size: "{{ x }}"}\n'))).to.equal('');
  });

  const role = {
    'roles/r/inputs.yaml': 'port: {type: integer, default: 80}\nname: {type: string}\nuser: {type: string}\n',
    'roles/r/defaults/main.yaml': 'user: www\nextra: 1\n',
    'roles/r/tasks/main.yaml': '- command: "{{ name }} {{ port }}"\n',
  };

  it('of a role are checked on every host, and their defaults are those of the role', async () => {
    const { role: use, body } = await roleOf({ 'play.yaml': roles('[{role: r, vars: {name: x, extra: 2}}]'), ...role });
    expect(use?.inputs.map(({ name, isRequired }) => [name, isRequired])).to.deep.equal([
      ['port', false],
      ['name', true],
      ['user', false],
    ]);
    const task = asTask(body[0]);
    expect(use?.vars).to.deep.equal(task.vars);
    expect(use?.defaults).to.deep.equal(task.defaults);
    expect(task.args.render(scopeOf(task))).to.deep.equal({ cmd: 'x 80' });
    expect(task.args.render(scopeOf(task, { port: 81 }))).to.deep.equal({ cmd: 'x 81' });
  });

  it('of a role refuse what does not fit, and what they do not know', async () => {
    const mistakes = await mistakesOf({ 'play.yaml': roles('[{role: r, vars: {port: "80", nam: x}}]'), ...role });
    expect(mistakes).to.contain('play.yaml:2:34: error: "port" must be a whole number, not "80"');
    expect(mistakes).to.contain('error: the role "r" has no input "nam"');
    expect(mistakes).to.contain('did you mean "name"?');
  });

  it('have one default', async () => {
    const files = { 'play.yaml': roles('[r]'), ...role, 'roles/r/defaults/main.yaml': 'port: 81\n' };
    expect(await mistakesOf(files)).to.contain(
      'roles/r/defaults/main.yaml:1:7: error: the input "port" has a default in roles/r/inputs.yaml already',
    );
  });
});

describe('vars_prompt', () => {
  const withPrompts = (list: string): string => `- hosts: all\n  vars_prompt: ${list}\n`;

  it('asks for variables, in private unless it says otherwise', async () => {
    const { prompts } = await playOf({
      'play.yaml': withPrompts('[{name: a}, {name: b, prompt: Which?, private: false, default: 3, confirm: true}]'),
    });
    expect(prompts.map(({ range: _, ...prompt }) => prompt)).to.deep.equal([
      { name: 'a', text: 'a', isPrivate: true, isConfirmed: false },
      { name: 'b', text: 'Which?', isPrivate: false, isConfirmed: true, default: '3' },
    ]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['{name: a}', 'vars_prompt must be a list, not a map'],
    ['[a]', 'a prompt must be a map, not the text "a"'],
    ['[{prompt: a}]', 'a prompt needs "name"'],
    ['[{name: a}, {name: a}]', '"a" is asked for twice'],
    ['[{name: a, encrypt: sha512_crypt}]', '"encrypt" is not supported'],
    ['[{name: a, privat: false}]', 'did you mean "private"?'],
    ['[{name: a, default: "{{ x }}"}]', 'default must be written out'],
    ['[{name: facts}]', '"facts" is provided by the engine'],
  ];
  for (const [list, message] of wrong) {
    it(`refuses ${list}`, async () => expect(await mistakesOf(withPrompts(list))).to.contain(message));
  }
});

describe('import_playbook', () => {
  const files = {
    'site.yaml': `
- hosts: a
- import_playbook: more/web.yaml
  when: outer
  tags: t
  vars: {v: site, w: site}
  name: Web
- hosts: b
`,
    'more/web.yaml':
      '- hosts: c\n  vars: {v: play, x: play}\n  vars_files: [w.yaml]\n  tags: p\n  tasks: [{command: "{{ v }}", when: own}]\n- import_playbook: db.yaml\n  vars: {v: web, y: web}\n  when: inner\n',
    'more/w.yaml': 'w: file\n',
    'more/db.yaml': '- hosts: d\n  roles: [r]\n',
    'more/roles/r/tasks/main.yaml': '- command: r\n',
  };

  it('puts the plays of a playbook in its place, under ids of their own', async () => {
    const { plays } = (await load(files)).playbook;
    expect(plays.map((play) => [play.id, play.name])).to.deep.equal([
      ['play-1', 'a'],
      ['play-2.1', 'c'],
      ['play-2.2.1', 'd'],
      ['play-3', 'b'],
    ]);
  });

  it('hands down its condition, tags and variables', async () => {
    const { plays } = (await load(files)).playbook;
    const task = asTask(plays[1]?.tasks[0]);
    expect(task.when.map((w) => w.text)).to.deep.equal(['outer', 'own']);
    expect(task.tags).to.deep.equal(['t', 'p']);
    expect(task.folders).to.deep.equal(['more', '.']);
    expect({ ...createScope([plays[1]?.vars ?? {}]) }).to.deep.equal({ v: 'site', w: 'file', x: 'play' });
    expect({ ...createScope([plays[2]?.vars ?? {}]) }).to.deep.equal({ v: 'site', w: 'site', y: 'web' });
    const inRole = asTask(asRole(plays[2]?.tasks[0]).body[0]);
    expect(inRole.when.map((w) => w.text)).to.deep.equal(['outer', 'inner']);
  });

  const wrong: readonly (readonly [string, Files, string])[] = [
    [
      'itself',
      { 'a.yaml': '- import_playbook: b.yaml', 'b.yaml': '- import_playbook: a.yaml' },
      'never ends: a.yaml → b.yaml → a.yaml',
    ],
    ['what is not there', { 'a.yaml': '- import_playbook: b.yaml' }, 'cannot read b.yaml: '],
    [
      'a list of tasks',
      { 'a.yaml': '- import_playbook: b.yaml', 'b.yaml': '- command: ls' },
      'tasks stand under "tasks:"',
    ],
    [
      'with keywords of plays',
      { 'a.yaml': '- import_playbook: b.yaml\n  hosts: all', 'b.yaml': '- hosts: all' },
      '"hosts" is no keyword of an import of a playbook',
    ],
    ['by a template', { 'a.yaml': '- import_playbook: "{{ x }}.yaml"' }, 'import_playbook must be written out'],
  ];
  for (const [what, texts, message] of wrong) {
    it(`refuses ${what}`, async () => expect(await mistakesOf(texts)).to.contain(message));
  }
});

describe('module_defaults', () => {
  const text = `
- hosts: all
  module_defaults: {copy: {mode: "0644", backup: true}, command: {chdir: /play}}
  tasks:
    - copy: {dest: /x, mode: "0600"}
    - block:
        - copy: {dest: "{{ d }}"}
        - command: ls
      module_defaults: {copy: {backup: "{{ b }}"}}
`;

  it('are arguments that a task does not give; the nearest one wins, argument by argument', async () => {
    const [first, block] = (await playOf({ 'play.yaml': text })).tasks;
    expect(asTask(first).args.render({})).to.deep.equal({ dest: '/x', mode: '0600', backup: true });
    const [copy, command] = block?.kind === 'block' ? block.body.map(asTask) : [];
    expect(copy?.args.render({ d: '/y', b: false })).to.deep.equal({ dest: '/y', mode: '0644', backup: false });
    expect(command?.args.render({})).to.deep.equal({ cmd: 'ls', chdir: '/play' });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['{copi: {mode: "0644"}}', 'did you mean "copy"?'],
    ['{copy: {mod: "0644"}}', 'copy: unknown argument "mod"'],
    ['{copy: {mode: 644}}', 'play.yaml:2:34: error: copy: "mode" must be a string, not 644'],
    ['{copy: "0644"}', 'the defaults of copy must be a map'],
    ['[copy]', 'module_defaults must be a map, not a list'],
    ['{group/aws: {a: b}}', 'groups of modules are not supported'],
  ];
  for (const [defaults, message] of wrong) {
    it(`refuse ${defaults}`, async () =>
      expect(
        await mistakesOf(`- hosts: all\n  module_defaults: ${defaults}\n  tasks: [{copy: {dest: /x}}]\n`),
      ).to.contain(message));
  }

  it('satisfy what a module requires', async () => {
    const files = '- hosts: all\n  module_defaults: {copy: {dest: /x}}\n  tasks: [{copy: {}}]\n';
    expect(await mistakesOf(files)).to.equal('');
  });
});

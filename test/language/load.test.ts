import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { Secret } from '../../engine/base/secret.ts';
import { partlyKnown, UnknownValueError } from '../../engine/base/unknown.ts';
import { loadPlaybook } from '../../engine/language/load.ts';
import type { Block, Node } from '../../engine/language/playbook.ts';
import { createScope } from '../../engine/language/scope.ts';
import { loadModules } from '../../engine/module/loader.ts';
import { asTask, load, mistakesIn, mistakesOf, taskOf } from './fakes.ts';

const indented = (tasks: string): string => tasks.trim().replace(/^/gm, '    ');
const play = (tasks: string, head = ''): string => `- hosts: all\n${head}  tasks:\n${indented(tasks)}\n`;

async function nodesOf(text: string): Promise<readonly Node[]> {
  return (await load(text)).playbook.plays[0]?.tasks ?? [];
}

async function blockOf(text: string): Promise<Block> {
  const [node] = await nodesOf(text);
  if (node?.kind !== 'block') throw new Error('not a block');
  return node;
}

describe('loading a play', () => {
  it('reads its keywords', async () => {
    const text = `
- name: Everything
  hosts: "{{ target }}"
  serial: [1, "30%", 5]
  any_errors_fatal: true
  gather_facts: false
  vars: {a: 1, b: "{{ a }}"}
  tasks: []
`;
    const [loaded] = (await load(text)).playbook.plays;
    expect(loaded).to.deep.include({ id: 'play-1', name: 'Everything', anyErrorsFatal: true, gatherFacts: false });
    const sizes = [{ hosts: 1 }, { percent: 30 }, { hosts: 5 }];
    expect(loaded?.serial).to.deep.equal({ kind: 'batches', sizes });
    expect(loaded?.hosts.render({ target: 'web' })).to.equal('web');
    expect(createScope([loaded?.vars ?? {}]).b).to.equal(1);
  });

  it('is called by its hosts when it has no name', async () => {
    const { playbook } = await load('- hosts: "web:db"\n- hosts: [a, b]\n');
    expect(playbook.plays.map((p) => [p.id, p.name])).to.deep.equal([
      ['play-1', 'web:db'],
      ['play-2', '[a, b]'],
    ]);
    expect(playbook.plays[1]?.hosts.render({})).to.deep.equal(['a', 'b']);
  });

  it('lays vars_files over vars; they are found beside the playbook', async () => {
    const files = {
      'books/play.yaml': '- hosts: all\n  vars: {a: 1, b: 1}\n  vars_files: [vars/one.yaml, vars/two.yaml]\n',
      'books/vars/one.yaml': 'b: 2\nc: 2\n',
      'books/vars/two.yaml': 'c: "{{ a }}3"\n',
    };
    const { vars } = (await load(files)).playbook.plays[0] ?? {};
    expect({ ...createScope([vars ?? {}]) }).to.deep.equal({ a: 1, b: 2, c: '13' });
  });

  it('leaves it to the run whether facts are gathered, unless it says so', async () => {
    const lines = ['', '  gather_facts: true\n', '  gather_facts: false\n'];
    const plays = await Promise.all(lines.map((line) => load(play('- command: "{{ facts.x }}"', line))));
    expect(plays.map(({ playbook }) => playbook.plays[0]?.gatherFacts)).to.deep.equal([undefined, true, false]);
  });
});

describe('loading a task', () => {
  it('reads its keywords', async () => {
    const task = await taskOf(
      play(
        `
- name: Copy to {{ inventory_hostname }}
  copy: {dest: /x, content: "{{ text }}"}
  when: [a == 1, true]
  register: out
  loop: [1, "{{ b }}"]
  notify: [one]
  tags: "x, y"
  become: true
  become_user: "{{ user }}"
  delegate_to: localhost
  run_once: true
  until: out.rc == 0
  delay: 500ms
  changed_when: false
  failed_when: ["out.rc > 1"]
  ignore_errors: "{{ lenient }}"
  timeout: 5m
  vars: {text: hello}
  environment: {PATH: /bin, N: 1}
  no_log: true
`,
        '  handlers: [{name: one, command: ls}]\n',
      ),
    );
    expect(task).to.deep.include({
      id: 'play-1/1',
      name: 'Copy to {{ inventory_hostname }}',
      register: 'out',
      notify: ['one'],
      tags: ['x', 'y'],
      runOnce: 'run',
      retries: 3,
      delayMs: 500,
      timeoutMs: 300_000,
      noLog: true,
    });
    const scope = createScope([
      { inventory_hostname: 'n1', a: 1, b: 2, user: 'root', lenient: true, out: { rc: 0 } },
      ...task.vars,
    ]);
    expect(task.nameTemplate?.render(scope)).to.equal('Copy to n1');
    expect(task.when.map((w) => w.test(scope))).to.deep.equal([true, true]);
    expect(task.loop?.render(scope)).to.deep.equal([1, 2]);
    expect(
      [task.become, task.becomeUser, task.delegateTo, task.ignoreErrors].map((v) => v?.render(scope)),
    ).to.deep.equal([true, 'root', 'localhost', true]);
    expect(
      [task.until, task.changedWhen, task.failedWhen].map((list) => list?.map((e) => e.test(scope))),
    ).to.deep.equal([[true], [false], [false]]);
    expect(task.environment.map((e) => e.render(scope))).to.deep.equal([{ PATH: '/bin', N: 1 }]);
    expect(task.args.render(scope)).to.deep.equal({ dest: '/x', content: 'hello' });
  });

  it('has sensible defaults', async () => {
    const task = await taskOf(play('- command: ls'));
    expect(task).to.deep.include({ name: 'command', retries: 0, delayMs: 5000, noLog: false });
    expect([task.when, task.tags, task.notify, task.until, task.vars]).to.deep.equal([[], [], [], [], []]);
    expect('register' in task || 'become' in task || 'timeoutMs' in task).to.equal(false);
  });

  it('takes a lone text as the one argument that the module requires', async () => {
    expect((await taskOf(play('- command: ls -l {{ dir }}'))).args.render({ dir: '/x' })).to.deep.equal({
      cmd: 'ls -l /x',
    });
    expect((await taskOf(play('- set-fact:'))).args.render({})).to.deep.equal({});
  });

  it('takes a lone text as the argument that the module says, quotes and equal signs in it', async () => {
    const registry = await loadModules({});
    const loadReal = (task: string) =>
      loadPlaybook('play.yaml', { registry, readFile: async () => `- hosts: web\n  tasks:\n    - ${task}\n` });
    const { playbook } = await loadReal('command: ls -l a=1');
    const task = playbook.plays[0]?.tasks[0];
    expect(task?.kind === 'task' && task.args.render({})).to.include({ cmd: 'ls -l a=1' });
    for (const text of ['command: ls creates=/x', 'shell: make chdir=/src all', 'command: chdir=/src ls']) {
      expect(await mistakesIn(() => loadReal(text)), text).to.contain('"name=value" are not supported');
    }
    expect(await mistakesIn(() => loadReal(`shell: "echo 'creates=/x' --a=creates=1"`))).to.equal('');
  });

  it('gives arguments that are expressions as text and value', async () => {
    const task = await taskOf(play('- assert: {that: [a == 1, true]}'));
    expect(task.args.render({ a: 2 })).to.deep.equal({
      that: [
        { text: 'a == 1', value: false },
        { text: 'true', value: true },
      ],
    });
    expect(task.args.references.map((r) => r.path)).to.deep.equal([['a']]);
  });

  it('keeps the types of lone templates and of !expr', async () => {
    const task = await taskOf(play('- set-fact: {a: "{{ n }}", b: !expr "n * 2", c: "n={{ n }}", d: [x, "{{ n }}"]}'));
    expect(task.args.render({ n: 2 })).to.deep.equal({ a: 2, b: 4, c: 'n=2', d: ['x', 2] });
  });

  it('makes a text of a number where the module takes only text', async () => {
    const task = await taskOf(
      play('- copy: {dest: /x, content: "{{ n }}", backup: "{{ b }}", options: {retries: "{{ n }}"}}'),
    );
    expect(task.args.render({ n: 5, b: true })).to.deep.equal({
      dest: '/x',
      content: '5',
      backup: true,
      options: { retries: 5 },
    });
  });

  it('gives every rendering its own data, so that defaults filled in do not leak', async () => {
    const task = await taskOf(play('- copy: {dest: /x, options: "{{ options }}"}'));
    const scope = { options: { label: 'l' } };
    const args = task.args.render(scope) as { options: object };
    Object.assign(args.options, { retries: 3 });
    expect(scope.options).to.deep.equal({ label: 'l' });
    const literal = await taskOf(play('- copy: {dest: /x, options: {label: l}}'));
    expect(literal.args.render({})).to.not.equal(literal.args.render({}));
  });

  it('passes secrets on, and raises what cannot be known', async () => {
    const task = await taskOf(play('- copy: {dest: /x, content: "{{ v }}"}'));
    const secret = new Secret('x');
    expect(task.args.render({ v: secret })).to.deep.equal({ dest: '/x', content: secret });
    const unknown = await taskOf(play('- copy: {dest: /x, content: "{{ r.stdout }}"}'));
    expect(() => unknown.args.render({ r: partlyKnown({}, 'why') })).to.throw(UnknownValueError, 'why');
  });

  const fine = [
    '- copy: {dest: "{{ d }}", mode: "{{ m }}", backup: "{{ b }}", state: "{{ s }}"}',
    '- copy: {dest: /x, options: "{{ o }}"}',
    '- copy: {dest: /x, options: {retries: "{{ r }}"}}',
    '- copy: {dest: /x, options: {retries: !expr "1 + 1"}}',
  ];
  for (const text of fine) {
    it(`leaves what is not known yet to the run: ${text}`, async () =>
      expect(await mistakesOf(play(text))).to.equal(''));
  }
});

describe('loading blocks and imports', () => {
  it('folds what is around into the tasks, outer first, the nearest one winning', async () => {
    const text = `
- hosts: all
  become: true
  tags: p
  environment: {A: 1}
  timeout: 60
  tasks:
    - block:
        - command: ls
          when: c
          vars: {v: 3}
          environment: {B: 3}
          tags: [t, p]
          become_user: deploy
        - command: ls
      when: [a, b]
      vars: {v: 2}
      environment: {A: 2}
      tags: b
      become_user: admin
      delegate_to: other
      timeout: 30
      no_log: true
`;
    const { body } = await blockOf(text);
    const [first, second] = body.map(asTask);
    expect(first?.when.map((w) => w.text)).to.deep.equal(['a', 'b', 'c']);
    expect(createScope(first?.vars ?? []).v).to.equal(3);
    expect(first?.environment.map((e) => e.render({}))).to.deep.equal([{ A: 1 }, { A: 2 }, { B: 3 }]);
    expect(first).to.deep.include({ tags: ['p', 'b', 't'], timeoutMs: 30_000, noLog: true });
    expect(
      [first?.become, first?.becomeUser, second?.becomeUser, first?.delegateTo].map((v) => v?.render({})),
    ).to.deep.equal([true, 'deploy', 'admin', 'other']);
  });

  it('names tasks by their position, at any depth', async () => {
    const files = {
      'play.yaml': play(
        `
- command: a
- block:
    - command: b
    - block: [{command: c}]
      rescue: [{command: d}]
      always: [{command: e}]
  lease:
    drain: {node: n}
- import_tasks: more.yaml
- command: f
`,
        '  handlers: [{name: h, command: x}]\n',
      ),
      'more.yaml': '- command: g\n- command: h\n',
    };
    const { playbook } = await load(files);
    const ids: string[] = [];
    const visit = (node: Node): void => {
      ids.push(node.id);
      if (node.kind !== 'block') return;
      if (node.lease) ids.push(node.lease.task.id);
      for (const inner of [...node.body, ...node.rescue, ...node.always]) visit(inner);
    };
    for (const node of [...(playbook.plays[0]?.tasks ?? []), ...(playbook.plays[0]?.handlers ?? [])]) visit(node);
    expect(ids).to.deep.equal([
      ...['play-1/1', 'play-1/2', 'play-1/2.lease', 'play-1/2.body.1', 'play-1/2.body.2', 'play-1/2.body.2.body.1'],
      ...['play-1/2.body.2.rescue.1', 'play-1/2.body.2.always.1', 'play-1/3.import.1', 'play-1/3.import.2', 'play-1/4'],
      'play-1/handlers/1',
    ]);
  });

  it('reads a lease with its own condition and policy', async () => {
    const { lease } = await blockOf(
      play(`
- block: [{command: ls}]
  when: a
  become: true
  lease:
    drain: {node: "{{ n }}"}
    when: b
    delegate_to: localhost
    become: false
    on_failure: keep
`),
    );
    expect(lease?.onFailure).to.equal('keep');
    expect(lease?.task.module.name).to.equal('drain');
    expect(lease?.task.when.map((w) => w.text)).to.deep.equal(['a', 'b']);
    expect(lease?.task.become?.render({})).to.equal(false);
    expect(lease?.task.args.render({ n: 'n1' })).to.deep.equal({ node: 'n1' });
    expect((await blockOf(play('- block: [{command: ls}]\n  lease: {drain: {node: n}}'))).lease?.onFailure).to.equal(
      'auto',
    );
  });

  it('imports relative to the file that names it, with its condition, tags and variables', async () => {
    const files = {
      'books/play.yaml': play('- import_tasks: parts/one.yaml\n  when: a\n  tags: x\n  vars: {v: 1}\n  become: true'),
      'books/parts/one.yaml': '- import_tasks: two.yaml\n  when: b\n',
      'books/parts/two.yaml': '- command: "{{ v }}"\n  when: c\n',
    };
    const task = asTask((await load(files)).playbook.plays[0]?.tasks[0]);
    expect(task.when.map((w) => w.text)).to.deep.equal(['a', 'b', 'c']);
    expect(task).to.deep.include({ tags: ['x'], id: 'play-1/1.import.1.import.1' });
    expect(task.range.source.path).to.equal('books/parts/two.yaml');
    expect(task.args.render(createScope(task.vars))).to.deep.equal({ cmd: '1' });
  });

  it('refuses imports that never end', async () => {
    const files = {
      'a.yaml': play('- import_tasks: b.yaml'),
      'b.yaml': '- import_tasks: c.yaml',
      'c.yaml': '- import_tasks: b.yaml',
    };
    expect(await mistakesOf(files)).to.contain(
      'c.yaml:1:17: error: the import of b.yaml never ends: b.yaml → c.yaml → b.yaml',
    );
    expect(
      await mistakesOf({ 'a.yaml': play('- import_tasks: b.yaml'), 'b.yaml': '- import_tasks: b.yaml' }),
    ).to.contain('never ends');
  });

  it('tells the mistakes of all files together, each once', async () => {
    const files = {
      'a.yaml': play('- cpy: {}\n- import_tasks: b.yaml\n- import_tasks: b.yaml\n- import_tasks: c.yaml'),
      'b.yaml': '- commnd: ls',
      'c.yaml': '- [',
    };
    const places = [...(await mistakesOf(files)).matchAll(/^(\w\.yaml):/gm)].map((m) => m[1]);
    expect(places).to.deep.equal(['a.yaml', 'b.yaml', 'c.yaml']);
  });

  it('says that there is no playbook', async () => {
    const error = await load({ 'a.yaml': '' }).catch((e: unknown) => e);
    expect(error).to.have.property('code', 'invalid-input');
    const missing = await load({}).catch((e: unknown) => e);
    expect(missing).to.be.instanceOf(RunbookError).and.to.have.property('code', 'file-unreadable');
  });
});

import { expect } from 'chai';
import type { Include, Meta, Node, Play, Task } from '../../engine/language/playbook.ts';
import { asTask, load, mistakesOf, taskOf } from './fakes.ts';

/** The first play of a playbook. */
async function playOf(files: string | Readonly<Record<string, string>>): Promise<Play> {
  const [play] = (await load(files)).playbook.plays;
  if (!play) throw new Error('no play');
  return play;
}

const withTasks = (tasks: string): string => `- hosts: all\n  tasks:\n${tasks.trim().replace(/^/gm, '    ')}\n`;

async function nodeOf(files: string | Readonly<Record<string, string>>): Promise<Node | undefined> {
  return (await playOf(files)).tasks[0];
}

async function includeOf(files: string | Readonly<Record<string, string>>): Promise<Include> {
  const node = await nodeOf(files);
  if (node?.kind !== 'include') throw new Error('not an include');
  return node;
}

async function metaOf(text: string): Promise<Meta> {
  const node = await nodeOf(text);
  if (node?.kind !== 'meta') throw new Error('no meta');
  return node;
}

describe('how a play takes its hosts', () => {
  it('is as in the inventory, all at once and step by step unless it is said', async () => {
    const play = await playOf('- hosts: all\n');
    expect(play).to.deep.include({ order: 'inventory', strategy: 'linear', forceHandlers: false });
    expect(play.serial).to.deep.equal({ kind: 'batches', sizes: [] });
    expect('maxPerGroup' in play).to.equal(false);
  });

  it('is read from order, strategy and force_handlers', async () => {
    const play = await playOf('- hosts: all\n  order: reverse_sorted\n  strategy: free\n  force_handlers: true\n');
    expect(play).to.deep.include({ order: 'reverse_sorted', strategy: 'free', forceHandlers: true });
  });

  const percentages: readonly (readonly [string, number])[] = [
    ['20', 20],
    ['0', 0],
    ['0.5', 0.5],
    ['"20%"', 20],
    ['100', 100],
  ];
  for (const [written, percent] of percentages) {
    it(`is read from max_fail_percentage: ${written}`, async () => {
      const play = await playOf(`- hosts: all\n  max_failures: 3\n  max_fail_percentage: ${written}\n`);
      expect(play).to.deep.include({ maxFailures: 3, maxFailPercentage: percent });
    });
  }

  const serials: readonly (readonly [string, Play['serial']])[] = [
    ['2', { kind: 'batches', sizes: [{ hosts: 2 }] }],
    ['"30%"', { kind: 'batches', sizes: [{ percent: 30 }] }],
    ['[1, "50%"]', { kind: 'batches', sizes: [{ hosts: 1 }, { percent: 50 }] }],
    ['{window: 3}', { kind: 'window', size: { hosts: 3 } }],
    ['{window: "30%"}', { kind: 'window', size: { percent: 30 } }],
  ];
  for (const [written, serial] of serials) {
    it(`is read from serial: ${written}`, async () =>
      expect((await playOf(`- hosts: all\n  serial: ${written}\n`)).serial).to.deep.equal(serial));
  }

  it('is limited by the value of an expression', async () => {
    const { maxPerGroup } = await playOf('- hosts: all\n  max_per_group: {by: zone, n: 2}\n');
    expect(maxPerGroup?.by.evaluate({ zone: 'a' })).to.equal('a');
    expect(maxPerGroup?.count).to.equal(2);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['max_failures: 0', 'max_failures must be a whole number from 1, not the number 0'],
    ['max_failures: 10%', 'max_failures must be a whole number from 1'],
    ['max_fail_percentage: 120', 'max_fail_percentage must be a percentage from 0 to 100, not the number 120'],
    ['serial: {window: 0}', 'window must be a number of hosts or a percentage, not the number 0'],
    ['serial: {windw: 3}', 'did you mean "window"?'],
    ['serial: {}', 'serial needs "window"'],
    ['serial: [{window: 3}]', 'serial must be a number of hosts or a percentage, not a map'],
    ['order: shufle', 'did you mean "shuffle"?'],
    ['strategy: host_pinned', 'strategy must be one of linear, free, not "host_pinned"'],
    ['force_handlers: yes', 'write true or false'],
    ['max_per_group: 2', 'write {by: zone, n: 1}'],
    ['max_per_group: {by: zone}', 'max_per_group needs "n"'],
    ['max_per_group: {n: 1}', 'max_per_group needs "by"'],
    ['max_per_group: {by: zone, n: 0}', 'n must be a whole number from 1'],
    ['max_per_group: {by: zone, count: 1}', 'unknown keyword "count" of max_per_group'],
    ['max_per_group: {by: [zone], n: 1}', 'by must be one expression'],
    ['throttle: 2', '"throttle" is no keyword of a play'],
  ];
  for (const [line, message] of wrong) {
    it(`is refused: ${line}`, async () => expect(await mistakesOf(`- hosts: all\n  ${line}\n`)).to.contain(message));
  }
});

describe('the parts of a play', () => {
  it('run in their order, with a flush of handlers between them that no tags leave out', async () => {
    const { tasks } = await playOf(`
- hosts: all
  tags: x
  post_tasks: [{command: d}]
  tasks: [{command: b}, {command: c}]
  pre_tasks: [{command: a}]
`);
    expect(tasks.map((node) => [node.id, node.kind === 'task' ? node.args.render({}) : node.kind])).to.deep.equal([
      ['play-1/pre/1', { cmd: 'a' }],
      ['play-1/pre/flush', 'meta'],
      ['play-1/1', { cmd: 'b' }],
      ['play-1/2', { cmd: 'c' }],
      ['play-1/post/flush', 'meta'],
      ['play-1/post/1', { cmd: 'd' }],
    ]);
    const flush = tasks[1];
    expect(flush).to.deep.include({ action: 'flush_handlers', tags: [], when: [] });
  });

  it('has no flush where there is nothing to part', async () =>
    expect((await playOf(withTasks('- command: ls'))).tasks.map((n) => n.kind)).to.deep.equal(['task']));
});

describe('meta', () => {
  it('is one of some actions, with its condition and tags and those around it', async () => {
    const meta = await metaOf('- hosts: all\n  tags: p\n  tasks: [{meta: end_host, when: a, tags: t, name: Stop}]\n');
    expect(meta).to.deep.include({ id: 'play-1/1', action: 'end_host', name: 'Stop', tags: ['p', 't'] });
    expect(meta.when.map((w) => w.text)).to.deep.equal(['a']);
    for (const action of ['flush_handlers', 'end_play', 'end_batch'])
      expect(await metaOf(withTasks(`- meta: ${action}`))).to.deep.include({ action, name: action });
  });

  it('refuses other actions and keywords of tasks', async () => {
    expect(await mistakesOf(withTasks('- meta: refresh_inventory'))).to.contain(
      'meta must be one of flush_handlers, end_play, end_host, end_batch, rolled_back, not "refresh_inventory"',
    );
    expect(await mistakesOf(withTasks('- meta: end_play\n  register: x'))).to.contain(
      '"register" is no keyword of meta',
    );
  });
});

describe('a loop', () => {
  it('names its item and number, shows a label and pauses', async () => {
    const task = await taskOf(
      withTasks(
        '- command: ls\n  loop: [1]\n  loop_control: {loop_var: n, index_var: i, label: "no {{ n }}", pause: 2}',
      ),
    );
    expect(task.loopControl).to.deep.include({ variable: 'n', indexVariable: 'i', pauseMs: 2000 });
    expect(task.loopControl.label?.render({ n: 1 })).to.equal('no 1');
    expect((await taskOf(withTasks('- command: ls\n  loop: [1]'))).loopControl).to.deep.equal({
      variable: 'item',
      pauseMs: 0,
    });
    expect(
      (await taskOf(withTasks('- command: ls\n  loop: [1]\n  loop_control: {loop_var: item}'))).loopControl,
    ).to.have.property('variable', 'item');
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['loop_control: {loop_var: n}', 'loop_control without a loop'],
    ['loop: [1]\n  loop_control: {loop_vr: n}', 'did you mean "loop_var"?'],
    ['loop: [1]\n  loop_control: n', 'loop_control must be a map, not the text "n"'],
    ['loop: [1]\n  loop_control: {loop_var: facts}', '"facts" is provided by the engine'],
    ['loop: [1]\n  loop_control: {index_var: a-b}', 'write a_b'],
    ['loop: [1]\n  loop_control: {loop_var: n, index_var: n}', 'index_var and loop_var are both "n"'],
    ['loop: [1]\n  loop_control: {index_var: item}', 'index_var and loop_var are both "item"'],
    ['loop: [1]\n  vars: {n: 1}\n  loop_control: {loop_var: n}', '"n" of this loop would hide the variable'],
  ];
  for (const [lines, message] of wrong) {
    it(`is refused: ${lines.replaceAll('\n  ', ', ')}`, async () =>
      expect(await mistakesOf(withTasks(`- command: ls\n  ${lines}`))).to.contain(message));
  }
});

describe('throttle, delegate_facts and run_once', () => {
  it('throttle is handed down, the nearest one wins', async () => {
    const text = '- block:\n    - command: a\n    - command: b\n      throttle: 1\n  throttle: 3\n- command: c';
    const { tasks } = await playOf(withTasks(text));
    const [block, last] = tasks;
    const inside = block?.kind === 'block' ? block.body.map(asTask) : [];
    expect([...inside, asTask(last)].map((task) => task.throttle)).to.deep.equal([3, 1, undefined]);
  });

  it('delegate_facts is off unless it is said', async () => {
    const tasks = (await playOf(withTasks('- command: a\n- command: b\n  delegate_facts: true'))).tasks.map(asTask);
    expect(tasks.map((task) => task.delegateFacts)).to.deep.equal([false, true]);
  });

  it('run_once is once in a run or once in every batch', async () => {
    const lines = ['run_once: true', 'run_once: batch', 'run_once: false'];
    const tasks = await Promise.all(lines.map((line) => taskOf(withTasks(`- command: a\n  ${line}`))));
    expect(tasks.map((task: Task) => task.runOnce)).to.deep.equal(['run', 'batch', undefined]);
  });
});

describe('listen', () => {
  it('gives a handler further names', async () => {
    const play = await playOf(`
- hosts: all
  tasks: [{command: a, notify: [topic, one]}]
  handlers: [{name: one, command: b, listen: [topic, other]}, {name: two, command: c, listen: topic}]
`);
    expect(play.handlers.map((handler) => handler.listen)).to.deep.equal([['topic', 'other'], ['topic']]);
    expect(asTask(play.tasks[0]).notify).to.deep.equal(['topic', 'one']);
  });

  it('is no keyword of a task, and a topic that nobody listens to is an error', async () => {
    expect(await mistakesOf(withTasks('- command: a\n  listen: x'))).to.contain('hint: it can stand on a handler');
    const text =
      '- hosts: all\n  tasks: [{command: a, notify: topc}]\n  handlers: [{name: h, command: b, listen: topic}]\n';
    expect(await mistakesOf(text)).to.contain('did you mean "topic"?');
  });
});

describe('include_tasks', () => {
  it('loads one file that is written out; only its own condition is asked once', async () => {
    const include = await includeOf({
      'play.yaml': withTasks(`
- include_tasks: parts/a.yaml
  when: once
  tags: t
  vars: {v: 1}
  become: true
  loop: [1, 2]
  loop_control: {loop_var: n}
`).replace('tasks:', 'tags: p\n  tasks:'),
      'parts/a.yaml': '- command: "{{ n }}"\n  when: each\n',
    });
    expect(include).to.deep.include({ id: 'play-1/1', tags: ['p', 't'], name: 'include parts/a.yaml' });
    expect(include.when.map((w) => w.text)).to.deep.equal(['once']);
    expect(include.loop?.render({})).to.deep.equal([1, 2]);
    expect(include.loopControl.variable).to.equal('n');
    expect([...include.files.keys()]).to.deep.equal(['parts/a.yaml']);
    const task = asTask(include.files.get('parts/a.yaml')?.[0]);
    expect(task).to.deep.include({ id: 'play-1/1.include.parts/a.yaml.1', tags: ['p', 't'] });
    expect(task.when.map((w) => w.text)).to.deep.equal(['each']);
    expect(task.vars.flatMap((layer) => [...layer.keys()])).to.deep.equal(['v']);
    expect(task.become?.render({})).to.equal(true);
    expect(task.folders).to.deep.equal(['parts', '.']);
  });

  it('hands down the conditions around it', async () => {
    const include = await includeOf({
      'play.yaml': withTasks('- import_tasks: a.yaml\n  when: outer'),
      'a.yaml': '- include_tasks: b.yaml\n  when: own\n',
      'b.yaml': '- command: ls\n',
    });
    expect(include.when.map((w) => w.text)).to.deep.equal(['outer', 'own']);
    expect(asTask(include.files.get('b.yaml')?.[0]).when.map((w) => w.text)).to.deep.equal(['outer']);
  });

  const inFolder = {
    'tasks/main.yaml': '- command: main\n',
    'tasks/Debian.yaml': '- command: debian\n',
    'tasks/RedHat.yml': '- command: redhat\n',
    'tasks/notes.txt': '',
    'tasks/vars.yaml': 'a: 1\n',
    'tasks/other-play.yaml': '- hosts: all\n',
    'sets/a/main.yaml': '- command: a\n',
    'sets/b/main.yaml': '- command: b\n',
    'sets/c/else.yaml': '- command: c\n',
  };
  const templates: readonly (readonly [string, readonly string[]])[] = [
    ['"tasks/{{ x }}.yaml"', ['tasks/Debian.yaml', 'tasks/main.yaml']],
    ['"tasks/{{ x }}"', ['tasks/Debian.yaml', 'tasks/RedHat.yml', 'tasks/main.yaml']],
    ['"tasks/De{{ x }}.yaml"', ['tasks/Debian.yaml']],
    ['"tasks/{{#if x}}Debian{{else}}main{{/if}}.yaml"', ['tasks/Debian.yaml', 'tasks/main.yaml']],
    ['"./sets/{{ x }}/main.yaml"', ['./sets/a/main.yaml', './sets/b/main.yaml']],
    ['"{{ folder }}/{{ x }}/else.yaml"', ['sets/c/else.yaml']],
    ['"tasks/../tasks/{{ x }}.yml"', ['tasks/../tasks/RedHat.yml']],
  ];
  for (const [template, names] of templates) {
    it(`loads every task file that fits ${template}`, async () => {
      const include = await includeOf({ 'play.yaml': withTasks(`- include_tasks: ${template}`), ...inFolder });
      expect([...include.files.keys()].sort()).to.deep.equal(names);
    });
  }

  it('an expression can be any file beside the one that names it, but none that leads here', async () => {
    const include = await includeOf({
      'play.yaml': withTasks('- import_tasks: t/main.yaml'),
      't/main.yaml': '- include_tasks: !expr "os + \'.yaml\'"\n',
      't/a.yaml': '- command: a\n',
      't/b.yml': '- command: b\n',
    });
    expect([...include.files.keys()].sort()).to.deep.equal(['a.yaml', 'b.yml']);
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    [
      'a template under import_tasks',
      { 'play.yaml': withTasks('- import_tasks: "{{ x }}.yaml"') },
      'include_tasks takes a template',
    ],
    [
      'a map, as Ansible takes it',
      { 'play.yaml': withTasks('- include_tasks: {file: a.yaml}') },
      'write "include_tasks: FILE"',
    ],
    ['a file that is not there', { 'play.yaml': withTasks('- include_tasks: a.yaml') }, 'cannot read a.yaml'],
    [
      'a template that no file fits',
      { 'play.yaml': withTasks('- include_tasks: "os/{{ x }}.yaml"') },
      'play.yaml:3:22: error: no file in this folder fits os/*.yaml',
    ],
    [
      'a mistake in a file that may be chosen',
      { 'play.yaml': withTasks('- include_tasks: "{{ x }}-os.yaml"'), 'a-os.yaml': '- comand: ls\n' },
      'a-os.yaml:1:3: error: unknown module "comand"',
    ],
    [
      'an include of itself',
      { 'play.yaml': withTasks('- include_tasks: a.yaml'), 'a.yaml': '- include_tasks: a.yaml\n' },
      'never ends: a.yaml → a.yaml',
    ],
    [
      'a keyword of tasks',
      { 'play.yaml': withTasks('- include_tasks: a.yaml\n  register: x'), 'a.yaml': '[]\n' },
      '"register" is no keyword of an include',
    ],
    [
      'a loop that hides the loop around it',
      {
        'play.yaml': withTasks('- include_tasks: a.yaml\n  loop: [1]'),
        'a.yaml': '- command: "{{ item }}"\n  loop: [2]\n',
      },
      'a.yaml:2:3: error: "item" of this loop would hide that of the loop around it',
    ],
    [
      'as a handler',
      { 'play.yaml': '- hosts: all\n  handlers: [{include_tasks: a.yaml}]\n', 'a.yaml': '- command: ls\n' },
      'an include cannot be a handler',
    ],
  ];
  for (const [what, files, message] of wrong) {
    it(`refuses ${what}`, async () => expect(await mistakesOf(files)).to.contain(message));
  }

  it('does not follow files for ever that import the next one twice', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `f${i}.yaml`);
    const twice = (i: number): string => `- import_tasks: f${i + 1}.yaml\n`.repeat(2);
    const files = Object.fromEntries(names.map((name, i) => [name, i === 39 ? '- command: ls\n' : twice(i)]));
    expect(await mistakesOf({ 'play.yaml': withTasks('- import_tasks: f0.yaml'), ...files })).to.contain(
      'come to more than 10000 files',
    );
    const books = Object.fromEntries(
      names.map((name, i) => [name, i === 39 ? '- hosts: all\n' : twice(i).replaceAll('tasks', 'playbook')]),
    );
    expect(await mistakesOf(books)).to.contain('come to more than 10000 files');
  });

  it('does not follow files for ever that include each other by templates', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `f${i}.yaml`);
    const files = Object.fromEntries(names.map((name) => [name, '- include_tasks: "f{{ x }}.yaml"\n']));
    expect(await mistakesOf({ 'play.yaml': withTasks('- include_tasks: f0.yaml'), ...files })).to.contain(
      'the imports and includes of this playbook come to more than 10000 files',
    );
  });
});

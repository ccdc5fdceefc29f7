import { expect } from 'chai';
import { lint } from '../support/lint.ts';

const hosts = '[web]\nh1 zone=a\nh2\n[web:vars]\nport=80\n';

/** A play of these lines, and what is said of it. */
async function said(play: string, args: readonly string[] = [], files: Record<string, string> = {}): Promise<string> {
  const all = { 'play.yaml': play, 'hosts.ini': hosts, ...files };
  return (await lint(all, ['play.yaml', '-i', 'hosts.ini', ...args])).text;
}

const tasks = (text: string, head = ''): string =>
  `- hosts: web\n${head}  tasks:\n${text.trim().replace(/^/gm, '    ')}\n`;

describe('names that are there', () => {
  const table: readonly (readonly [string, string])[] = [
    ['vars of the play', tasks('- debug: {message: "{{ a }}"}', '  vars: {a: 1}\n')],
    ['variables of the inventory', tasks('- debug: {message: "{{ port }}"}')],
    [
      'what the engine provides',
      tasks('- debug: {message: "{{ inventory_hostname }} {{ run_id }} {{ join group_names }}"}'),
    ],
    ['facts', tasks('- debug: {message: "{{ facts.os.family }} {{ facts.addresses.ipv4.[0] }}"}')],
    ['a result, after its task', tasks('- shell: ls\n  register: out\n- debug: {message: "{{ out.stdout }}"}')],
    [
      'a result in its own conditions',
      tasks('- shell: ls\n  register: out\n  until: out.rc == 0\n  failed_when: "out.rc > 1"'),
    ],
    ['the result without a name', tasks('- shell: ls\n  changed_when: result.stdout != ""')],
    ['a fact that a task sets', tasks('- set-fact: {a: 1}\n- debug: {message: "{{ a }}"}')],
    ['the item', tasks('- debug: {message: "{{ item }}"}\n  loop: [1]\n  when: item == 1')],
    [
      'the item under its own name',
      tasks('- debug: {message: "{{ i }} {{ x }}"}\n  loop: [1]\n  loop_control: {loop_var: x, index_var: i}'),
    ],
    ['vars of a block', tasks('- block: [{debug: {message: "{{ a }}"}}]\n  vars: {a: 1}')],
    [
      'the failure, in rescue',
      tasks(
        '- block: [{fail: {message: x}}]\n  rescue: [{debug: {message: "{{ failed_task.name }}: {{ failed_result.message }}"}}]',
      ),
    ],
    [
      'a variable that needs a later result, read after it',
      tasks('- shell: ls\n  register: out\n- debug: {message: "{{ text }}"}', '  vars: {text: "{{ out.stdout }}"}\n'),
    ],
    [
      'a variable that needs one of the task',
      tasks('- debug: {message: "{{ a }}"}\n  vars: {b: 1}', '  vars: {a: "{{ b }}"}\n'),
    ],
    [
      'a variable that needs what is not there, and is not read',
      tasks('- debug: {message: x}', '  vars: {a: "{{ out.x }}"}\n').replace(
        'debug',
        'shell: ls\n      register: out\n    - debug',
      ),
    ],
    ['a name that an if asks for', tasks('- debug: {message: "{{#if a}}{{ a }}{{/if}}{{ default b 1 }}"}')],
    [
      'a member that has() asks for',
      tasks('- debug: {message: "{{ a.b }}"}\n  when: has(a.b)', '  vars: {a: {c: 1}}\n'),
    ],
    [
      'a member that may be missing',
      tasks('- debug: {message: x}\n  when: a.?b.orValue("x") == "x"', '  vars: {a: {c: 1}}\n'),
    ],
    ['a group that "in" asks for', tasks('- debug: {message: x}\n  when: \'"db" in groups && size(groups.db) > 0\'')],
    ['variables of other hosts', tasks('- debug: {message: "{{ hostvars.h1.zone }}"}')],
    [
      'the results of all tasks, in handlers',
      '- hosts: web\n  handlers: [{name: h, debug: {message: "{{ out.stdout }}"}}]\n  tasks: [{shell: ls, notify: h}, {shell: ls, register: out}]\n',
    ],
    [
      'results of an earlier play',
      '- hosts: web\n  tasks: [{shell: ls, register: out}]\n- hosts: web\n  tasks: [{debug: {message: "{{ out.stdout }}"}}]\n',
    ],
    ['the variable of a macro', tasks('- debug: {message: x}\n  when: "[1].all(x, x > 0)"')],
    ['a type', tasks('- debug: {message: x}\n  when: type(port) == int || type(port) == double')],
  ];
  for (const [title, play] of table) {
    it(`${title}: nothing is said`, async () => {
      expect(await said(play)).to.equal('nothing is wrong\n');
    });
  }
});

describe('names that are not there', () => {
  const table: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'a misspelt variable',
      tasks('- debug: {message: "{{ prot }}"}'),
      ['play.yaml:3:28: error: "prot" is not defined', 'did you mean "port"?'],
    ],
    [
      'in a condition',
      tasks('- debug: {message: x}\n  when: prot == 80'),
      ['play.yaml:4:13: error: "prot" is not defined'],
    ],
    [
      'in vars of a task',
      tasks('- debug: {message: "{{ a }}"}\n  vars: {a: "{{ prot }}"}'),
      [':4:21: error: "prot" is not defined'],
    ],
    [
      'in what a variable needs',
      tasks('- debug: {message: "{{ a }}"}', '  vars: {a: "{{ b }}", b: "{{ prot }}"}\n'),
      ['play.yaml:2:', 'error: "prot" is not defined'],
    ],
    [
      'in a variable that nothing reads: a doubt',
      tasks('- debug: {message: x}', '  vars: {a: "{{ prot }}"}\n'),
      ['warning: "prot" is not defined', 'no errors, 1 warning'],
    ],
    ['in an environment', tasks('- shell: ls\n  environment: {A: "{{ prot }}"}'), ['error: "prot" is not defined']],
    ['in delegate_to', tasks('- shell: ls\n  delegate_to: "{{ boss }}"'), ['error: "boss" is not defined']],
    ['in a loop', tasks('- shell: ls\n  loop: "{{ things }}"'), ['error: "things" is not defined']],
    ['in a condition that a module takes', tasks('- assert: {that: ["prot == 80"]}'), ['error: "prot" is not defined']],
    ['in an expression as a value', tasks('- debug: {value: !expr prot + 1}'), ['error: "prot" is not defined']],
    [
      'an item without a loop',
      tasks('- debug: {message: "{{ item }}"}'),
      ['error: "item" is not defined', 'only in a task with loop'],
    ],
    [
      'an item under another name',
      tasks('- debug: {message: "{{ item }}"}\n  loop: [1]\n  loop_control: {loop_var: x}'),
      ['the item is called "x" here'],
    ],
    [
      'an item in the list itself',
      tasks('- debug: {message: "{{ item }}"}\n  loop: ["{{ item }}"]'),
      [':4:18: error: "item" is not defined'],
    ],
    [
      'a result before its task',
      tasks('- debug: {message: "{{ out.rc }}"}\n- shell: ls\n  register: out'),
      ['"out" is not there yet: it is registered later, at play.yaml:4:7'],
    ],
    [
      'a result in its own arguments',
      tasks('- shell: "ls {{ out.rc }}"\n  register: out'),
      ['"out" is the result of this task'],
    ],
    [
      'a variable that needs a later result',
      tasks('- debug: {message: "{{ a }}"}\n- shell: ls\n  register: out', '  vars: {a: "{{ out.rc }}"}\n'),
      ['play.yaml:2:', '"out" is not there yet'],
    ],
    [
      'a fact before it is set',
      tasks('- debug: {message: "{{ a }}"}\n- set-fact: {a: 1}'),
      ['"a" is not there yet: it is set later, at play.yaml:4:7'],
    ],
    [
      'vars of another block',
      tasks('- block: [{debug: {message: x}}]\n  vars: {a: 1}\n- debug: {message: "{{ a }}"}'),
      ['play.yaml:5:', '"a" is not defined'],
    ],
    [
      'the failure, outside of rescue',
      tasks('- debug: {message: "{{ failed_task.name }}"}'),
      ['"failed_task" is not defined'],
    ],
    [
      'a fact',
      tasks('- debug: {message: "{{ facts.os.famly }}"}'),
      ['"facts.os" has no "famly"', 'did you mean "family"?'],
    ],
    [
      'a fact in a condition',
      tasks('- debug: {message: x}\n  when: facts.os.famly == "debian"'),
      ['"facts.os" has no "famly"'],
    ],
    [
      'a fact that no play gathers',
      tasks('- debug: {message: "{{ facts.arch }}"}', '  gather_facts: false\n'),
      ['this play gathers no facts'],
    ],
    [
      'a member of a variable',
      tasks('- debug: {message: "{{ a.cc }}"}', '  vars: {a: {b: {c: 1}}}\n'),
      ['"a" has no "cc"', 'it has: b'],
    ],
    [
      'a member of a text',
      tasks('- debug: {message: "{{ a.b }}"}', '  vars: {a: word}\n'),
      ['"a" is the text "word" and has no "b"'],
    ],
    [
      'a member of a list',
      tasks('- debug: {message: "{{ a.b }}"}', '  vars: {a: [1]}\n'),
      ['"a" is a list and has no "b"', 'a[0]'],
    ],
    [
      'a member of a result',
      tasks('- shell: ls\n  register: out\n- debug: {message: "{{ out.stdot }}"}'),
      ['"out" has no "stdot"', 'did you mean "stdout"?'],
    ],
    [
      'a member of a looped result',
      tasks('- shell: ls\n  loop: [1]\n  register: out\n- debug: {message: "{{ out.stdout }}"}'),
      ['"out" has no "stdout"', 'results'],
    ],
    ['a host', tasks('- debug: {message: "{{ hostvars.h3.zone }}"}'), ['"hostvars" has no "h3"']],
    ['a group', tasks('- debug: {message: "{{ join groups.wbe }}"}'), ['"groups" has no "wbe"', 'did you mean "web"?']],
    ['a name of Ansible’s', tasks('- debug: {message: "{{ ansible_os_family }}"}'), ['write facts.os.family']],
    [
      'a text without quotes',
      tasks('- debug: {message: x}\n  when: facts.os.family == debian'),
      ['a text stands in quotes: "debian"'],
    ],
    [
      'what some hosts lack: a doubt',
      tasks('- debug: {message: "{{ zone }}"}'),
      ['warning: "zone" is not defined for every host of the play: h2 has none'],
    ],
  ];
  for (const [title, play, expected] of table) {
    it(`${title}: it is found`, async () => {
      const text = await said(play);
      for (const part of expected) expect(text).to.contain(part);
    });
  }

  it('what some hosts lack is no doubt where a condition may leave them out', async () => {
    expect(await said(tasks('- debug: {message: "{{ zone }}"}\n  when: inventory_hostname == "h1"'))).to.contain(
      'nothing',
    );
  });

  it('are doubts without an inventory, which could define them', async () => {
    const { text, exitCode } = await lint({ 'play.yaml': tasks('- debug: {message: "{{ prot }}"}') }, ['play.yaml']);
    expect(text).to.contain('warning: "prot" is not defined in the playbook').and.contain('-i');
    expect(exitCode).to.equal(0);
  });

  it('are told in the template file that reads them', async () => {
    const files = { 'templates/a.hbs': 'x\n{{ prot }} {{ port }} {{ own }} {{ item }}\n' };
    const play = tasks('- file-template: {src: a.hbs, dest: /x, vars: {own: 1}}\n  loop: [1]');
    const text = await said(play, [], files);
    expect(text).to.contain('templates/a.hbs:2:').and.contain('"prot" is not defined').and.contain('1 error,');
  });

  it('a template file that is not there is told where it is named', async () => {
    expect(await said(tasks('- file-template: {src: b.hbs, dest: /x}'))).to.contain(
      'play.yaml:3:28: error: no file "b.hbs"',
    );
  });

  it('a variable that -e gives needs nothing else', async () => {
    const play = tasks('- debug: {message: "{{ a }}"}', '  vars: {a: "{{ prot }}"}\n');
    expect(await said(play, ['-e', 'a=1'])).to.equal('nothing is wrong\n');
  });

  it('a result of a task that the tags leave out is a doubt', async () => {
    const play = tasks('- shell: ls\n  register: out\n- debug: {message: "{{ out.rc }}"}\n  tags: t');
    expect(await said(play, ['--tags', 't'])).to.contain(
      'warning: "out" will not be there: the tags leave out the task at',
    );
    expect(await said(play)).to.contain('nothing is wrong');
  });
});

describe('types', () => {
  const table: readonly (readonly [string, string, string])[] = [
    [
      'a condition that is a text',
      '- debug: {message: x}\n  when: word',
      'when must be true or false, and this is the text "hello"',
    ],
    ['a condition that is a number', '- debug: {message: x}\n  when: count', 'and this is the number 3'],
    ['a condition that is a list', '- debug: {message: x}\n  when: things', 'and this is a list'],
    ['an until', '- shell: ls\n  until: result.stdout', 'until must be true or false, and this is a text'],
    ['yes in quotes', '- debug: {message: x}\n  when: sure', 'write true or false without quotes'],
    [
      'a text and a number',
      '- debug: {message: x}\n  when: word == 1',
      'a text is compared with a number, which is never true',
    ],
    [
      'a number and a text',
      '- debug: {message: x}\n  when: count != "3"',
      'a number is compared with a text, which is always true',
    ],
    [
      'a fact and a text',
      '- debug: {message: x}\n  when: facts.cpus > "2"',
      'a number > a text: these types do not go together',
    ],
    [
      'a text where true is needed',
      '- debug: {message: x}\n  when: word && flag',
      'true or false is needed here, and this is a text',
    ],
    [
      'a method that does not fit',
      '- debug: {message: x}\n  when: word.startsWith(1)',
      'no function fits text.startsWith(number)',
    ],
    ['an item', '- debug: {message: x}\n  loop: [a, b]\n  when: item == 1', 'a text is compared with a number'],
    ['in an assertion', '- assert: {that: ["count == \\"3\\""]}', 'a number is compared with a text'],
    ['a loop over a text', '- debug: {message: x}\n  loop: "{{ word }}"', 'loop must be a list, not the text "hello"'],
    ['an argument', '- systemd: {name: x, state: started, timeout: "{{ word }}"}', 'systemd: "timeout" must be'],
  ];
  const head = '  vars: {word: hello, count: 3, things: [1], flag: true, sure: "yes"}\n';
  for (const [title, play, expected] of table) {
    it(`${title}: does not fit`, async () => {
      expect(await said(tasks(play, head))).to.contain(expected);
    });
  }

  const fine: readonly string[] = [
    'word == "x" && count == 3 && count == 3.5 && flag',
    'count in [1, 2] && word in ["a"] && 1 in things',
    'word != null && things != null && flag == true',
    'size(things) > 0 && size(word) > 1 && things[0] == 1',
    'facts.cpus % 2 == 0 && facts.memory_mb / 1024 > 2 && facts.os.version.startsWith("12")',
    '(flag ? word : count) == "x"',
    'things[count] == 1',
  ];
  for (const condition of fine) {
    it(`${condition}: fits`, async () => {
      const play = tasks(`- debug: {message: x}\n  when: '${condition}'`, head);
      expect(await said(play)).to.equal('nothing is wrong\n');
    });
  }
});

import { expect } from 'chai';
import { localHosts, type PlayRun, playFiles } from '../support/play.ts';

/** Keywords of tasks and plays whose meaning is in the executor and has no test file of its own. */

const said = (run: PlayRun, task: string): string[] =>
  run.events.flatMap((e) =>
    e.type === 'host-task-ended' && e.task.name === task ? [`${e.host}: ${e.failure?.message ?? e.message ?? ''}`] : [],
  );
const playIn = (
  yaml: string,
  body: (run: PlayRun) => void,
  options: Parameters<typeof playFiles>[2] = {},
  more: Readonly<Record<string, string>> = {},
) => playFiles({ 'play.yaml': yaml, ...more }, body, options);

/** Hosts of which some cannot be reached: nobody listens at port 1. */
const partlyDown = (...down: readonly string[]): string =>
  `[web]\n${['h1', 'h2', 'h3'].map((h) => (down.includes(h) ? `${h} ansible_host=127.0.0.1 ansible_port=1` : `${h} ansible_connection=local`)).join('\n')}\n`;

describe('run_once', () => {
  const once = `- hosts: web
  tasks:
    - { name: once, command: { argv: [echo, "{{ inventory_hostname }}"], reads: true }, run_once: true, register: out }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`;
  it('goes on to the next host when the first cannot be reached, which alone is out', () =>
    playIn(
      once,
      (run) => {
        expect(said(run, 'show')).to.deep.equal(['h2: h2', 'h3: h2']);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['unreachable', 'ok', 'ok']);
        expect(run.exitCode).to.equal(4);
      },
      {},
      { 'hosts.ini': partlyDown('h1') },
    ));

  it('leaves every host unreachable when none can be reached', () =>
    playIn(
      once,
      (run) => expect(run.summary.map((h) => h.state)).to.deep.equal(['unreachable', 'unreachable', 'unreachable']),
      {},
      { 'hosts.ini': partlyDown('h1', 'h2', 'h3') },
    ));

  it('batch: runs once in every batch', () =>
    playIn(
      `- hosts: web
  serial: 2
  tasks:
    - { name: once, command: { argv: [echo, "{{ inventory_hostname }}"], reads: true }, run_once: batch, register: out }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['h1: h1', 'h2: h1', 'h3: h3', 'h4: h3']),
      {},
      { 'hosts.ini': localHosts(4) },
    ));
});

describe('name', () => {
  const names = (run: PlayRun): string[] => [
    ...new Set(
      run.events.flatMap((e) => (e.type === 'task-started' || e.type === 'host-task-ended' ? [e.task.name] : [])),
    ),
  ];
  for (const play of ['', '  strategy: free\n', '  serial: { window: 1 }\n']) {
    it(`is rendered where all hosts see the same, and else shown as it is written (${play.trim() || 'in step'})`, () =>
      playIn(
        `- hosts: web
${play}  vars: { port: 80 }
  tasks:
    - { shell: { cmd: 'echo {{ inventory_hostname }}', reads: true }, register: out }
    - { name: "Port {{ port }}", debug: { message: x } }
    - { name: "Of {{ inventory_hostname }}", debug: { message: x } }
    - { name: "With {{ hidden }}", debug: { message: x }, vars: { hidden: s3cret }, no_log: true }
    - { name: "Got {{ out.stdout }}", debug: { message: x } }
`,
        (run) =>
          expect(names(run).sort()).to.deep.equal([
            'Got {{ out.stdout }}',
            'Of {{ inventory_hostname }}',
            'Port 80',
            'With {{ hidden }}',
            'shell',
          ]),
      ));
  }

  it('is that of the turn in an included file, also in failed_task', () =>
    playFiles(
      {
        'play.yaml': `- hosts: h1
  tasks:
    - block: [{ include_tasks: one.yaml, loop: [a, b], loop_control: { loop_var: disk } }]
      rescue: [{ name: show, debug: { message: "{{ failed_task.name }}" } }]
`,
        'one.yaml': '- { name: "Disk {{ disk }}", fail: { message: no }, when: disk == "b" }\n',
      },
      (run) => {
        expect(names(run).filter((name) => name.startsWith('Disk'))).to.deep.equal(['Disk a', 'Disk b']);
        expect(said(run, 'show')).to.deep.equal(['h1: Disk b']);
      },
    ));
});

describe('ignore_errors', () => {
  const cases: [string, string][] = [
    ['an argument that cannot be rendered', 'debug: { value: !expr int(word.stdout) }'],
    ['arguments that the module does not take', 'pause: { seconds: "{{ hostvars.h1.word.stdout }}" }'],
    ['a condition that fails', 'debug: { message: x }, when: int(word.stdout) == 1'],
    ['a loop over what is no list', 'debug: { message: x }, loop: "{{ hostvars.h1.word.stdout }}"'],
    ['attempts that all failed', 'shell: { cmd: "false" }, until: wrong.rc == 0, retries: 1, delay: 0'],
    ['a turn of a loop', 'debug: { value: !expr int(item) }, loop: [a]'],
  ];
  for (const [what, task] of cases) {
    it(`holds for ${what}, as in Ansible`, () =>
      playIn(
        `- hosts: h1
  tasks:
    - { shell: { cmd: echo word, reads: true }, register: word }
    - { name: wrong, ${task}, ignore_errors: true, register: wrong }
    - { name: show, debug: { message: "{{ wrong.failed }}" } }
`,
        (run) => {
          expect(run.ends.slice(-2)).to.deep.equal(['h1: wrong: ignored', 'h1: show: ok']);
          expect(said(run, 'show')).to.deep.equal(['h1: true']);
        },
      ));
  }
});

describe('delegate_facts', () => {
  for (const [keyword, expected] of [
    [', delegate_facts: true', 'h1: none yes'],
    ['', 'h1: yes none'],
  ] as const) {
    it(`${keyword === '' ? 'false keeps facts with the host' : 'true gives facts to the host that the task is delegated to'}`, () =>
      playIn(
        `- hosts: h1
  tasks:
    - { set-fact: { known: "yes" }, delegate_to: h2${keyword} }
    - { name: show, debug: { message: !expr 'hostvars.h1.?known.orValue("none") + " " + hostvars.h2.?known.orValue("none")' } }
`,
        (run) => expect(said(run, 'show')).to.deep.equal([expected]),
      ));
  }
});

describe('variables', () => {
  it('lie above each other: inputs, inventory, play, prompts, results, task, -e', () =>
    playIn(
      `- hosts: h1
  inputs:
    a: { type: string, default: input }
    b: { type: string, default: input }
    e: { type: string, default: input }
  vars_prompt:
    - { name: d, prompt: D, default: x }
    - { name: f, prompt: F, default: x }
  vars: { c: play, d: play }
  tasks:
    - { set-fact: { f: result } }
    - { name: show, debug: { message: "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }} {{ g }}" }, vars: { g: task } }
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['h1: input inventory play prompt extra result task']),
      { extraVars: { e: 'extra' }, ask: async () => new Map([['play-1', { d: 'prompt', f: 'prompt' }]]) },
      { 'hosts.ini': '[all:vars]\nansible_connection=local\nb=inventory\nc=inventory\n[web]\nh1\n' },
    ));
});

describe('tags', () => {
  const yaml = `- hosts: h1
  tasks:
    - { name: plain, debug: { message: x } }
    - { name: kept, debug: { message: x }, tags: always }
    - { name: hidden, debug: { message: x }, tags: [never, clean] }
    - { name: end, meta: end_host, tags: [never, stop] }
    - { name: last, debug: { message: x } }
`;
  const table: [string[], string[], string][] = [
    [[], [], 'plain kept last'],
    [['clean'], [], 'kept hidden'],
    [[], ['always'], 'plain last'],
    [['all', 'stop'], [], 'plain kept end'],
  ];
  for (const [tags, skipTags, expected] of table) {
    it(`--tags [${tags.join()}] --skip-tags [${skipTags.join()}] runs ${expected}`, () =>
      playIn(yaml, (run) => expect(run.ends.map((end) => end.split(': ')[1]).join(' ')).to.equal(expected), {
        tags,
        skipTags,
      }));
  }
});

describe('environment', () => {
  it('null takes back what a layer around sets', () =>
    playIn(
      `- hosts: h1
  environment: { LEVEL: outer, OTHER: kept }
  tasks:
    - { name: read, shell: { cmd: 'echo "\${LEVEL-unset} $OTHER"', reads: true }, environment: { LEVEL: null }, register: out }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['h1: unset kept']),
    ));
});

describe('inputs of a play', () => {
  it('are checked on each host where they are templates; a host on which they do not fit fails before its first task', () =>
    playIn(
      `- hosts: web
  inputs:
    port: { type: integer, minimum: 1 }
  vars: { port: "{{ size }}" }
  tasks: [{ name: show, debug: { message: x } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h2: Inputs of the play: failed', 'h1: show: ok']);
        expect(run.summary[1]?.failure?.message).to.contain(
          'the inputs of the play do not fit: "port" must be a whole number',
        );
      },
      {},
      { 'hosts.ini': '[all:vars]\nansible_connection=local\n[web]\nh1 size=7\nh2 size=big\n' },
    ));
});

describe('a role', () => {
  const role = {
    'roles/proxy/inputs.yaml': 'port: { type: integer }\n',
    'roles/proxy/tasks/main.yaml': '- { name: show, debug: { message: "{{ port }} {{ level }}" } }\n',
    'roles/proxy/defaults/main.yaml': 'level: default\n',
  };
  it('is checked on each host before its first task; the message names role, input and what is wrong', () =>
    playIn(
      `- hosts: web
  tasks:
    - { import_role: proxy, vars: { port: "{{ size }}" } }
`,
      (run) => {
        expect(run.ends).to.include('h2: Inputs of the role "proxy": failed');
        expect(run.summary[1]?.failure?.message).to.match(
          /inputs of the role "proxy" do not fit: "port" must be a whole number/,
        );
        expect(said(run, 'show')).to.deep.equal(['h1: 7 default']);
      },
      {},
      {
        ...role,
        'hosts.ini': '[all:vars]\nansible_connection=local\n[web]\nh1 size=7\nh2 size=big\n',
      },
    ));
});

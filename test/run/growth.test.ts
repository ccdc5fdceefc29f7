import { expect } from 'chai';
import { localHosts, type PlayRun, playFiles } from '../support/play.ts';

/** `add-host` and `group-by`: hosts and groups that a run adds to its inventory. */

const warnings = (run: PlayRun): string[] =>
  run.events.flatMap((e) => (e.type === 'warning' ? [`${e.diagnostic.message}: ${e.diagnostic.hint}`] : []));
const said = (run: PlayRun, task: string): string[] =>
  run.events.flatMap((e) =>
    e.type === 'host-task-ended' && e.task.name === task ? [`${e.host}: ${e.failure?.message ?? e.message ?? ''}`] : [],
  );
const playIn = (
  yaml: string,
  body: (run: PlayRun) => void,
  more: Readonly<Record<string, string>> = {},
  options: Parameters<typeof playFiles>[2] = {},
) => playFiles({ 'play.yaml': yaml, ...more }, body, options);

describe('add-host', () => {
  const added = `- hosts: h1
  tasks:
    - { name: add, add-host: { name: "new{{ item }}", groups: [fresh], variables: { colour: "{{ 'red' }}", raw: "{{ text }}" } }, loop: [1, 2] }
  vars: { text: "{{ '{{ evil }}' }}" }
- hosts: fresh
  tasks:
    - { name: show, debug: { message: "{{ colour }} {{ raw }} {{json group_names}}" } }
`;

  it('adds hosts for later plays, once for each item; their variables are data', () =>
    playIn(
      added,
      (run) => {
        expect(said(run, 'show')).to.deep.equal(['new1: red {{ evil }} ["fresh"]', 'new2: red {{ evil }} ["fresh"]']);
        expect(run.summary.map((h) => `${h.host} ${h.state}`)).to.deep.equal(['h1 ok', 'new1 ok', 'new2 ok']);
        expect(run.exitCode).to.equal(0);
      },
      { 'hosts.ini': '[all:vars]\nansible_connection=local\n[web]\nh1\n' },
    ));

  it('does so in check mode, which has nothing to say against it', () =>
    playIn(
      added,
      (run) => {
        expect(run.summary).to.have.length(3);
        expect(run.exitCode).to.equal(0);
      },
      {},
      { isCheckMode: true },
    ));

  it('is seen at once in groups and hostvars, and tasks can be delegated to the host', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { add-host: { name: extra, groups: web, variables: { port: 7 } } }
    - { name: show, debug: { message: "{{json groups.web}} {{ hostvars.extra.port }}" } }
    - { name: there, command: { argv: [echo, x], reads: true }, delegate_to: extra }
`,
      (run) => {
        expect(said(run, 'show')).to.deep.equal(['h1: ["h1","h2","extra"] 7']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('of a host that is there puts it into the groups and gives it the variables, once or twice alike', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { add-host: { name: h2, groups: [a, b], variables: { colour: red } }, loop: [1, 2] }
- hosts: a:&b
  tasks: [{ name: show, debug: { message: "{{ colour }} {{json group_names}}" } }]
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['h2: red ["a","b","web"]']),
    ));

  it('gives hosts passwords that are masked from then on', () =>
    playIn(
      `- hosts: h1
  vars: { words: [hunter, two, three] }
  tasks:
    - { add-host: { name: extra, groups: fresh, variables: { ansible_connection: local, ansible_password: '{{join words "-"}}' } } }
- hosts: fresh
  tasks: [{ name: show, debug: { message: "so: {{ ansible_password }}" } }]
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['extra: so: ********']),
    ));

  it('brings in what host_vars and group_vars say of new names', () =>
    playIn(
      `- hosts: h1
  tasks: [{ add-host: { name: extra, groups: fresh, variables: { ansible_connection: local } } }]
- hosts: fresh
  tasks: [{ name: show, debug: { message: "{{ of_host }} {{ of_group }}" } }]
`,
      (run) => expect(said(run, 'show')).to.deep.equal(['extra: a b']),
      { 'host_vars/extra.yml': 'of_host: a\n', 'group_vars/fresh.yml': 'of_group: b\n' },
    ));

  const refused: [string, string][] = [
    ['{ name: "{{ bad }}" }', '"a b" is no name of a host'],
    ['{ name: ok, groups: ["{{ bad }}"] }', '"a b" is no name of a group'],
    ['{ name: ok, groups: [h2] }', '"h2" is a host and can be no group'],
    ['{ name: web }', '"web" is a group and can be no host'],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args}`, () =>
      playIn(`- hosts: h1\n  vars: { bad: "a b" }\n  tasks: [{ name: add, add-host: ${args} }]\n`, (run) =>
        expect(said(run, 'add')[0]).to.contain(message),
      ));
  }
});

describe('a play after one that adds hosts', () => {
  const yaml = `- hosts: h1
  tasks:
    - { add-host: { name: extra, groups: fresh }, when: go }
- hosts: fresh
  tasks: [{ name: show, debug: { message: x } }]
- hosts: h1
  tasks: [{ name: last, debug: { message: x } }]
`;
  it('is left out with a warning when its pattern names nothing in the end', () =>
    playIn(
      yaml,
      (run) => {
        expect(warnings(run)).to.deep.equal([
          'there is no host and no group "fresh": nothing that an earlier play added is called so: the play is left out',
        ]);
        expect(run.ends).to.deep.equal(['h1: add-host: skipped', 'h1: last: ok']);
      },
      {},
      { extraVars: { go: false } },
    ));

  it('has only those of the added hosts that --limit names', () =>
    playIn(
      yaml,
      (run) => expect(run.ends).to.deep.equal(['h1: add-host: ok', 'h1: last: ok']),
      {},
      { extraVars: { go: true }, limit: 'h1' },
    ));
});

describe('group-by', () => {
  it('puts hosts into groups that are named by their variables, under parents, with group_vars', () =>
    playIn(
      `- hosts: web
  tasks:
    - { group-by: { key: "os {{ os }}", parents: by_os } }
    - { name: now, debug: { message: "{{ what }}" } }
- hosts: os-b
  tasks: [{ name: only b, debug: { message: "{{ what }} {{json group_names}}" } }]
- hosts: by_os
  serial: 1
  tasks: [{ name: all, debug: { message: "{{json groups.by_os}}" } }]
`,
      (run) => {
        expect(said(run, 'now')).to.deep.equal(['h1: A', 'h2: B', 'h3: A']);
        expect(said(run, 'only b')).to.deep.equal(['h2: B ["by_os","os-b","web"]']);
        expect(said(run, 'all').map((line) => line.slice(0, 2))).to.deep.equal(['h1', 'h3', 'h2']);
      },
      {
        'hosts.ini': '[all:vars]\nansible_connection=local\nwhat=none\n[web]\nh1 os=a\nh2 os=b\nh3 os=a\n',
        'group_vars/os-a.yml': 'what: A\n',
        'group_vars/os-b.yml': 'what: B\n',
      },
    ));

  it('of many hosts at the same time loses none', () =>
    playIn(
      '- hosts: web\n  tasks:\n    - { group-by: { key: "n{{ inventory_hostname }}", parents: [every] } }\n- hosts: every\n  tasks: [{ debug: { message: x } }]\n',
      (run) =>
        expect(run.events.flatMap((e) => (e.type === 'play-started' ? [e.hosts.length] : []))).to.deep.equal([40, 40]),
      { 'hosts.ini': localHosts(40) },
    ));
});

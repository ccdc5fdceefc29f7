import { expect } from 'chai';
import fc from 'fast-check';
import { parse, variablesOf } from './rig.ts';

const groupsOf = (text: string): Record<string, readonly string[]> => {
  const { inventory, printed } = parse(text);
  expect(printed).to.equal('');
  return Object.fromEntries([...inventory.groups.values()].map((group) => [group.name, group.hosts]));
};

const hostVariables = (text: string, host = 'h'): Record<string, unknown> =>
  variablesOf(parse(text).inventory.hosts.get(host));

describe('the INI format: hosts and groups', () => {
  it('hosts before the first section are ungrouped', () => {
    expect(groupsOf('a\nb\n[web]\nc')).to.deep.equal({ all: ['a', 'b', 'c'], ungrouped: ['a', 'b'], web: ['c'] });
  });

  it('a host that gets a group leaves ungrouped', () => {
    expect(groupsOf('a\n[web]\na').ungrouped).to.deep.equal([]);
  });

  it('a host may be in several groups and is one host', () => {
    const { inventory } = parse('[web]\nh x=1\n[db]\nh y=2');
    expect(inventory.hosts.get('h')?.groups).to.deep.equal(['all', 'db', 'web']);
    expect(variablesOf(inventory.hosts.get('h'))).to.deep.equal({ x: 1, y: 2 });
  });

  it('comments, blank lines, indentation and line ends do not matter', () => {
    const text = '\uFEFF; one\r\n\r\n  [web]  # two\r\n\ta  # three\r\n#b\r\n[db:children] # four\r\n  web # five\r\n';
    expect(groupsOf(text)).to.deep.equal({ all: ['a'], ungrouped: [], web: ['a'], db: ['a'] });
  });

  it('children and variables may come before the group that they name', () => {
    const text = '[prod:children]\nweb\n[web:vars]\nx=1\n[web]\nh\n[prod:vars]\ny=2';
    expect(groupsOf(text).prod).to.deep.equal(['h']);
    expect(hostVariables(text)).to.deep.equal({ x: 1, y: 2 });
  });

  it("a group's own hosts come before those of its children, and these before theirs", () => {
    const text = '[leaf]\nl\n[mid]\nm\n[top]\nt\n[top:children]\nmid\n[mid:children]\nleaf';
    expect(groupsOf(text).top).to.deep.equal(['t', 'm', 'l']);
  });

  it('children stand in the order in which their groups are declared, as in Ansible', () => {
    expect(groupsOf('[top:children]\nb\na\n[a]\nx\n[b]\ny').top).to.deep.equal(['x', 'y']);
    expect(groupsOf('[a]\nx\n[b]\ny\n[top:children]\nb\na').top).to.deep.equal(['y', 'x']);
  });

  it('depth is the longest way from all', () => {
    const { inventory } = parse('[a:children]\nb\nc\n[b:children]\nc\n[c]\nh');
    expect([...inventory.groups.values()].map((g) => `${g.name} ${g.depth}`).join(', ')).to.equal(
      'all 0, ungrouped 1, a 1, b 2, c 3',
    );
  });

  it('a port after a colon is ansible_port, also for every host of a range', () => {
    expect(hostVariables('web[1:2]:2222', 'web2')).to.deep.equal({ ansible_port: 2222 });
    expect(hostVariables('[2001:db8::1]:2022 x=1', '2001:db8::1')).to.deep.equal({ ansible_port: 2022, x: 1 });
    expect(hostVariables('[::2]:22 x=[1]', '::2')).to.deep.equal({ ansible_port: 22, x: [1] });
    expect(hostVariables('h:22 ansible_port=23')).to.deep.equal({ ansible_port: 23 });
  });
});

describe('the INI format: variables', () => {
  const onHostLine: [string, unknown][] = [
    ['v=true', true],
    ['v=yes', 'yes'],
    ['v=0123', '0123'],
    ["v='a b'", 'a b'],
    [`v='"5"'`, '5'],
    ["v='5'", 5],
    ['v=[1,2]', [1, 2]],
    [`v='{"a": 1}'`, { a: 1 }],
    ['v=a=b', 'a=b'],
    ['v=', ''],
  ];
  for (const [text, value] of onHostLine) {
    it(`h ${text}`, () => expect(hostVariables(`h ${text}`)).to.deep.equal({ v: value }));
  }

  const inVars: [string, unknown][] = [
    ['v = True', true],
    ['v=a b', 'a b'],
    ["v='a b'", 'a b'],
    ['v = "5"', '5'],
    ['v=8080 # a comment', 8080],
    ['v=a=b', 'a=b'],
    ['v=', ''],
  ];
  for (const [text, value] of inVars) {
    it(`[g:vars] ${text}`, () => expect(hostVariables(`[g]\nh\n[g:vars]\n${text}`)).to.deep.equal({ v: value }));
  }

  it('texts with {{ }} are templates, which see the other variables', () => {
    expect(hostVariables('h name=x path="/srv/{{ name }}"')).to.deep.equal({ name: 'x', path: '/srv/x' });
  });

  it('all < parent < child < host; of the same depth the later name wins; the later line wins', () => {
    const groups = '[a]\nh\n[b]\nh\n[top:children]\na\nb\n';
    expect(hostVariables(`${groups}[all:vars]\nv=all`).v).to.equal('all');
    expect(hostVariables(`${groups}[top:vars]\nv=top\n[all:vars]\nv=all`).v).to.equal('top');
    expect(hostVariables(`${groups}[b:vars]\nv=b\n[a:vars]\nv=a\n[top:vars]\nv=top`).v).to.equal('b');
    expect(hostVariables(`${groups}[b:vars]\nv=b\n[a]\nh v=host\n`).v).to.equal('host');
    expect(hostVariables(`${groups}[b:vars]\nv=1\nv=2`).v).to.equal(2);
  });

  it('ansible_group_priority decides among groups of the same depth', () => {
    const text = '[a]\nh\n[b]\nh\n[a:vars]\nv=a\nansible_group_priority=10\n[b:vars]\nv=b';
    expect(hostVariables(text)).to.deep.equal({ v: 'a' });
  });

  it('every layer says where it comes from, and every value where it stands', () => {
    const { inventory } = parse('[a]\nh v=1\n[a:vars]\nw=2');
    const layers = inventory.hosts.get('h')?.layers ?? [];
    expect(layers.map((layer) => layer.origin)).to.deep.equal(['group a', 'host h']);
    const range = layers[1]?.variables.get('v')?.range;
    expect(range?.source.text.slice(range.start, range.end)).to.equal('1');
  });
});

describe('the INI format: mistakes', () => {
  const mistakes: [title: string, text: string, printed: string][] = [
    [
      'a variable without a value',
      '[web]\nh a=1 user\n',
      `hosts.ini:2:7: error: after a host's name come variables as key=value, not "user"
  2 | h a=1 user
            ^^^^
  hint: write no blanks around "=", and put a value with blanks in quotes: key="a value"`,
    ],
    [
      'a quotation that is not closed',
      `  h a='x y`,
      `hosts.ini:1:7: error: no closing quotation
  1 |   h a='x y
            ^^^^
  hint: put a quote or a backslash that is meant as such in quotes of the other kind`,
    ],
    [
      'an unknown kind of section',
      '[web:childs]\ndb',
      `hosts.ini:1:6: error: a section is of the kind hosts, children or vars, not "childs"
  1 | [web:childs]
           ^^^^^^
  hint: did you mean "children"?`,
    ],
    [
      'a section with a blank',
      '[web servers]\nh a',
      `hosts.ini:1:1: error: a section is [group], [group:children] or [group:vars], without spaces
  1 | [web servers]
      ^^^^^^^^^^^^^`,
    ],
    [
      'children and variables of groups that do not exist',
      '[workers]\na\n[prod:children]\nworkes\n[prd:vars]\nx=1\n[x:children]\na\n',
      `hosts.ini:4:1: error: there is no group "workes"
  4 | workes
      ^^^^^^
  hint: did you mean "workers"?
hosts.ini:5:2: error: there is no group "prd"
  5 | [prd:vars]
       ^^^
  hint: did you mean "prod"?
hosts.ini:8:1: error: there is no group "a"
  8 | a
      ^
  hint: "a" is a host: hosts stand in a section without ":children"`,
    ],
    [
      'a loop of groups',
      '[a:children]\nb\n[b:children]\nc\n[c:children]\na\n',
      `hosts.ini:6:1: error: the group "a" cannot be a child of "c", which is in it: a > b > c > a
  6 | a
      ^`,
    ],
    [
      'a group in itself, and all in a group',
      '[a:children]\na\nall',
      `hosts.ini:2:1: error: the group "a" cannot be its own child
  2 | a
      ^
hosts.ini:3:1: error: "all" holds every group and cannot be a child of "a"
  3 | all
      ^^^`,
    ],
    [
      'a line of :vars that is no assignment',
      '[a]\nh\n[a:vars]\nuser: root\n',
      `hosts.ini:4:1: error: a line of [a:vars] is key=value
  4 | user: root
      ^^^^^^^^^^
  hint: write "=" instead of ":"`,
    ],
    [
      'a bad range',
      'h x=1\nweb[3:1].example.com:22 x=1',
      `hosts.ini:2:4: error: the range ends at 1, before it begins at 3
  2 | web[3:1].example.com:22 x=1
         ^^^^^`,
    ],
    [
      'ports that are none',
      'a:ssh\nb:70000\nc:',
      `hosts.ini:1:3: error: a port is a number, not "ssh"
  1 | a:ssh
        ^^^
hosts.ini:2:3: error: a port is a number from 1 to 65535, not 70000
  2 | b:70000
        ^^^^^
hosts.ini:3:2: error: the port after ":" is missing
  3 | c:
       ^`,
    ],
    [
      'a template that is broken',
      'h a="{{ b"',
      `hosts.ini:1:6: error: this {{ is not closed
  1 | h a="{{ b"
           ^^
  hint: a literal {{ is written \\{{`,
    ],
  ];
  for (const [title, text, printed] of mistakes) it(title, () => expect(parse(text).printed).to.equal(printed));

  it('the lines after a broken section header are not taken for hosts', () => {
    expect([...parse('[web servers]\nx y z').inventory.hosts.keys()]).to.deep.equal([]);
  });
});

describe('the INI format: doubts', () => {
  const doubts: [title: string, text: string, printed: string][] = [
    [
      'a comment that cuts a word short',
      'h pass=b#c d=1',
      `hosts.ini:1:9: warning: the comment begins inside a word and cuts it short
  1 | h pass=b#c d=1
              ^^^^^^
  hint: put a value with "#" in quotes, or a blank before the comment`,
    ],
    [
      'a comment that is part of a value',
      '[g]\nh\n[g:vars]\nv = foo # c',
      `hosts.ini:4:9: warning: the value of "v" includes the "#" and what follows it
  4 | v = foo # c
              ^^^
  hint: put a comment on a line of its own, or the value in quotes when it is meant like that`,
    ],
    [
      'a version that is read as a number',
      'h kube=1.20',
      `hosts.ini:1:8: warning: "kube" is the number 1.2 here, no text
  1 | h kube=1.20
             ^^^^
  hint: for a text, such as a version, write kube='"1.20"'`,
    ],
    [
      'what Python calls a tuple',
      'h ports=80,443 cidr=192.0.2.0/24,x',
      `hosts.ini:1:9: warning: "ports" is a text here, where Ansible reads a list
  1 | h ports=80,443 cidr=192.0.2.0/24,x
              ^^^^^^
  hint: for a list write ports=[80,443]`,
    ],
    [
      'a user before a host',
      'root@web',
      `hosts.ini:1:1: warning: "root@web" is taken as the name of a host, though no host on a network can have it
  1 | root@web
      ^^^^^^^^
  hint: for the user write: web ansible_user=root`,
    ],
    [
      'a misspelt connection variable',
      'h ansible_hots=192.0.2.1',
      `hosts.ini:1:3: warning: ansible_hots is no connection variable and has no effect
  1 | h ansible_hots=192.0.2.1
        ^^^^^^^^^^^^
  hint: did you mean "ansible_host"?`,
    ],
    [
      "a variable that is the engine's own",
      'h groups=1',
      `hosts.ini:1:3: warning: groups is provided by the engine: a value here has no effect
  1 | h groups=1
        ^^^^^^`,
    ],
  ];
  for (const [title, text, printed] of doubts) it(title, () => expect(parse(text).printed).to.equal(printed));
});

describe('the INI format: any text', () => {
  const token = fc.constantFrom(
    ...['[', ']', ':', '=', '#', ';', "'", '"', '\\', '{{', '}}', '\n', '\r\n', ' ', ',', '@', '~', '1', '0', '-', '.'],
    ...['a', 'all', 'vars', 'children', 'b', 'ansible_port', 'é', '\u2028', '\0', '---', '$', '__proto__'],
  );
  const line = fc.constantFrom('[a]', '[b:children]', '[a:vars]', 'a', 'b', 'h[1:3] x=1', 'x = y', '[c:children]', 'c');

  it('gives an inventory or diagnostics with a place inside the text, and never throws', () => {
    const text = fc.oneof(
      fc.array(token).map((tokens) => tokens.join('')),
      fc.array(line).map((lines) => lines.join('\n')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const { message, range } of parse(input).diagnostics) {
          expect(message).not.to.equal('');
          expect(range?.start).to.be.within(0, input.length);
          expect(range?.end).to.be.within(range?.start ?? 0, input.length + 1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

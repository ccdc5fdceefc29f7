import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import pLimit from 'p-limit';
import {
  type Answer,
  askAnsible,
  askUs,
  describeWithAnsible,
  isRefusal,
  type Question,
  type Verdict,
} from './ansible.ts';
import { printing } from './ansible-questions.ts';

/** An inventory that we read otherwise than Ansible, on purpose: `docs/inventory.md` gives the reasons. */
interface Difference {
  readonly question: Question;
  /** The variables of the hosts, or that it is refused. */
  readonly ours: Answer['hostvars'] | 'refused';
  readonly theirs: Answer['hostvars'] | 'refused';
}

const hosts = (text: string, name = 'hosts'): Question => ({ files: { [name]: text }, sources: [name] });
const yaml = (text: string): Question => hosts(text, 'hosts.yml');

const differences: Readonly<Record<string, Difference>> = {
  'true, false and null in INI are data': {
    question: hosts('h a=true b=false c=null d=[true]\n'),
    ours: { h: { a: true, b: false, c: null, d: [true] } },
    theirs: { h: { a: 'true', b: 'false', c: 'null', d: '[true]' } },
  },
  'values with commas in INI are texts': {
    question: hosts('h ports=80,443 pair="(1, 2)"\n'),
    ours: { h: { ports: '80,443', pair: '(1, 2)' } },
    theirs: { h: { ports: [80, 443], pair: [1, 2] } },
  },
  'whole numbers that would lose digits are texts': {
    question: hosts('h id=9007199254740993\n'),
    ours: { h: { id: '9007199254740993' } },
    // As JavaScript reads what Ansible prints.
    theirs: { h: { id: 9007199254740992 } },
  },
  'YAML is YAML 1.2': {
    question: yaml('all:\n  hosts: {h: }\n  vars: {a: yes, b: off, c: 0644, d: 12:30, e: 1_000, f: 1e3, g: 0o17}\n'),
    ours: { h: { a: 'yes', b: 'off', c: 644, d: '12:30', e: '1_000', f: 1000, g: 15 } },
    theirs: { h: { a: true, b: false, c: 420, d: 750, e: 1000, f: '1e3', g: '0o17' } },
  },
  'a host that has the name of a group has its own variables': {
    question: hosts('[web]\nother\n[db]\nweb x=1\n'),
    ours: { other: {}, web: { x: 1 } },
    theirs: { other: { x: 1 }, web: {} },
  },
  'lists of hosts take ranges': {
    question: { sources: ['n[1:2],'] },
    ours: { n1: {}, n2: {} },
    theirs: { 'n[1:2]': {} },
  },
  'brackets around an IPv6 address need no port': {
    question: { sources: ['[::1],'] },
    ours: { '::1': {} },
    theirs: { '[::1]': {} },
  },
  'an address may end in colons': {
    question: hosts('2001:db8::\n', 'hosts.ini'),
    ours: { '2001:db8::': {} },
    theirs: 'refused',
  },
  'a port may follow a range without a begin': {
    question: hosts('h[:1]:22\n'),
    ours: { h0: { ansible_port: 22 }, h1: { ansible_port: 22 } },
    theirs: { 'h0:22': {}, 'h1:22': {} },
  },
  'a port may follow a name that is a range': {
    question: hosts('[1:2]:22\n'),
    ours: { 1: { ansible_port: 22 }, 2: { ansible_port: 22 } },
    theirs: { 1: { ansible_port: 2 } },
  },
  'a port after a name that no network has': {
    question: hosts('root@h:22\n'),
    ours: 'refused',
    theirs: { 'root@h:22': {} },
  },
  'YAML may have any extension but .ini and .cfg': {
    question: hosts('all:\n  hosts: {h: }\n', 'prod.hosts'),
    ours: { h: {} },
    theirs: 'refused',
  },
  'names may be numbers in YAML': {
    question: yaml('1: {hosts: {2: {x: 1}}}\n'),
    ours: { 2: { x: 1 } },
    theirs: 'refused',
  },
  'a byte order mark is no part of the first line': {
    question: hosts('\uFEFFh\n'),
    ours: { h: {} },
    theirs: { '\uFEFFh': {} },
  },
  'a program may print nothing for --host': {
    question: hosts('#!/bin/sh\n[ "$1" = --host ] || echo \'{"web": ["h"]}\'\n'),
    ours: { h: {} },
    theirs: 'refused',
  },
  'a program that fails for --host': {
    question: hosts('#!/bin/sh\n[ "$1" = --host ] && { echo "{}"; exit 1; } || echo \'{"web": ["h"]}\'\n'),
    ours: 'refused',
    theirs: { h: {} },
  },
  'no hosts at all': { question: hosts('[web]\n'), ours: 'refused', theirs: {} },
  'a port that is a word': { question: hosts('h:ssh\n'), ours: 'refused', theirs: { 'h:ssh': {} } },
  'a port that cannot be': {
    question: hosts('h:70000\n'),
    ours: 'refused',
    theirs: { h: { ansible_port: 70000 } },
  },
  'a range that ends before it begins': { question: hosts('a\nh[3:1]\n'), ours: 'refused', theirs: { a: {} } },
  'a range that begins below zero': {
    question: hosts('h[-1:1]\n'),
    ours: 'refused',
    theirs: { 'h-1': {}, h0: {}, h1: {} },
  },
  'a priority that is no whole number': {
    question: hosts('[a]\nh\n[b]\nh\n[a:vars]\nansible_group_priority=2.5\nx=a\n[b:vars]\nx=b\n'),
    ours: 'refused',
    theirs: { h: { x: 'a' } },
  },
  'a text in INI that is not UTF-8': {
    question: { files: { hosts: Buffer.from('h x=caf\xe9\n', 'latin1') }, sources: ['hosts'] },
    ours: 'refused',
    // As Python's surrogate, which is written as a question mark.
    theirs: { h: { x: 'caf?' } },
  },
  'a file with nothing but ---': {
    question: { files: { 'empty.yml': '---\n', hosts: 'h\n' }, sources: ['empty.yml', 'hosts'] },
    ours: { h: {} },
    theirs: 'refused',
  },
  'the key __proto__ in YAML and JSON': {
    question: yaml('all: {hosts: {h: {__proto__: 1}}}\n'),
    ours: 'refused',
    theirs: { h: JSON.parse('{"__proto__": 1}') as Record<string, unknown> },
  },
  'ungrouped in another group': {
    question: hosts('a\n[web:children]\nungrouped\n[web]\nb\n'),
    ours: 'refused',
    theirs: { b: {} },
  },
  'a group below ungrouped, and a host in both': {
    question: hosts('[ungrouped:children]\nweb\n[ungrouped]\nh\n[web]\nh\n[ungrouped:vars]\nx=1\n'),
    ours: { h: { x: 1 } },
    theirs: { h: {} },
  },
  'a key of a group that means nothing': {
    question: yaml('all: {host: {a: }, hosts: {b: }}\n'),
    ours: 'refused',
    theirs: { b: {} },
  },
  'hosts beside groups': {
    question: yaml('hosts: {a: }\nall: {hosts: {b: }}\n'),
    ours: 'refused',
    theirs: { b: {} },
  },
  'a group that is no map': { question: yaml('web: [a]\ndb: {hosts: {b: }}\n'), ours: 'refused', theirs: { b: {} } },
  'a name with blanks alone under hosts': {
    question: yaml('all:\n  hosts:\n    a\n    b\n'),
    ours: 'refused',
    theirs: { 'a b': {} },
  },
  'a colon in INI that makes it YAML': { question: hosts('h: x=1\n'), ours: 'refused', theirs: {} },
  'a key that stands twice': {
    question: yaml('all: {hosts: {a: {x: 1}, a: {x: 2}}}\n'),
    ours: 'refused',
    theirs: { a: { x: 2 } },
  },
  'the configuration of a plugin': {
    question: yaml('plugin: ansible.builtin.generator\nhosts: {name: "h"}\nlayers: {}\n'),
    ours: 'refused',
    theirs: { h: {} },
  },
  'a program that cannot be started': {
    question: hosts('#! no program\nh\n'),
    ours: 'refused',
    theirs: { h: {} },
  },
  'the names of hosts in a program are texts': {
    question: hosts(printing({ web: { hosts: ['a'], children: 'x' }, _meta: { hostvars: {} } })),
    ours: 'refused',
    theirs: { a: {} },
  },
};

describeWithAnsible('inventories differ from Ansible, on purpose', function () {
  this.timeout(60_000);
  const answers = new Map<string, Promise<Verdict>>();

  before(() => {
    const limit = pLimit(2);
    for (const [title, { question }] of Object.entries(differences)) {
      answers.set(
        title,
        limit(() => askAnsible(question)),
      );
    }
  });

  for (const [title, { question, ours, theirs }] of Object.entries(differences)) {
    it(title, async () => {
      expect(summary(await askUs(question)), 'ours').to.deep.equal(ours);
      expect(summary((await answers.get(title)) ?? { refused: '' }), 'theirs').to.deep.equal(theirs);
    });
  }
});

describeWithAnsible('an inventory that cannot be read', function () {
  this.timeout(60_000);
  const question = { files: { good: 'a\n', bad: 'b x\n' }, sources: ['good', 'bad'] };

  it('is an error here; by itself Ansible goes on without it', async () => {
    expect(summary(await askUs(question))).to.equal('refused');
    const theirs = await askAnsible(question, { ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '0' });
    expect(summary(theirs)).to.deep.equal({ a: {} });
  });
});

describe('docs/inventory.md', () => {
  it('names every difference from Ansible, and none besides', async () => {
    const text = await readFile(new URL('../../docs/inventory.md', import.meta.url), 'utf8');
    const [, table = ''] = text.split('## Where it differs from Ansible');
    const titles = [...table.matchAll(/^\| ([^|]+) \|/gm)].map(([, title = '']) => title);
    expect(titles.map((title) => title.toLowerCase()).sort()).to.deep.equal(
      Object.keys(differences)
        .map((title) => title.toLowerCase())
        .sort(),
    );
  });
});

function summary(verdict: Verdict): Answer['hostvars'] | 'refused' {
  return isRefusal(verdict) ? 'refused' : verdict.hostvars;
}

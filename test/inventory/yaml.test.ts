import { expect } from 'chai';
import fc from 'fast-check';
import { formatDiagnostic } from '../../engine/base/diagnostic.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { layOut } from './ansible.ts';
import { printedFor, variablesOf } from './rig.ts';

const printed = (text: string): Promise<string> => printedFor({ 'hosts.yml': text }, ['hosts.yml']);

/** A host, so that there is one. */
const one = 'all: {hosts: {one: }}\n';

describe('inventories in YAML', () => {
  it('every layer says where it comes from, and every value where it stands', async () => {
    await using folder = await layOut({
      files: { 'hosts.yml': 'web:\n  hosts:\n    h[1:2]: {v: [1, x]}\n  vars: {w: 2}\n' },
      sources: [],
    });
    const { inventory } = await loadInventory({ sources: [`${folder.path}/hosts.yml`] });
    const layers = inventory.hosts.get('h2')?.layers ?? [];
    expect(layers.map((layer) => layer.origin)).to.deep.equal(['group web', 'host h2']);
    const range = layers[1]?.variables.get('v')?.range;
    expect(range?.source.text.slice(range.start, range.end)).to.equal('[1, x]');
  });

  it('texts with {{ }} are templates, which see the other variables', async () => {
    await using folder = await layOut({
      files: { 'hosts.json': '{"all": {"hosts": {"h": {"name": "x", "path": "/srv/{{ name }}"}}}}' },
      sources: [],
    });
    const { inventory } = await loadInventory({ sources: [`${folder.path}/hosts.json`] });
    expect(variablesOf(inventory.hosts.get('h'))).to.deep.equal({ name: 'x', path: '/srv/x' });
  });

  const mistakes: [title: string, text: string, printed: string][] = [
    [
      'keys that are none',
      'all:\n  host:\n    a:\n  variables: {x: 1}\n  childs:\n    b:\n',
      `hosts.yml:2:3: error: "host" is no part of the group "all", which has hosts, children and vars
  2 |   host:
        ^^^^
  hint: did you mean "hosts"?

hosts.yml:4:3: error: "variables" is no part of the group "all", which has hosts, children and vars
  4 |   variables: {x: 1}
        ^^^^^^^^^
  hint: did you mean "vars"?

hosts.yml:5:3: error: "childs" is no part of the group "all", which has hosts, children and vars
  5 |   childs:
        ^^^^^^
  hint: did you mean "children"?`,
    ],
    [
      'hosts without a group',
      'hosts:\n  a:\n',
      `hosts.yml:2:3: error: "a" is no part of the group "hosts", which has hosts, children and vars
  2 |   a:
        ^
  hint: "hosts" is a group here: put it under one, such as all:`,
    ],
    [
      'hosts and variables right under a group',
      'web:\n  a:\n  http_port: 80\n',
      `hosts.yml:2:3: error: "a" is no part of the group "web", which has hosts, children and vars
  2 |   a:
        ^
  hint: put a host under hosts:, a group under children:

hosts.yml:3:3: error: "http_port" is no part of the group "web", which has hosts, children and vars
  3 |   http_port: 80
        ^^^^^^^^^
  hint: put a variable under vars:`,
    ],
    [
      'lists where maps belong',
      'web:\n  - a\ndb:\n  hosts:\n    - b\n  vars: [1]\n',
      `hosts.yml:2:3: error: the group "web" is a map with hosts, children and vars, not a list
  2 |   - a
        ^^^
  hint: write web: {hosts: {NAME: }}

hosts.yml:5:5: error: hosts is a map of names, not a list
  5 |     - b
          ^^^
  hint: write each name with a colon instead of a dash: NAME:

hosts.yml:6:9: error: vars is a map of names to values, not a list
  6 |   vars: [1]
              ^^^`,
    ],
    [
      'names without colons',
      'web:\n  hosts:\n    a\n    b\n',
      `hosts.yml:3:5: error: hosts is a map of names, not the text "a b"
  3 |     a
          ^
  hint: write each name with a colon: NAME:`,
    ],
    [
      'a list for a file',
      '- a\n- b\n',
      `hosts.yml:1:1: error: an inventory is a map of groups, not a list
  1 | - a
      ^^^
  hint: write all: {hosts: {NAME: }}, or in INI one host per line`,
    ],
    [
      'a host with a text',
      'web: {hosts: {a: x}}\n',
      `hosts.yml:1:18: error: the variables of "a" are a map of names to values, not the text "x"
  1 | web: {hosts: {a: x}}
                       ^`,
    ],
    [
      'loops of groups',
      `${one}a: {children: {b: {children: {c: {children: {a: }}}}}}\nx: {children: {all: , x: , ungrouped: }}\n`,
      `hosts.yml:2:16: error: the group "b" cannot be a child of "a", which is in it: b > c > a > b
  2 | a: {children: {b: {children: {c: {children: {a: }}}}}}
                     ^

hosts.yml:3:16: error: "all" holds every group and cannot be a child of "x"
  3 | x: {children: {all: , x: , ungrouped: }}
                     ^^^

hosts.yml:3:23: error: the group "x" cannot be its own child
  3 | x: {children: {all: , x: , ungrouped: }}
                            ^

hosts.yml:3:28: error: "ungrouped" holds the hosts that are in no group and cannot be a child of "x"
  3 | x: {children: {all: , x: , ungrouped: }}
                                 ^^^^^^^^^`,
    ],
    [
      'the configuration of a plugin',
      'plugin: amazon.aws.aws_ec2\nregions: [eu]\n',
      `hosts.yml:1:1: error: this configures the inventory plugin "amazon.aws.aws_ec2" of Ansible, which does not exist here
  1 | plugin: amazon.aws.aws_ec2
      ^^^^^^
  hint: give -i a program instead: #!/bin/sh, exec ansible-inventory -i THIS_FILE --list`,
    ],
    [
      'what is wrong with hosts, priorities and templates',
      'web:\n  hosts:\n    a[3:1]:\n    b:70000:\n  vars: {ansible_group_priority: high, x: "{{ y"}\n',
      `hosts.yml:3:6: error: the range ends at 1, before it begins at 3
  3 |     a[3:1]:
           ^^^^^

hosts.yml:4:7: error: a port is a number from 1 to 65535, not 70000
  4 |     b:70000:
            ^^^^^

hosts.yml:5:34: error: ansible_group_priority is a whole number
  5 |   vars: {ansible_group_priority: high, x: "{{ y"}
                                       ^^^^

hosts.yml:5:44: error: this {{ is not closed
  5 |   vars: {ansible_group_priority: high, x: "{{ y"}
                                                 ^^
  hint: a literal {{ is written \\{{`,
    ],
  ];
  for (const [title, text, message] of mistakes) {
    it(`mistakes: ${title}`, async () => expect(await printed(text)).to.equal(message));
  }

  const doubts: [title: string, text: string, printed: string][] = [
    [
      'a misspelt connection variable',
      'all: {hosts: {h: {ansible_hots: 1}}}\n',
      `hosts.yml:1:19: warning: ansible_hots is no connection variable and has no effect
  1 | all: {hosts: {h: {ansible_hots: 1}}}
                        ^^^^^^^^^^^^
  hint: did you mean "ansible_host"?`,
    ],
    [
      'a group that no pattern can name',
      `${one}a b: {hosts: }\n`,
      `hosts.yml:2:1: warning: the group "a b" cannot be used in a host pattern, which gives some of its characters a meaning
  2 | a b: {hosts: }
      ^^^
  hint: name it with letters, digits, "_" and "-"`,
    ],
    [
      'a port that comes too late',
      'all: {hosts: {h: }}\nweb: {hosts: {"h:22": }}\n',
      `hosts.yml:2:18: warning: the port has no effect: "h" was named before
  2 | web: {hosts: {"h:22": }}
                       ^^
  hint: write ansible_port=22`,
    ],
    [
      'words that Ansible reads otherwise',
      'all: {hosts: {h: {v: yes, m: 0644, n: "no"}}}\n',
      `hosts.yml:1:22: warning: this is the text "yes", where Ansible reads true
  1 | all: {hosts: {h: {v: yes, m: 0644, n: "no"}}}
                           ^^^
  hint: write true, or "yes" for the text

hosts.yml:1:30: warning: this is the number 644, where Ansible reads 420
  1 | all: {hosts: {h: {v: yes, m: 0644, n: "no"}}}
                                   ^^^^
  hint: write "0644" for the text`,
    ],
  ];
  for (const [title, text, message] of doubts) {
    it(`doubts: ${title}`, async () => expect(await printed(text)).to.equal(message));
  }

  it('mistakes in JSON are told in its words', async () => {
    expect(await printedFor({ 'h.json': '{"web": {"hosts": {"a": {}, }}' }, ['h.json'])).to.equal(
      `h.json:1:29: error: not valid JSON: a key in double quotes is missing
  1 | {"web": {"hosts": {"a": {}, }}
                                  ^`,
    );
    expect(await printedFor({ 'h.json': '{"web": {"hosts": {"a": 1, "a": 2}}}' }, ['h.json'])).to.include(
      'h.json:1:28: error: "a" stands twice in the same map\n',
    );
  });

  it('the output of a program is no inventory file, and the hint says so', async () => {
    const text = '{"web": {"hosts": {"a": {}}}, "_meta": {"hostvars": {}}}';
    expect(await printedFor({ 'h.json': text }, ['h.json'])).to.include(
      'h.json:1:31: error: this is what an inventory program prints, and no inventory file\n',
    );
  });

  it('any text gives an inventory or diagnostics with a place inside of it, and never another error', async () => {
    const token = fc.constantFrom(
      ...['all', 'hosts', 'vars', 'children', 'a', 'h[1:2]', 'plugin', '_meta', '__proto__', '1', 'ansible_port'],
      ...[
        ': ',
        ':\n  ',
        ':\n    ',
        '\n',
        '{',
        '}',
        '[',
        ']',
        ', ',
        '- ',
        '"',
        '&x ',
        '*x',
        '<<',
        '!!str ',
        '|\n',
        '{{',
        '#',
        '\t',
      ],
    );
    await using folder = await layOut({ files: { 'hosts.yml': '' }, sources: [] });
    const path = `${folder.path}/hosts.yml`;
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 30 }), async (tokens) => {
        const text = tokens.join('');
        const open = async (): Promise<{ path: string; text: string }> => ({ path, text });
        try {
          await loadInventory({ sources: [path], open });
        } catch (error) {
          if (!(error instanceof Error) || !('diagnostics' in error)) throw error;
          for (const diagnostic of error.diagnostics as Parameters<typeof formatDiagnostic>[0][]) {
            expect(formatDiagnostic(diagnostic)).not.to.equal('');
            expect(diagnostic.range?.start ?? 0).to.be.within(0, text.length);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

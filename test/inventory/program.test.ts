import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { layOut } from './ansible.ts';
import { printedFor } from './rig.ts';

const printed = (script: string, programDeadlineMs = 20_000): Promise<string> =>
  printedFor({ inv: `#!/bin/sh\n${script}\n` }, ['inv'], { programDeadlineMs });
const printing = (output: string): Promise<string> => printed(`cat <<'END'\n${output}\nEND`);

describe('inventory programs', () => {
  it('are called once with --list when they tell the variables of all hosts', async () => {
    const script = `#!/bin/sh\necho "$*" >> "$0.log"\necho '{"web": ["a", "b"], "_meta": {"hostvars": {}}}'\n`;
    await using folder = await layOut({ files: { inv: script }, sources: [] });
    await loadInventory({ sources: [join(folder.path, 'inv')] });
    expect(await readFile(join(folder.path, 'inv.log'), 'utf8')).to.equal('--list\n');
  });

  it('get no input, and do not wait for it', async () => {
    expect(await printed('cat; echo \'{"web": ["a"], "_meta": {"hostvars": {}}}\'')).to.equal('');
  });

  const failures: [script: string, printed: string][] = [
    ['echo oops >&2; exit 3', 'error: inv --list ended with status 3\n  hint: it said: oops'],
    ['kill -9 $$', 'error: inv --list was killed by SIGKILL'],
    ['true', 'error: inv --list printed nothing'],
    [
      `[ "$1" = --host ] && exit 4; echo '{"web": ["a", "b"]}'`,
      'error: inv --host a ended with status 4\n\nerror: inv --host b ended with status 4',
    ],
  ];
  for (const [script, message] of failures) {
    it(`${script}: ${message.split('\n')[0]}`, async () => expect(await printed(script)).to.equal(message));
  }

  it('the mistakes of its hosts come in their order, whichever call ends first', async () => {
    const untilB = 'if [ "$2" = a ]; then until [ -e "$0.b" ]; do sleep 0.01; done; else : > "$0.b"; fi';
    const script = `if [ "$1" = --host ]; then ${untilB}; exit 4; fi; echo '{"web": ["a", "b"]}'`;
    expect(await printed(script)).to.equal(
      'error: inv --host a ended with status 4\n\nerror: inv --host b ended with status 4',
    );
  });

  it('that do not end are ended at their deadline, even when what they started holds their output', async () => {
    expect(await printed('sleep 300 & wait', 300)).to.equal('error: inv --list did not end within 0.3 s');
  });

  it('are ended when the user ends runbook, which is no mistake of the inventory', async () => {
    await using folder = await layOut({ files: { inv: '#!/bin/sh\n: > "$0.started"; exec sleep 300\n' }, sources: [] });
    const controller = new AbortController();
    const path = join(folder.path, 'inv');
    const loading = loadInventory({ sources: [path], signal: controller.signal }).catch((error: unknown) => error);
    while (!existsSync(`${path}.started`)) await setImmediate();
    controller.abort();
    expect(await loading)
      .to.be.instanceOf(RunbookError)
      .with.property('code', 'interrupted');
  });

  it('whose interpreter is missing cannot be started', async () => {
    expect(await printedFor({ inv: '#!/no/such/interpreter\n' }, ['inv'])).to.equal(
      'error: inv --list cannot be started: there is no such file',
    );
  });

  const outputs: [title: string, output: string, printed: string][] = [
    [
      'JSON with a mistake',
      '{"web": ["a",]}',
      `inv --list:1:14: error: not valid JSON: a value is missing
  1 | {"web": ["a",]}
                   ^`,
    ],
    [
      'no JSON',
      'web:\n  hosts:',
      `inv --list:1:1: error: not valid JSON: this is not expected here
  1 | web:
      ^^^`,
    ],
    [
      'a list',
      '[]',
      `inv --list:1:1: error: inv --list must print a map of groups in JSON, not a list
  1 | []
      ^^`,
    ],
    [
      'parts of wrong shapes',
      '{"a": {"hosts": ["x", 1]},\n "b": 5,\n "c": {"hosts": "x", "children": "b", "vars": []},\n "d": {"children": ["d"]},\n "_meta": {"hostvars": {"x": 5}}}',
      `inv --list:1:23: error: a name is a text, not the number 1
  1 | {"a": {"hosts": ["x", 1]},
                            ^

inv --list:2:7: error: the group "b" is a map or a list of hosts, not the number 5
  2 |  "b": 5,
            ^

inv --list:3:17: error: hosts is a list of names here, not the text "x"
  3 |  "c": {"hosts": "x", "children": "b", "vars": []},
                      ^^^

inv --list:3:34: error: children is a list of names here, not the text "b"
  3 |  "c": {"hosts": "x", "children": "b", "vars": []},
                                       ^^^

inv --list:3:47: error: vars is a map of names to values, not a list
  3 |  "c": {"hosts": "x", "children": "b", "vars": []},
                                                    ^^

inv --list:4:21: error: the group "d" cannot be its own child
  4 |  "d": {"children": ["d"]},
                          ^^^

inv --list:5:30: error: the variables of "x" are a map of names to values, not the number 5
  5 |  "_meta": {"hostvars": {"x": 5}}}
                                   ^`,
    ],
    [
      'hosts that are in no group',
      '{"web": ["a"], "_meta": {"hostvars": {"b": {}, "c": {}}}}',
      `inv --list:1:39: warning: "b" (and 1 more) has variables but is in no group, and so is no host of this inventory
  1 | {"web": ["a"], "_meta": {"hostvars": {"b": {}, "c": {}}}}
                                            ^^^
  hint: list it under a group, such as "all"`,
    ],
    [
      'a key that is nearly one',
      '{"web": {"hosts": ["a"], "childs": []}, "_meta": {"hostvars": {}}}',
      `inv --list:1:26: warning: "childs" is no part of the group "web", which has hosts, children and vars
  1 | {"web": {"hosts": ["a"], "childs": []}, "_meta": {"hostvars": {}}}
                               ^^^^^^^^
  hint: did you mean "children"?`,
    ],
  ];
  for (const [title, output, message] of outputs) {
    it(`that print ${title}`, async () => expect(await printing(output)).to.equal(message));
  }

  it('that write to their standard error are heard', async () => {
    expect(await printed(`echo careful >&2; echo '{"web": ["a"], "_meta": {"hostvars": {}}}'`)).to.equal(
      'warning: inv --list wrote to its standard error\n  hint: it said: careful',
    );
  });

  it('that print one long line get an excerpt of it', async () => {
    const hosts = JSON.stringify([...Array(500).keys()].map((i) => `host-${i}`));
    const message = await printing(`{"web": ${hosts}, "db": 5, "_meta": {"hostvars": {}}}`);
    expect(message).to.match(/^inv --list:1:\d+: error: the group "db" is a map or a list of hosts/);
    expect(Math.max(...message.split('\n').map((line) => line.length))).to.be.below(200);
    const [, line = '', carets = ''] = message.split('\n');
    expect(line[carets.indexOf('^')]).to.equal('5');
  });
});

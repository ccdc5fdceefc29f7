import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { type Holder, keywords } from '../../engine/language/keywords.ts';
import { load, registry } from './fakes.ts';

/** What nobody should write there, as flow YAML. */
const odd = [
  ...['', 'null', '""', 'text', '"{{ x }}"', '"{{ x"', '!expr "x"', '!expr "("', '0', '-1', '1.5', 'true', 'yes'],
  ...['[]', '[null]', '[[]]', '[{}]', '[1, text]', '{}', '{a: 1}', '{a: {a: [null]}}', '{"": null}', '{__proto2__: 1}'],
  ...['{role: r}', '{name: r}', '[{name: r}]', '[{role: null}]', '{window: null}', '{by: null, n: null}'],
  ...[
    '{loop_var: null}',
    '[{hosts: all}]',
    '[{command: null}]',
    '{copy: null}',
    '{x: {type: null}}',
    '"../r"',
    '"a:b"',
  ],
];

/** A playbook with one line where the holder is. */
const around: Readonly<Record<Holder, (line: string) => string>> = {
  play: (line) => `- hosts: all\n  ${line}\n`,
  task: (line) => `- hosts: all\n  tasks:\n    - command: ls\n      ${line}\n`,
  handler: (line) => `- hosts: all\n  handlers:\n    - command: ls\n      ${line}\n`,
  block: (line) => `- hosts: all\n  tasks:\n    - block: [{command: ls}]\n      ${line}\n`,
  lease: (line) =>
    `- hosts: all\n  tasks:\n    - block: [{command: ls}]\n      lease:\n        drain: {node: n}\n        ${line}\n`,
  import_tasks: (line) => `- hosts: all\n  tasks:\n    - import_tasks: tasks.yaml\n      ${line}\n`,
  include_tasks: (line) => `- hosts: all\n  tasks:\n    - include_tasks: tasks.yaml\n      ${line}\n`,
  import_role: (line) => `- hosts: all\n  tasks:\n    - import_role: r\n      ${line}\n`,
  import_playbook: (line) => `- import_playbook: other.yaml\n  ${line}\n`,
  meta: (line) => `- hosts: all\n  tasks:\n    - meta: end_play\n      ${line}\n`,
  role: (line) => `- hosts: all\n  roles:\n    - role: r\n      ${line}\n`,
};

/** The holder's own key, which may stand once. */
const without = (text: string, name: string): string => {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.replace(/^[ -]+/, '').startsWith(`${name}:`));
  const last = lines.findLastIndex((line) => line.replace(/^[ -]+/, '').startsWith(`${name}:`));
  if (first === last) return text;
  const indent = /^[ -]*/.exec(lines[first] ?? '')?.[0] ?? '';
  const own = `${indent}${(lines[last] ?? '').trim()}`;
  return lines.flatMap((line, i) => (i === first ? [own] : i === last ? [] : [line])).join('\n');
};

async function isExplained(text: string): Promise<boolean> {
  const files = {
    'play.yaml': text,
    'tasks.yaml': '- command: ls\n',
    'other.yaml': '- hosts: all\n',
    'roles/r/tasks/main.yaml': '[]\n',
  };
  try {
    await load(files);
    return true;
  } catch (error) {
    return (
      error instanceof DiagnosticsError && error.diagnostics.every((d) => d.range !== undefined && d.message !== '')
    );
  }
}

describe('a value that nobody expects', () => {
  for (const { name, on } of keywords) {
    it(`of ${name} is taken or explained with its place, wherever it stands`, async () => {
      for (const holder of on) {
        for (const value of odd) {
          const text = without(around[holder](`${name}: ${value}`), name);
          expect(await isExplained(text), text).to.equal(true);
        }
      }
    });
  }

  it('in the place of what holds keywords is explained, too', async () => {
    for (const value of odd) {
      for (const text of [
        `${value}\n`,
        `- ${value}\n`,
        `- hosts: all\n  tasks:\n    - ${value}\n`,
        `- hosts: all\n  tasks:\n    - block:\n        - ${value}\n`,
      ])
        expect(await isExplained(text), text).to.equal(true);
    }
  });

  for (const file of ['tasks', 'handlers', 'defaults', 'vars', 'meta']) {
    it(`in the ${file} of a role is explained, too`, async () => {
      for (const value of [...odd, '{dependencies: 1}', '{dependencies: [null, {}, r]}']) {
        const files = { 'play.yaml': '- hosts: all\n  roles: [r]\n', [`roles/r/${file}/main.yaml`]: `${value}\n` };
        const error = await load(files).catch((e: unknown) => e);
        expect(error instanceof Error && !(error instanceof DiagnosticsError), value).to.equal(false);
      }
    });
  }

  it('is explained in playbooks of all keywords and modules in any order, which name each other', async () => {
    const names = [...new Set([...keywords.map(({ name }) => name), ...registry.names(), 'dependencies', 'x', 'file'])];
    const texts = ['play.yaml', 'tasks.yaml', '{{ x }}.yaml', 'r', '{{ x }}', 'x', 'a == 1', '30%', '5s', ''];
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc.oneof(fc.constantFrom(...texts), fc.constantFrom(null, true, 0, 2, -1)),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const play = fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(play, { maxLength: 3 }), tree, async (plays, other) => {
        const files = {
          'play.yaml': stringify(plays.map((keys) => ({ hosts: 'all', ...keys }))),
          'tasks.yaml': stringify([other]),
          ...Object.fromEntries(
            ['tasks', 'handlers', 'vars', 'meta'].map((p) => [`roles/r/${p}/main.yaml`, stringify(other)]),
          ),
          'roles/r/inputs.yaml': stringify({ a: other }),
        };
        const error = await load(files).catch((e: unknown) => e);
        if (error instanceof Error && !(error instanceof DiagnosticsError)) throw error;
      }),
      { numRuns: 400 },
    );
  });
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { loadPlaybook } from '../../engine/language/load.ts';
import type { Playbook } from '../../engine/language/playbook.ts';
import { createValidator } from '../../engine/module/arguments.ts';
import { loadModules } from '../../engine/module/loader.ts';
import { checkStatically } from '../../engine/run/static-check.ts';
import { projectRoot } from '../support/cli.ts';

/** Whatever a file holds, the answer is a list of mistakes, and it comes within this much processor time. */
const deadlineMs = 10_000;

const playbooks = ['playbooks/hello.yaml', 'playbooks/containerd.yaml', 'playbooks/containerd/preflight.yaml'].map(
  (path) => readFileSync(`${projectRoot}${path}`, 'utf8'),
);
const small = `- hosts: web
  vars: {a: 1, b: "{{ a }}", c: {d: [x, !expr a + 1]}}
  vars_prompt: [{name: release, prompt: Which?}]
  inputs: {count: {type: integer, default: 3}}
  serial: {window: 2}
  tasks:
    - name: Look at {{ inventory_hostname }}
      shell: {cmd: "ls {{#each c.d}}{{ this }}{{/each}}", reads: true}
      register: out
      when: [facts.os.family == "debian", a in [1, 2] && !check_mode]
      until: out.rc == 0
      notify: again
    - block: [{debug: {message: "{{ item }}"}, loop: "{{ c.d }}", loop_control: {label: "{{ item }}"}}]
      rescue: [{debug: {message: "{{ failed_task.name }}"}}]
      always: [{meta: flush_handlers}]
  handlers: [{name: again, systemd: {name: kubelet, state: restarted}}]
`;
const inventory = `[web]
h[1:3] ansible_host=192.0.2.1 zone="a b"
h9:22 x=1
[all:children]
web
[web:vars]
port=80
list=["a", 'b']
`;

const words = [
  ...[
    '- ',
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    '{{ ',
    ' }}',
    '{{#if ',
    '{{/if}}',
    '{{#each ',
    '{%',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
  ],
  ...[
    'hosts',
    'tasks',
    'vars',
    'when',
    'loop',
    'register',
    'block',
    'shell',
    'debug',
    'item',
    'facts',
    'out.rc',
    'roles',
  ],
  ...[
    '&a ',
    '*a',
    '<<: ',
    '!expr ',
    '!!str ',
    '|',
    '>-',
    '#',
    '---',
    '? ',
    '\t',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '😀',
    '%YAML 1.1',
  ],
  ...[
    '==',
    '&&',
    '||',
    '!',
    '?',
    'has(',
    ')',
    '.?',
    'size(',
    '__proto__',
    'constructor',
    '[1:99999999]',
    '[a:z]',
    ':vars]',
  ],
  ...[
    '1e999',
    '-0',
    '0x',
    '~',
    'null',
    'true',
    'yes',
    '2024-01-01',
    '=',
    '\\',
    '${',
    '$ANSIBLE_VAULT;1.1;AES256\n6162',
  ],
];

/** A text with parts taken out, put in, doubled, cut off or moved. */
function mutated(texts: readonly string[]): fc.Arbitrary<string> {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  const change = fc.record({
    at: position,
    length: fc.nat(40),
    kind: fc.constantFrom('remove', 'insert', 'double', 'cut', 'swap', 'indent'),
    text: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })),
  });
  return fc.tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 6 })).map(([text, changes]) =>
    changes.reduce((before, { at, length, kind, text: inserted }) => {
      const start = Math.floor(at * before.length);
      const end = start + length;
      const [head, part, tail] = [before.slice(0, start), before.slice(start, end), before.slice(end)];
      if (kind === 'remove') return head + tail;
      if (kind === 'insert') return head + inserted + part + tail;
      if (kind === 'double') return head + part + part + tail;
      if (kind === 'cut') return head;
      if (kind === 'swap') return head + [...part].reverse().join('') + tail;
      return head + part.replaceAll('\n', '\n  ') + tail;
    }, text),
  );
}

const soup = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join(''));
const deep = fc
  .tuple(fc.constantFrom('[', '{a: ', '- ', 'a:\n ', '{{#if a}}', '(', '!', '-', '&a [', '[web:'), fc.nat(1000))
  .map(([part, times]) => part.repeat(times));

describe('any text', () => {
  it('as a playbook is loaded and checked, or its mistakes are told', async function () {
    this.timeout(600_000);
    const registry = await loadModules({});
    const validator = createValidator();
    const known = await loadInventory({ sources: ['h1,h2,'] });
    const hosts = [...known.inventory.hosts.values()];
    const check = async (text: string): Promise<void> => {
      const load = loadPlaybook('play.yaml', {
        registry,
        validator,
        readFile: fileOf(text),
        listFolder: async () => [],
      });
      const { playbook } = await load;
      await checkStatically({
        request: { playbook: 'play.yaml', extraVars: {}, tags: [], skipTags: [] },
        playbook,
        validator,
        inventory: known.inventory,
        hasInventory: true,
        hostsOf: new Map((playbook as Playbook).plays.map((play) => [play, hosts])),
      });
    };
    await survives(fc.oneof({ weight: 4, arbitrary: mutated([small]) }, mutated(playbooks), soup, deep), check, 200);
  });

  it('as a condition and as a text of a task', async function () {
    this.timeout(600_000);
    const registry = await loadModules({});
    const validator = createValidator();
    const check = async (text: string): Promise<void> => {
      const quoted = JSON.stringify(text);
      const play = `- hosts: all\n  tasks:\n    - debug: {message: ${quoted}}\n      when: ${quoted}\n`;
      await loadPlaybook('play.yaml', { registry, validator, readFile: fileOf(play), listFolder: async () => [] });
    };
    const texts = [
      'facts.os.family == "debian" && size(x) > 1 ? a[0] : {"b": c}.d',
      '{{#each a as |b|}}{{ upper b.c }}{{/each}}',
    ];
    await survives(fc.oneof(mutated(texts), soup, deep), check, 400);
  });

  for (const path of ['hosts.ini', 'hosts.yaml', 'hosts.json']) {
    it(`as an inventory ${path} is loaded, or its mistakes are told`, async function () {
      this.timeout(600_000);
      const check = async (text: string): Promise<void> => {
        await loadInventory({ sources: [`${projectRoot}test/fixtures/fuzz/${path}`], open: opened(text) });
      };
      const yaml = 'all:\n  hosts: {h1: {a: 1}}\n  children:\n    web: {hosts: {"h[1:3]": }, vars: {b: "{{ a }}"}}\n';
      const json = '{"web": {"hosts": ["h1"], "vars": {"a": 1}}, "_meta": {"hostvars": {"h1": {"b": [1]}}}}';
      const texts = path.endsWith('.ini') ? [inventory] : [path.endsWith('.yaml') ? yaml : json];
      await survives(fc.oneof({ weight: 3, arbitrary: mutated(texts) }, soup, deep), check, 200);
    });
  }
});

function opened(text: string): (path: string) => Promise<{ path: string; text: string; isSecret: boolean }> {
  return async (path) => {
    if (path.includes('fixtures/fuzz/')) return { path, text, isSecret: false };
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
}

function fileOf(text: string): (path: string) => Promise<string> {
  return async (path) => {
    if (path === 'play.yaml') return text;
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
}

/** Fails for every error that is not for users, and for every text that takes too long. */
async function survives(
  texts: fc.Arbitrary<string>,
  check: (text: string) => Promise<void>,
  numRuns: number,
): Promise<void> {
  const property = fc.asyncProperty(texts, async (text) => {
    const started = process.cpuUsage();
    try {
      await check(text);
    } catch (error) {
      if (!(error instanceof DiagnosticsError) && !(error instanceof RunbookError)) throw error;
    }
    const { user } = process.cpuUsage(started);
    const took = user / 1000;
    if (took > deadlineMs) throw new Error(`took ${Math.round(took)} ms`);
  });
  await fc.assert(property, { numRuns, endOnFailure: false });
}

import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Question } from './ansible.ts';

/** Few names, so that groups and hosts meet again; hosts and groups share none (a difference of its own). */
const groupName = fc.constantFrom('all', 'ungrouped', 'a', 'b', 'c', 'd-1', 'e.f', 'G');
const plainGroup = fc.constantFrom('a', 'b', 'c', 'd-1', 'e.f', 'G');
const hostName = fc.constantFrom(
  'h1',
  'h2',
  'h3.example',
  'n10',
  'x',
  '192.0.2.1',
  '2001:db8::1',
  'n[8:11]',
  'h[1:3:2]',
  'x[a:b]',
);
const port = fc.option(fc.constantFrom(22, 2222), { nil: undefined, freq: 6 });
const variableName = fc.constantFrom('u', 'v', 'w', 'x', 'y_1');

/** Values as INI writes them, without those that differ on purpose (`ansible-differences.test.ts`). */
const iniValue = fc.oneof(
  fc.constantFrom(
    '1',
    '-2',
    '1.5',
    'True',
    'None',
    'text',
    "'a b'",
    '"5"',
    '[1, "b"]',
    "{'k': [None]}",
    '',
    'a=b',
    '0123',
    '0x1f',
  ),
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.stringMatching(/^[a-ik-z0-9._/-]{0,8}$/).filter((text) => !/^(true|false|null|\.{3})$/.test(text)),
);
const hostValue = iniValue.map((text) => (/[\s"'[{]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text));

const hostLine = fc
  .tuple(hostName, port, fc.array(fc.tuple(variableName, hostValue), { maxLength: 2 }))
  .map(([name, number, variables]) => {
    // An address with colons needs brackets before a port.
    const place = number === undefined ? name : name.includes('::') ? `[${name}]:${number}` : `${name}:${number}`;
    return [place, ...variables.map(([key, value]) => `${key}=${value}`)].join(' ');
  });
const assignment = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(variableName, iniValue).map(([key, value]) => `${key} = ${value}`) },
  { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map((n) => `ansible_group_priority=${n}`) },
);

const section = fc.oneof(
  fc.tuple(groupName, fc.array(hostLine, { maxLength: 3 })).map(([name, lines]) => [`[${name}]`, ...lines]),
  fc.tuple(groupName, fc.array(assignment, { maxLength: 3 })).map(([name, lines]) => [`[${name}:vars]`, ...lines]),
  fc
    .tuple(fc.constantFrom('all', 'a', 'b', 'c', 'd-1'), fc.array(plainGroup, { maxLength: 2 }))
    .map(([name, lines]) => [`[${name}:children]`, ...lines]),
);
const noise = fc.constantFrom('', '# comment', '; comment', '   ');

/** A text in INI. It has a host, and mostly declares what it names. */
export const iniText = fc
  .tuple(fc.array(section, { maxLength: 7 }), fc.boolean(), noise)
  .map(([sections, isDeclared, line]) => {
    const declared = isDeclared ? ['a', 'b', 'c', 'd-1', 'e.f', 'G'].map((name) => `[${name}]`) : [];
    return ['first', line, ...sections.flat(), ...declared].join('\n');
  });

/** PyYAML refuses characters that cannot be printed, and breaks lines at some that YAML 1.2 does not. */
const isPlain = /^[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffc\u{10000}-\u{10ffff}]*$/u;

const data = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.oneof(
      fc
        .string({ unit: 'grapheme', maxLength: 8 })
        .filter((text) => isPlain.test(text) && !text.includes('{{') && text !== '='),
      fc.integer(),
      fc.constantFrom(0.5, -1.25, true, false, null, 'yes', '0644', '12:30', '1e3', '{', ' ', 'a: b', '#'),
    ),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('k', 'l', 'm n'), tie('any'), { maxKeys: 2 }),
  ),
})).any;
const variables = fc.dictionary(variableName, data, { maxKeys: 3, noNullPrototype: true });
const prioritised = fc
  .tuple(variables, fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined, freq: 2 }))
  .map(([vars, priority]) => (priority === undefined ? vars : { ...vars, ansible_group_priority: priority }));

/** Groups as YAML and JSON have them: three deep, so that loops can come up. */
const groups = fc.letrec<{ groups: Record<string, unknown> }>((tie) => ({
  groups: fc.dictionary(
    plainGroup,
    fc.oneof(
      fc.constant(null),
      fc.record(
        {
          hosts: fc.dictionary(hostName, fc.option(variables), { maxKeys: 2, noNullPrototype: true }),
          vars: prioritised,
          children: fc.oneof({ maxDepth: 2 }, fc.constant(null), tie('groups')),
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    ),
    { maxKeys: 2, noNullPrototype: true },
  ),
})).groups;
const tree = fc
  .tuple(groups, variables, groups)
  .map(([top, vars, children]) => ({ all: { hosts: { first: null }, vars, children }, ...top }));

/** A text in YAML as people write it: YAML 1.1 puts into quotes what the two versions read differently. */
export const yamlText = tree.map((groups) => stringify(groups, { version: '1.1' }));

/** A text in JSON; on one line Ansible would take it for a host, if it refuses it as an inventory. */
export const jsonText = tree.map((groups) => JSON.stringify(groups, undefined, 1));

/** What a program prints. */
const listing = fc
  .tuple(
    fc.dictionary(
      groupName,
      fc.oneof(
        fc.array(hostName, { maxLength: 3 }),
        fc.record(
          {
            hosts: fc.array(hostName, { maxLength: 3 }),
            vars: prioritised,
            children: fc.array(plainGroup, { maxLength: 2 }),
          },
          { requiredKeys: ['hosts'], noNullPrototype: true },
        ),
      ),
      { maxKeys: 4, noNullPrototype: true },
    ),
    fc.dictionary(hostName, variables, { maxKeys: 3, noNullPrototype: true }),
  )
  .map(([groups, hostvars]) => ({ ...groups, one: ['first'], _meta: { hostvars } }))
  // Groups below `ungrouped` are a difference of their own.
  .filter((groups) => !('ungrouped' in groups) || !('children' in (groups.ungrouped as object)));
const program = listing.map((output) => `#!/bin/sh\ncat <<'END'\n${JSON.stringify(output)}\nEND\n`);

const variableFile = fc
  .tuple(
    fc.constantFrom('inv', 'other', 'play'),
    fc.oneof(
      fc.tuple(fc.constant('group_vars'), groupName),
      fc.tuple(fc.constant('host_vars'), fc.constantFrom('first', 'h1', 'h3.example', 'n10', '2001:db8::1')),
    ),
    fc.constantFrom('', '.yml', '.yaml', '.json', '/1.yml', '/2', '/sub/3.json', '.txt'),
    variables,
  )
  .map(
    ([folder, [kind, name], ending, content]) =>
      [`${folder}/${kind}/${name}${ending}`, JSON.stringify(content)] as const,
  );

/** Sources of all kinds, in folders and beside each other, with variable files. */
export const anyQuestion: fc.Arbitrary<Question> = fc
  .record({
    first: fc.oneof(iniText, yamlText, jsonText, program),
    second: fc.oneof(iniText, yamlText, jsonText, program),
    files: fc.array(variableFile, { maxLength: 6 }),
    sources: fc.constantFrom(
      ['inv/hosts'],
      ['inv/hosts', 'other/hosts'],
      ['inv', 'other'],
      ['other/', 'x,y:22,', 'inv/hosts'],
    ),
    playbookDirectory: fc.constantFrom('inv', 'play', undefined),
  })
  .map(({ first, second, files, sources, playbookDirectory }) => ({
    files: Object.fromEntries([['inv/hosts', first], ['other/hosts', second], ...withoutClashes(files)]),
    sources,
    ...(playbookDirectory !== undefined && { playbookDirectory }),
  }));

/** A path that is a file cannot be a folder as well. */
function withoutClashes(files: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const paths = new Set(files.map(([path]) => path));
  return files.filter(([path]) => ![...paths].some((other) => path.startsWith(`${other}/`)));
}

/** Texts that look like data in INI, one character of each other apart. */
export const literalText = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        '1',
        '0',
        '-',
        '+',
        '.',
        '_',
        'e',
        'x',
        '"',
        "'",
        '[',
        ']',
        '{',
        '}',
        ':',
        ',',
        ' ',
        '#',
        '\\',
        'n',
        'True',
        'None',
        'a',
        'é',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
  iniValue,
);

/** Names of hosts, and what is nearly one. */
export const nameText = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'web',
      '1',
      '10',
      '02',
      '[1:3]',
      '[a:c]',
      '[01:10:3]',
      '[',
      ']',
      ':',
      '.',
      '-',
      '_',
      '::',
      '22',
      'é',
      '@',
      '[:2]',
      'f',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** Words of YAML that its two versions may read differently. */
export const wordText = fc.oneof(
  fc.constantFrom(
    'yes',
    'Yes',
    'YES',
    'no',
    'on',
    'off',
    'y',
    'n',
    'true',
    'True',
    'null',
    '~',
    'yEs',
    'ON',
    'Off',
    '1.',
    '.5',
    '.inf',
  ),
  fc
    .array(
      fc.constantFrom(
        '0',
        '1',
        '7',
        '8',
        '12',
        '59',
        '60',
        ':',
        '_',
        '.',
        'e',
        '+',
        '-',
        '0x',
        '0o',
        '0b',
        'f',
        '2024-01-02',
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((parts) => parts.join('')),
);

import { expect } from 'chai';
import { createValidator } from '../../engine/module/arguments.ts';
import type { Schema } from '../../engine/module/schema.ts';

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string' },
    state: { enum: ['started', 'stopped'], default: 'started' },
    enabled: { type: 'boolean' },
    mode: { type: 'string', pattern: '^0?[0-7]{3}$', description: 'octal digits, in quotes' },
    ports: { type: 'array', items: { oneOf: [{ type: 'integer' }, { type: 'string' }] } },
  },
} as const satisfies Schema;

function mistakesIn(args: Record<string, unknown>, skip?: ReadonlySet<string>): string[] {
  return createValidator()
    .check(schema, args, skip)
    .map((m) => `${m.path.join('.')} (${m.at}): ${m.message}${m.hint ? ` [${m.hint}]` : ''}`);
}

describe('checking arguments', () => {
  it('fills in defaults and finds nothing wrong with right ones', () => {
    const args: Record<string, unknown> = { name: 'x' };
    expect(mistakesIn(args)).to.deep.equal([]);
    expect(args.state).to.equal('started');
  });

  const table: [string, Record<string, unknown>, string[]][] = [
    ['a missing argument', {}, [' (value): "name" is required']],
    ['an unknown argument', { name: 'x', stat: 'y' }, ['stat (key): unknown argument "stat" [did you mean "state"?]']],
    [
      'a wrong choice',
      { name: 'x', state: 'start' },
      ['state (value): "state" must be one of started, stopped, not "start" [did you mean "started"?]'],
    ],
    [
      'yes for true',
      { name: 'x', enabled: 'yes' },
      [
        'enabled (value): "enabled" must be true or false, not "yes" [write true or false: YAML 1.2 reads yes, no, on and off as text]',
      ],
    ],
    [
      'a mode that YAML read as a number',
      { name: 'x', mode: 644 },
      ['mode (value): "mode" must be a string, not 644 [put it in quotes]'],
    ],
    [
      'text that does not match',
      { name: 'x', mode: 'rw' },
      ['mode (value): "mode" must look like ^0?[0-7]{3}$, not "rw" [octal digits, in quotes]'],
    ],
    [
      'no branch of a choice',
      { name: 'x', ports: [80, true] },
      ['ports.1 (value): "1" must be a whole number or a string, not true'],
    ],
    [
      'two mistakes at once',
      { nme: 1 },
      [' (value): "name" is required', 'nme (key): unknown argument "nme" [did you mean "name"?]'],
    ],
  ];
  for (const [title, args, expected] of table) {
    it(`names ${title}`, () => expect(mistakesIn(args)).to.deep.equal(expected));
  }

  it('passes over values that are not known yet, but not over names', () => {
    expect(
      mistakesIn({ name: '{{ x }}', enabled: '{{ y }}', oops: '{{ z }}' }, new Set(['name', 'enabled', 'oops'])),
    ).to.have.length(1);
  });
});

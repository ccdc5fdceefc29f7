import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { createValidator } from '../../engine/module/arguments.ts';
import type { FromSchema, Schema } from '../../engine/module/schema.ts';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string' },
    content: { type: 'string', minLength: 3, secret: true },
    environment: { type: 'object', additionalProperties: { type: 'string', secret: true } },
    set: { type: 'object', additionalProperties: true, secret: true },
    free: { type: 'object', additionalProperties: true },
    any: {},
    words: { anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'string', secret: true } }] },
  },
} as const satisfies Schema;

function mistakesIn(args: Record<string, unknown>): string[] {
  return createValidator()
    .check(schema, args)
    .map((m) => `${m.path.join('.')}: ${m.message}${m.hint ? ` [${m.hint}]` : ''}`);
}

const secret = new Secret('hunter2');

describe('secrets in arguments', () => {
  it('stand where the schema declares it, at any depth, and come through as they are', () => {
    const args = {
      content: secret,
      environment: { A: secret, B: 'plain' },
      set: { a: [{ b: secret }] },
      words: [secret, 'x'],
    };
    expect(mistakesIn(args)).to.deep.equal([]);
    expect([args.content, args.environment.A, args.set.a[0]?.b, args.words[0]]).to.deep.equal(Array(4).fill(secret));
  });

  const refused: readonly (readonly [string, Record<string, unknown>])[] = [
    ['name', { name: secret }],
    ['free.a.b', { free: { a: { b: secret } } }],
    ['any', { any: secret }],
    ['any.0', { any: [secret] }],
  ];
  for (const [path, args] of refused) {
    it(`are refused in ${path}`, () => {
      const name = path
        .replace(/\.\d+$/, '')
        .split('.')
        .at(-1);
      expect(mistakesIn(args)).to.deep.equal([
        `${path}: "${name}" cannot be a secret, which would be seen there [secrets are for: content, environment, set, words]`,
      ]);
    });
  }

  it('are checked as texts, and no mistake shows them', () => {
    expect(mistakesIn({ content: new Secret('ab') })).to.deep.equal([
      'content: "content" must NOT have fewer than 3 characters',
    ]);
    const said = mistakesIn({ environment: { A: secret, 'B C': 1 }, words: { a: secret }, nosuch: secret });
    expect(said.join('\n')).to.contain('"words" must be').and.not.to.contain('hunter2');
  });

  it('are in the types', () => {
    const args: FromSchema<typeof schema> = { content: secret, environment: { A: secret } };
    // @ts-expect-error a secret is not declared there
    const wrong: FromSchema<typeof schema> = { name: secret };
    // @ts-expect-error it may be a secret
    const text: string | undefined = args.content;
    expect([wrong.name, text]).to.deep.equal([secret, secret]);
  });
});

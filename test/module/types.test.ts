import { expect } from 'chai';
import { defineModule, exec, probe, sh } from '../../engine/index.ts';

/** The compiler is the test: `npm run check` fails when one of the expected errors is none any more. */
describe('the types of a module', () => {
  it('come from its schema and its probe', () => {
    const module = defineModule({
      name: 'line',
      summary: 'Keeps a line in a file',
      schema: {
        type: 'object',
        additionalProperties: false,
        required: ['path'],
        properties: {
          path: { type: 'string', description: 'x' },
          state: { enum: ['present', 'absent'], default: 'present', description: 'x' },
          lines: { type: 'array', items: { type: 'string' }, description: 'x' },
          that: { type: 'string', format: 'expression', description: 'x' },
        },
      },
      desired: async (args) => ({ count: args.lines?.length ?? 0 }),
      probe: ({ path }, desired) =>
        probe(sh`cat ${path} ${desired.count}`, ({ stdout }) => ({ lines: stdout.split('\n') })),
      diff: (current, args, { desired }) => {
        const state: 'present' | 'absent' = args.state;
        // @ts-expect-error optional: it may be undefined
        const lines: readonly string[] = args.lines;
        // @ts-expect-error no such argument
        const misspelt: unknown = args.stat;
        // @ts-expect-error no such field in what the probe parses
        const field: unknown = current.line;
        const isSo: unknown = args.that?.value;
        return [state, lines, misspelt, field, isSo, desired.count].length > 99
          ? [{ path: 'x', before: null, after: 1 }]
          : [];
      },
      *apply({ args, current }) {
        const { stdout } = yield exec(sh`echo ${args.path} ${current.lines}`);
        return { stdout };
      },
    });
    expect(module.kind).to.equal('resource');
  });
});

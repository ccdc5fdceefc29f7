import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import { expect } from 'chai';
import { createAjv, forAjv, schemaKey } from '../../engine/module/arguments.ts';
import { precompiled as fromSource } from '../../engine/module/precompiled.ts';
import { builtInModules } from '../../modules/index.ts';
// @ts-expect-error: of the build, which is JavaScript
import { validatorsOf } from '../../precompile.js';
import { projectRoot } from '../support/cli.ts';

describe('validators that the build compiles', () => {
  const precompiled = evaluate(validatorsOf({ builtInModules, createAjv, forAjv, schemaKey }));

  for (const { name, schema } of builtInModules) {
    it(`find in arguments of ${name} what those find that are compiled when they are needed`, () => {
      const built = precompiled[schemaKey(schema)];
      if (!built) throw new Error('there is none');
      const compiled = createAjv({}).compile(forAjv(schema));
      const values = [7, 'x', '', [], {}, null, true, ['x', 7]];
      const names = ['no such argument!', ...Object.keys(schema.properties ?? {})];
      const samples = [{}, ...names.flatMap((argument) => values.map((value) => ({ [argument]: value })))];
      for (const sample of samples) {
        expect(judged(built, sample), JSON.stringify(sample)).to.deep.equal(judged(compiled, sample));
      }
    });
  }

  it('are none from source, and in the program that was built', () => {
    expect(fromSource).to.deep.equal({});
    const program = readFileSync(`${projectRoot}dist/engine/cli/main.cjs`, 'utf8');
    for (const { schema } of builtInModules) expect(program).to.include(schemaKey(schema));
  });
});

/** The mistakes, and the value with the defaults that were filled in. */
function judged(validate: ValidateFunction, sample: Record<string, unknown>): unknown {
  const value = structuredClone(sample);
  const isFine = validate(value);
  return { isFine, value, errors: isFine ? [] : structuredClone(validate.errors) };
}

function evaluate(code: string): Record<string, ValidateFunction> {
  const run = new Function('require', `${code.replace(/^export /, '')} return precompiled;`);
  return run(createRequire(import.meta.url)) as Record<string, ValidateFunction>;
}

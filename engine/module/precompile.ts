import standalone from 'ajv/dist/standalone/index.js';
import { builtInModules } from '../../modules/index.ts';
import { createAjv, forAjv, schemaKey } from './arguments.ts';

/** What takes the place of `precompiled.ts` in a build: a validator of each built-in module's schema. */
export function precompile(): string {
  const ajv = createAjv({ code: { source: true } });
  const keys = builtInModules.map(({ schema }) => {
    const key = schemaKey(schema);
    ajv.addSchema(forAjv(schema), key);
    return key;
  });
  // The package is CommonJS: what it calls its default is a member of what is imported.
  const code = standalone.default(ajv, Object.fromEntries(keys.map((key) => [key, key])));
  return `export const precompiled = {};\n((exports) => {\n${code}\n})(precompiled);\n`;
}

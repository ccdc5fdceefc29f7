import standalone from 'ajv/dist/standalone/index.js';

/**
 * The source of engine/module/precompiled.ts in a build: a validator of each built-in module's schema. It is given what
 * engine/module/arguments.ts and modules/index.ts export.
 */
export function validatorsOf({ builtInModules, createAjv, forAjv, schemaKey }) {
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

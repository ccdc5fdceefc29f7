// Makes the program one file, with its dependencies, and another one of what `import 'runbook'` gives outside of a run.
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { validatorsOf } from './precompile.js';

/** ssh2 looks for what was compiled for it beside itself, which is not where the bundle is. */
const compiledPartOfSsh2 = {
  name: 'compiled part of ssh2',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/sshcrypto\.node$/ }, () => ({
      path: 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
      external: true,
    })),
};

/** Its server and its agents for HTTP, which nobody asks for: with them comes all that Node has of HTTP and TLS. */
const unusedPartsOfSsh2 = {
  name: 'unused parts of ssh2',
  setup: ({ onLoad }) => onLoad({ filter: /\/ssh2\/lib\/(server|http-agents)\.js$/ }, () => ({ contents: '' })),
};

/** Validators of the built-in modules' arguments: to compile them takes as long as to load all of the rest. */
const precompiledSchemas = {
  name: 'precompiled schemas',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/engine\/module\/precompiled\.ts$/ }, async () => ({ contents: await precompile() })),
};

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

const program = await build({
  ...shared,
  entryPoints: ['engine/cli/main.ts'],
  outfile: 'dist/engine/cli/main.cjs',
  write: false,
  // No module of JavaScript: what V8 compiled of those cannot be kept before Node 22 (bin/code-cache.cjs).
  format: 'cjs',
  define: { 'import.meta.url': 'urlOfThis' },
  banner: { js: `"use strict"; const urlOfThis = require('node:url').pathToFileURL(__filename).href;` },
  // Code that is run as a script cannot import.
  supported: { 'dynamic-import': false },
  external: ['jiti', 'cpu-features'],
  plugins: [compiledPartOfSsh2, unusedPartsOfSsh2, precompiledSchemas],
});
for (const { path, text } of program.outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, escaped(text));
}
await build({ ...shared, entryPoints: ['engine/index.ts'], outfile: 'dist/engine/index.js', format: 'esm' });

/** What takes the place of engine/module/precompiled.ts: a validator of each built-in module's schema. */
async function precompile() {
  const { outputFiles } = await build({
    ...shared,
    stdin: {
      contents: "export * from './engine/module/arguments.ts'; export * from './modules/index.ts';",
      resolveDir: import.meta.dirname,
    },
    format: 'cjs',
    define: { 'import.meta.url': 'urlOfThis' },
    banner: { js: `const urlOfThis = ${JSON.stringify(import.meta.url)};` },
    // Of which there may be only one: what it makes of a schema knows its own classes.
    external: ['ajv'],
    write: false,
  });
  const made = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(made, made.exports, createRequire(import.meta.url));
  return validatorsOf(made.exports);
}

/** In ASCII alone, which is read in a quarter of the time: esbuild leaves other characters in comments and regular expressions. */
function escaped(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

// Node 22 and later keep compiled code between runs.
module.enableCompileCache?.();

const built = new URL('../dist/engine/cli/main.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  // A git checkout that was not built yet; tsx is there after `npm install`.
  const { register } = await import('tsx/esm/api');
  register();
  await import('../engine/cli/main.ts');
}

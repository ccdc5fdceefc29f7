#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Node 22 and later keep compiled code between runs: in the user's own folder, and not, as they do unless they are told
// otherwise, in a shared one, where another user could leave code for root to run.
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'runbook', 'code'));

// Garbage is collected when there is as much of it as of what is in use. V8 waits for four times as much, and of a thousand
// hosts each task leaves some: a run of theirs took half as much memory again.
setFlagsFromString('--heap-growing-percent=100');

const built = new URL('../dist/engine/cli/main.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  // A git checkout that was not built yet; tsx is there after `npm install`.
  const { register } = await import('tsx/esm/api');
  register();
  await import('../engine/cli/main.ts');
}

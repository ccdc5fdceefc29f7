#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

const args = process.argv.slice(2);
const built = join(__dirname, '../dist/engine/cli/main.cjs');

if (args.length === 1 && ['--version', '-V'].includes(args[0])) {
  // It has to cost hardly more than starting Node.
  console.log(require('../package.json').version);
} else if (existsSync(built)) {
  // Garbage is collected when there is as much of it as of what is in use. V8 waits for four times as much, and of a thousand
  // hosts each task leaves some: a run of theirs took half as much memory again.
  setFlagsFromString('--heap-growing-percent=100');
  // A function is optimized when it has run for longer than V8 would wait, which is 67584 in Node 20: runs are short, and to
  // compile what they hardly use took more than a tenth of the processor time of one with 300 hosts.
  setFlagsFromString('--interrupt-budget=250000');
  require('./code-cache.cjs').run(built, args);
} else {
  // A git checkout that was not built yet; tsx is there after `npm install`.
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import('../engine/cli/main.ts');
  });
}

'use strict';
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { homedir } = require('node:os');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/**
 * Runs a CommonJS file, which is in ASCII, with what V8 compiled of it the last time, which takes a third of the time that a short run takes.
 * `command` names what the process does: each command needs other parts of the program. It is kept when a process ends that
 * has done its work, and so has used what such a process uses; and anew when the program is another one.
 */
exports.run = function run(file, command = 'help') {
  const kept = openCache(/^[a-z-]+$/.test(command) ? command : 'other', keyOf(file));
  const cachedData = kept?.read();
  const script = new Script(wrap(readFileSync(file, 'latin1')), { filename: file, cachedData });
  if (kept !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
    process.once('exit', (code) => {
      if (!unfinished.has(code)) kept.write(script.createCachedData());
    });
  }
  script.runInThisContext()({}, createRequire(file), {}, file, dirname(file));
};

/** Exit codes of processes that ended before their work began, or in the midst of it (docs/exit-codes.md). */
const unfinished = new Set([1, 5, 130]);

/** What the compiled code was compiled of, and by what. V8 itself compares no more than the length of the source. */
function keyOf(file) {
  const { size, mtimeMs, ctimeMs, ino } = statSync(file);
  return [file, size, mtimeMs, ctimeMs, ino, process.version, process.arch].join(' ');
}

/**
 * The file of a name in the user's own folder; undefined where that cannot be had. Not in a shared one, and not in one that
 * belongs to somebody else, who could leave code there for root to run (sudo may keep HOME).
 */
function openCache(name, key) {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'runbook', 'code');
  const path = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
  } catch {
    return undefined;
  }
  return {
    /** The data that was kept under this key; undefined when there is none, or not all of it. */
    read() {
      try {
        const kept = readFileSync(path);
        const data = kept.subarray(digestLength);
        return kept.subarray(0, digestLength).equals(digestOf(key, data)) ? data : undefined;
      } catch {
        return undefined;
      }
    },
    /** Keeps data; nothing where it cannot: the next process compiles again. */
    write(data) {
      const partial = `${path}.${process.pid}`;
      try {
        writeFileSync(partial, Buffer.concat([digestOf(key, data), data]), { mode: 0o600 });
        renameSync(partial, path);
      } catch {
        rmSync(partial, { force: true });
      }
    },
  };
}

const digestLength = 32;

function digestOf(key, data) {
  return createHash('sha256').update(`${key}\n`).update(data).digest();
}

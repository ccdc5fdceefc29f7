'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { homedir } = require('node:os');
const { dirname, isAbsolute, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

/**
 * Runs a CommonJS file, which is in ASCII, with what V8 compiled of it the last time: to compile takes a third of the time
 * that a short run takes. `args` are those of the process. What is compiled is kept for each command, since each needs other
 * parts of the program, when a process ends that did what the command is for; and anew when the program is another one.
 */
exports.run = function run(file, args) {
  const kept = openCache(commandOf(args), keyOf(file));
  const cachedData = kept?.read();
  const script = new Script(wrap(fs.readFileSync(file, 'latin1')), { filename: file, cachedData });
  if (kept !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
    // What has not run for a while is forgotten otherwise, in a long run all that was needed for its start.
    setFlagsFromString('--no-flush-bytecode');
    process.once('exit', (code) => {
      setFlagsFromString('--flush-bytecode');
      if (didItsWork(args, code)) kept.write(() => script.createCachedData());
    });
  }
  script.runInThisContext()({}, createRequire(file), {}, file, dirname(file));
};

function commandOf([first = '']) {
  return /^[a-z][a-z-]*$/.test(first) ? first : 'none';
}

/** By its exit code (docs/exit-codes.md): it did not fail, was not interrupted, was not asked for something that is wrong. */
function didItsWork(args, code) {
  if (args.some((arg) => /^(-h|--help|-V|--version|help)$/.test(arg))) return false;
  return [0, 2, 3, 6, 7].includes(code) || (code === 5 && commandOf(args) === 'lint');
}

/** What the compiled code was compiled of, and by what. V8 itself compares no more than the length of the source. */
function keyOf(file) {
  const { size, mtimeMs, ctimeMs, ino } = fs.statSync(file);
  return [file, size, mtimeMs, ctimeMs, ino, process.version, process.arch].join(' ');
}

/**
 * The file of a name in the user's own folder; undefined where that cannot be had. Nothing is read that somebody else may
 * have written, who could leave code there for root to run, and nothing is made in somebody else's folder: sudo may keep HOME.
 */
function openCache(name, key) {
  try {
    const { XDG_CACHE_HOME: given = '' } = process.env;
    const folder = join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'runbook', 'code');
    if (fs.statSync(nearest(folder)).uid !== process.geteuid?.()) return undefined;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(fs.statSync(folder)) ? cacheFile(join(folder, name), key) : undefined;
  } catch {
    return undefined;
  }
}

function cacheFile(path, key) {
  return {
    /** The data that was kept under this key; undefined when there is none, or not all of it. */
    read() {
      try {
        const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
        try {
          if (!isOwn(fs.fstatSync(file))) return undefined;
          const kept = fs.readFileSync(file);
          const data = kept.subarray(digestLength);
          return kept.subarray(0, digestLength).equals(digestOf(key, data)) ? data : undefined;
        } finally {
          fs.closeSync(file);
        }
      } catch {
        return undefined;
      }
    },
    /** Keeps data; nothing where it cannot: the next process compiles again. */
    write(make) {
      const partial = `${path}.${process.pid}`;
      try {
        const data = make();
        try {
          fs.writeFileSync(partial, Buffer.concat([digestOf(key, data), data]), { mode: 0o600, flag: 'wx' });
          fs.renameSync(partial, path);
        } catch (error) {
          if (error.code !== 'EEXIST') fs.rmSync(partial, { force: true });
        }
      } catch {
        // Nobody waits for it.
      }
    },
  };
}

/** The folder, or the nearest one above it that is there. */
function nearest(folder) {
  return fs.existsSync(folder) ? folder : nearest(dirname(folder));
}

function isOwn({ uid, mode }) {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

const digestLength = 32;

function digestOf(key, data) {
  return createHash('sha256').update(`${key}\n`).update(data).digest();
}

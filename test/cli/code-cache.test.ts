import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

describe('compiled code that is kept', () => {
  it('is used by the next process, for each command its own', () =>
    inFolder(({ run, kept, program }) => {
      program('console.log("one");');
      expect(run('play').stdout).to.equal('one\n');
      const { ino, mode } = statSync(kept('play'));
      expect((mode & 0o777).toString(8)).to.equal('600');
      expect(run('play').stdout).to.equal('one\n');
      expect(statSync(kept('play')).ino, 'written again').to.equal(ino);
      expect(existsSync(kept('lint'))).to.equal(false);
      run('lint');
      expect(existsSync(kept('lint'))).to.equal(true);
    }));

  it('is not used for another program, of the same length even', () =>
    inFolder(({ run, program }) => {
      program('console.log("one");');
      run('play');
      program('console.log("two");');
      expect(run('play').stdout).to.equal('two\n');
    }));

  it('is not used when it is damaged, and made anew', () =>
    inFolder(({ run, kept, program }) => {
      program('console.log("one");');
      run('play');
      const whole = readFileSync(kept('play'));
      for (const damaged of [
        whole.subarray(0, whole.length / 2),
        Buffer.alloc(0),
        Buffer.from(whole).fill(7, 200, 300),
      ]) {
        writeFileSync(kept('play'), damaged);
        const { stdout, stderr } = run('play');
        expect({ stdout, stderr }).to.deep.equal({ stdout: 'one\n', stderr: '' });
        expect(readFileSync(kept('play')).length, 'made anew').to.be.greaterThan(whole.length / 2);
      }
    }));

  it('is not kept of a process that did not come to its work', () =>
    inFolder(({ run, kept, program }) => {
      for (const [status, ...args] of [
        [5, 'play'],
        [0, 'play', '--help'],
        [4, 'play'],
        [130, 'play'],
      ] as const) {
        program(`process.exit(${status});`);
        expect(run(...args).status).to.equal(status);
        expect(existsSync(kept('play')), args.join(' ')).to.equal(false);
      }
      program('process.exit(5);');
      run('lint');
      expect(existsSync(kept('lint')), 'lint found something').to.equal(true);
    }));

  it('holds what was needed long ago, too', () =>
    inFolder(({ run, kept, program }) => {
      const functions = Array.from({ length: 500 }, (_, i) => `function f${i}(a) { return a + ${i}; }\nf${i}(1);`);
      program(`${functions.join('\n')}\nfor (let i = 0; i < 8; i++) gc();`);
      expect(run('play').stderr).to.equal('');
      expect(statSync(kept('play')).size).to.be.greaterThan(100_000);
      const { ino } = statSync(kept('play'));
      run('play');
      expect(statSync(kept('play')).ino, 'written again').to.equal(ino);
    }));

  it('is neither read nor written in a folder where others may write', () =>
    inFolder(({ run, kept, program, folder }) => {
      program('console.log("one");');
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o777);
      expect(run('play').stdout).to.equal('one\n');
      expect(existsSync(kept('play'))).to.equal(false);
    }));

  it('is not read from a file of somebody else, nor through a link, and makes nothing in the folder of somebody else', function () {
    if (process.geteuid?.() !== 0) this.skip(); // only root can give a file away
    return inFolder(({ run, kept, program, folder }) => {
      program('console.log("one");');
      run('play');
      chownSync(kept('play'), 54321, 54321);
      expect(run('play').stdout).to.equal('one\n');
      expect(statSync(kept('play')).uid, 'made anew').to.equal(0);
      renameSync(kept('play'), `${folder}/elsewhere`);
      symlinkSync(`${folder}/elsewhere`, kept('play'));
      run('play');
      expect(lstatSync(kept('play')).isSymbolicLink(), 'made anew').to.equal(false);
      rmSync(join(folder, '../..'), { recursive: true });
      mkdirSync(join(folder, '../..'));
      chownSync(join(folder, '../..'), 54321, 54321);
      expect(run('play').stdout).to.equal('one\n');
      expect(readdirSync(join(folder, '../..'))).to.deep.equal([]);
    });
  });

  it('is done without where there is no place for it', () =>
    inFolder(({ run, program, folder }) => {
      program('console.log("one");');
      mkdirSync(join(folder, '../..'), { recursive: true });
      writeFileSync(join(folder, '..'), 'no folder');
      const { stdout, stderr } = run('play');
      expect({ stdout, stderr }).to.deep.equal({ stdout: 'one\n', stderr: '' });
    }));
});

interface Cache {
  /** Where compiled code is kept. */
  readonly folder: string;
  kept(command: string): string;
  /** Writes the program; each one is newer than the one before. */
  program(source: string): void;
  run(...args: string[]): SpawnSyncReturns<string>;
}

function inFolder(work: (cache: Cache) => void): Promise<void> {
  return withTemporaryFolder(async (temporary) => {
    const folder = join(temporary, 'cache', 'runbook', 'code');
    const file = join(temporary, 'program.cjs');
    const loader = JSON.stringify(join(projectRoot, 'bin/code-cache.cjs'));
    let seconds = 1_700_000_000;
    work({
      folder,
      kept: (command) => join(folder, command),
      program(source) {
        writeFileSync(file, source);
        utimesSync(file, seconds, seconds++);
      },
      run: (...args) =>
        spawnSync(
          process.execPath,
          ['--expose-gc', '-e', `require(${loader}).run(${JSON.stringify(file)}, ${JSON.stringify(args)})`],
          {
            encoding: 'utf8',
            env: { ...process.env, XDG_CACHE_HOME: join(temporary, 'cache') },
          },
        ),
    });
  });
}

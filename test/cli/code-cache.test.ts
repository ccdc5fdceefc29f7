import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
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
      program('process.exit(5);');
      expect(run('play').status).to.equal(5);
      expect(existsSync(kept('play'))).to.equal(false);
    }));

  it('is neither read nor written in a folder where others may write', () =>
    inFolder(({ run, kept, program, folder }) => {
      program('console.log("one");');
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o777);
      expect(run('play').stdout).to.equal('one\n');
      expect(existsSync(kept('play'))).to.equal(false);
    }));

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
  run(command: string): SpawnSyncReturns<string>;
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
      run: (command) =>
        spawnSync(process.execPath, ['-e', `require(${loader}).run(${JSON.stringify(file)}, '${command}')`], {
          encoding: 'utf8',
          env: { ...process.env, XDG_CACHE_HOME: join(temporary, 'cache') },
        }),
    });
  });
}

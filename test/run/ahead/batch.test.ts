import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { sh } from '../../../engine/base/sh.ts';
import type { ProbeOutput } from '../../../engine/module/contract.ts';
import { createProbeBatch } from '../../../engine/run/ahead/batch.ts';

const mark = 'f00d'.repeat(8);
const shells = ['sh', 'bash', 'busybox sh'].filter((shell) => spawnSync('sh', ['-c', `${shell} -c :`]).status === 0);

/** Runs a batch as a persistent shell does: in a session of its own. */
function run(shell: string, scripts: Parameters<typeof createProbeBatch>[0]) {
  const batch = createProbeBatch(scripts, mark);
  const [program = '', ...args] = shell.split(' ');
  const { stdout, stderr } = spawnSync('setsid', ['-w', program, ...args, '-c', batch.script.text], {
    encoding: 'utf8',
  });
  return batch.read({ stdout, stderr });
}

const answer = (stdout: string, rc = 0, stderr = ''): ProbeOutput => ({ rc, stdout, stderr });

for (const shell of shells) {
  describe(`a batch of probes in ${shell}`, () => {
    it('gives each probe what it printed on both streams, and its status', () => {
      const found = run(shell, [sh`echo one`, sh`printf two; echo oh >&2; exit 3`, sh`:`, sh`printf '\\n\\n'`]);
      expect(found).to.deep.equal([answer('one\n'), answer('two', 3, 'oh\n'), answer(''), answer('\n\n')]);
    });

    it('lets no probe do anything to the next one: neither exit, variables, folders, errors, nor its input', () => {
      const found = run(shell, [
        sh`x=1; cd /; set -e; false; echo never`,
        sh`echo "\${x-none} $(pwd | wc -c)"; cat`,
        sh`if`,
        sh`exec echo replaced`,
        sh`kill -TERM $(sh -c 'echo $PPID'); sleep 5`,
        sh`echo last`,
      ]);
      expect(found.map((one) => one?.rc)).to.deep.equal([1, 0, 2, 0, 143, 0]);
      expect(found[1]?.stdout)
        .to.match(/^none \d+\n$/)
        .and.to.not.equal('none 2\n');
      expect(found[3]?.stdout).to.equal('replaced\n');
      expect(found[5]?.stdout).to.equal('last\n');
    });

    it('takes nothing for a mark that is none', () => {
      const found = run(shell, [sh`printf '\\n%s 1 0\\n' ${'beef'.repeat(8)}`, sh`echo two`]);
      expect(found[1]).to.deep.equal(answer('two\n'));
    });

    it('takes for an answer only what is whole on both streams', () => {
      const batch = createProbeBatch([sh`echo one`, sh`echo two`], mark);
      const stdout = `\n${mark} 0 0\none\n\n${mark} 1 0\ntwo\n\n${mark} 2 0\n`;
      const stderr = `\n${mark} 0\n\n${mark} 1\nso f`;
      expect(batch.read({ stdout, stderr })).to.deep.equal([answer('one\n'), undefined]);
    });
  });
}

import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';
import { comparePrediction } from '../support/prediction.ts';

/**
 * What a task says in check mode while the one before it is pending, and that a run then says the same. Each row is two
 * tasks, the earlier one's effect not run in check mode. `DIR` is a folder with `old/` and `other/` (a file `x`
 * in each), `file`, and the links `alias` to `old` and `short` to `other/x`.
 */
interface Pair {
  readonly title: string;
  readonly first: string;
  readonly second: string;
  /** Of the second task, in check mode. */
  readonly says: 'ok' | 'changed' | 'failed' | 'unknown' | 'skipped';
  /** In the run, where check mode could not tell. */
  readonly turnsOut?: string;
}

const pairs: readonly Pair[] = [
  row(
    'a file in a folder that is made',
    'file: { path: DIR/n, state: directory }',
    'copy: { dest: DIR/n/x, content: a }',
    'changed',
  ),
  row(
    'a file in a folder made with those above it',
    'file: { path: DIR/n/m/o, state: directory }',
    'copy: { dest: DIR/n/m/x, content: a }',
    'changed',
  ),
  row(
    'a file in a folder that nobody makes',
    'file: { path: DIR/n, state: directory }',
    'copy: { dest: DIR/p/x, content: a }',
    'failed',
  ),
  row('the same text', 'copy: { dest: DIR/n, content: a }', 'copy: { dest: DIR/n, content: a }', 'ok'),
  row('another text', 'copy: { dest: DIR/n, content: a }', 'copy: { dest: DIR/n, content: b }', 'changed'),
  row(
    'the mode that a new file gets',
    'copy: { dest: DIR/n, content: a }',
    'file: { path: DIR/n, mode: "0644" }',
    'ok',
  ),
  row(
    'the mode that it is made with',
    'copy: { dest: DIR/n, content: a, mode: "0600" }',
    'file: { path: DIR/n, mode: "0600" }',
    'ok',
  ),
  row('the owner that a new file gets', 'copy: { dest: DIR/n, content: a }', 'file: { path: DIR/n, owner: ME }', 'ok'),
  row(
    'the mode that a new folder gets',
    'file: { path: DIR/n, state: directory }',
    'file: { path: DIR/n, state: directory, mode: "0755" }',
    'ok',
  ),
  row(
    'a copy of a file that is written',
    'copy: { dest: DIR/n, content: a }',
    'copy: { src: DIR/n, dest: DIR/m, remote_src: true }',
    'changed',
  ),
  row(
    'a key in a file that is written',
    'copy: { dest: DIR/n.ini, content: "[a]\\nb = 1\\n" }',
    'config-file: { path: DIR/n.ini, set: { a: { b: 1 } } }',
    'ok',
  ),
  row('removing what is made', 'copy: { dest: DIR/n, content: a }', 'file: { path: DIR/n, state: absent }', 'changed'),
  row(
    'using what is removed',
    'file: { path: DIR/file, state: absent }',
    'file: { path: DIR/file, mode: "0600" }',
    'failed',
  ),
  row(
    'what was in a folder that is removed',
    'file: { path: DIR/old, state: absent }',
    'file: { path: DIR/old/x, state: absent }',
    'ok',
  ),
  row(
    'what was in a folder that is made anew',
    '[{ file: { path: DIR/old, state: absent } }, { file: { path: DIR/old, state: directory } }]',
    'file: { path: DIR/old/x, state: file }',
    'failed',
  ),
  row(
    'a link where a file was',
    'file: { path: DIR/file, state: link, target: old, force: true }',
    'file: { path: DIR/file, state: link, target: old }',
    'ok',
  ),
  row(
    'every entry of a folder that gets another one',
    'copy: { dest: DIR/old/y, content: a, mode: "0600" }',
    'file: { path: DIR/old, state: directory, recurse: true, mode: "0755" }',
    'unknown',
    'changed',
  ),
  row(
    'entries of a folder of which one goes',
    'file: { path: DIR/old/x, state: absent }',
    'file: { path: DIR/old, state: directory, recurse: true, mode: "0700" }',
    'unknown',
    'changed',
  ),
  row(
    'a mode that the folder gives to what is in it',
    'file: { path: DIR/old, state: directory, recurse: true, mode: "0700" }',
    'file: { path: DIR/old/x, mode: "0700" }',
    'unknown',
    'ok',
  ),
  row(
    'a mode that a new file has after that',
    '[{ file: { path: DIR/old, state: directory, recurse: true, mode: "0700" } }, { copy: { dest: DIR/old/n, content: a } }]',
    'file: { path: DIR/old/n, mode: "0644" }',
    'ok',
  ),
  row(
    'a file that is made by another way to its folder',
    'copy: { dest: DIR/alias/n, content: a }',
    'file: { path: DIR/old/n, mode: "0644" }',
    'ok',
  ),
  row(
    'a folder that is made by another way, and a file in it',
    'file: { path: DIR/alias/n/m, state: directory }',
    'copy: { dest: DIR/old/n/m/x, content: a }',
    'changed',
  ),
  row(
    'a file that is removed by another way',
    'file: { path: DIR/alias/x, state: absent }',
    'copy: { dest: DIR/old/x, content: x }',
    'changed',
  ),
  row(
    'a file in what a link will lead to',
    'file: { path: DIR/alias, state: link, target: other }',
    'copy: { dest: DIR/alias/x, content: x }',
    'unknown',
    'ok',
  ),
  row(
    'a file that takes the place of a link, and what that led to',
    '[{ copy: { dest: DIR/short, content: a } }, { file: { path: DIR/short, mode: "0600" } }]',
    'file: { path: DIR/other/x, mode: "0600" }',
    'changed',
  ),
  row(
    'a folder in the place of what was in the way',
    '[{ file: { path: DIR/file, state: absent } }, { file: { path: DIR/file, state: directory } }]',
    'copy: { dest: DIR/file/x, content: a }',
    'changed',
  ),
  row(
    'folders where a file was in the way',
    'file: { path: DIR/file, state: absent }',
    'file: { path: DIR/file/n, state: directory }',
    'changed',
  ),
  row(
    'the set-uid bit of a program that gets another owner',
    'file: { path: DIR/program, group: daemon }',
    'file: { path: DIR/program, mode: "4755" }',
    'ok',
  ),
  row(
    'the mode that a folder gets in a set-gid folder',
    'file: { path: DIR/shared/n, state: directory }',
    'file: { path: DIR/shared/n, state: directory, mode: "0755" }',
    'unknown',
    'changed',
  ),
  row(
    'a command in a folder that is removed',
    'file: { path: DIR/old, state: absent }',
    'shell: { cmd: "true", chdir: DIR/old }',
    'failed',
  ),
  row(
    'a command whose path is made',
    'copy: { dest: DIR/n, content: a }',
    'command: { argv: [touch, DIR/n], creates: DIR/n }',
    'ok',
  ),
  row(
    'a command whose path is removed',
    'file: { path: DIR/file, state: absent }',
    'command: { argv: [rm, DIR/file], removes: DIR/file }',
    'ok',
  ),
  row(
    'a file that a command may write',
    'shell: { cmd: echo a >DIR/n }',
    'file: { path: DIR/n, state: file }',
    'unknown',
    'ok',
  ),
  row(
    'no file where a command may write one',
    'shell: { cmd: echo a >DIR/n }',
    'file: { path: DIR/n, state: absent }',
    'unknown',
    'changed',
  ),
  row(
    'a command that reads',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: cat DIR/n, reads: true }',
    'unknown',
    'ok',
  ),
  row(
    'a command that reads something else',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: cat DIR/file, reads: true, depends_on: [DIR/file] }',
    'ok',
  ),
  row(
    'a command that reads just this',
    'copy: { dest: DIR/file, content: a }',
    'shell: { cmd: cat DIR/file, reads: true, depends_on: [DIR/file] }',
    'unknown',
    'ok',
  ),
  row(
    'a guard that may answer otherwise',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: "echo >DIR/n", unless: test -s DIR/n }',
    'unknown',
    'ok',
  ),
  row(
    'a command in a folder that is made',
    'file: { path: DIR/n, state: directory }',
    'command: { argv: [touch, x], chdir: DIR/n, creates: DIR/n/x }',
    'changed',
  ),
  row(
    'a file of an archive',
    'tar-install: { src: DIR/a.tar, dest: DIR/opt, state_dir: DIR/state }',
    'file: { path: DIR/opt/file, mode: "0644" }',
    'ok',
  ),
  row(
    'an archive that is installed already then',
    'tar-install: { src: DIR/a.tar, dest: DIR/opt, state_dir: DIR/state }',
    'tar-install: { src: DIR/a.tar, dest: DIR/opt, state_dir: DIR/state }',
    'ok',
  ),
  row(
    'an archive of which a file is changed since',
    '[{ tar-install: { src: DIR/a.tar, dest: DIR/opt, state_dir: DIR/state } }, { copy: { dest: DIR/opt/file, content: z } }]',
    'tar-install: { src: DIR/a.tar, dest: DIR/opt, state_dir: DIR/state }',
    'changed',
  ),
  row(
    'a user that nobody makes',
    'copy: { dest: DIR/n, content: a }',
    'file: { path: DIR/n, owner: runbook-nobody }',
    'failed',
  ),
  row(
    'a result of an effect',
    'shell: { cmd: echo a }, register: r',
    'debug: { message: x }, when: r.stdout == "a"',
    'unknown',
    'ok',
  ),
  row(
    'whether an effect failed, where that is ignored',
    'shell: { cmd: "true" }, register: r, ignore_errors: true',
    'debug: { message: x }, when: r.failed',
    'unknown',
    'skipped',
  ),
  row(
    'whether one of several failed, where that is ignored',
    'shell: { cmd: "true" }, loop: [false, true], register: r, ignore_errors: "{{ item }}"',
    'debug: { message: x }, when: r.failed',
    'unknown',
    'skipped',
  ),
  row(
    'whether it failed, where that ends the host',
    'shell: { cmd: "true" }, register: r',
    'debug: { message: x }, when: r.failed',
    'skipped',
  ),
  row(
    'a result that the other side of || decides',
    'shell: { cmd: echo a }, register: r',
    'debug: { message: x }, when: r.stdout == "b" || true',
    'ok',
  ),
  row(
    'a result that the other side of && decides',
    'shell: { cmd: echo a }, register: r',
    'debug: { message: x }, when: r.stdout == "b" && false',
    'skipped',
  ),
  row(
    'a loop over a result',
    'shell: { cmd: echo a }, register: r',
    'debug: { message: "{{ item }}" }, loop: "{{ r.stdout_lines }}"',
    'unknown',
    'ok',
  ),
  row(
    'a template of a result',
    'shell: { cmd: echo a }, register: r',
    'copy: { dest: DIR/n, content: "{{ r.stdout }}" }',
    'unknown',
    'changed',
  ),
  row(
    'a changed_when of a result',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: echo a }, register: r, changed_when: r.stdout == "a"',
    'unknown',
    'changed',
  ),
  row(
    'a failed_when of a result',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: echo a }, register: r, failed_when: r.stdout == "b"',
    'unknown',
    'changed',
  ),
  row(
    'an until of a result',
    'copy: { dest: DIR/n, content: a }',
    'shell: { cmd: echo a }, register: r, until: r.stdout == "a", retries: 1',
    'unknown',
    'changed',
  ),
  row(
    'an error that is ignored',
    'copy: { dest: DIR/n, content: a }, register: r',
    'assert: { that: "!r.changed" }, ignore_errors: true',
    'failed',
  ),
  row(
    'a variable that is set to a result',
    '[{ shell: { cmd: echo a }, register: r }, { set-fact: { v: "{{ r.stdout }}" } }]',
    'debug: { message: x }, when: v == "a"',
    'unknown',
    'ok',
  ),
  row(
    'a path of a task that may run',
    '[{ shell: { cmd: echo a }, register: r }, { copy: { dest: DIR/n, content: a }, when: r.stdout == "a" }]',
    'file: { path: DIR/n, state: file }',
    'unknown',
    'ok',
  ),
  row(
    'whether a task of unknown condition was skipped',
    '[{ shell: { cmd: echo a }, register: r }, { command: { argv: [echo] }, when: r.stdout == "b", register: s }]',
    'debug: { message: x }, when: s.skipped',
    'unknown',
    'ok',
  ),
  row(
    'what is done elsewhere',
    'copy: { dest: DIR/n, content: a }, delegate_to: h2',
    'shell: { cmd: cat DIR/file, reads: true }',
    'unknown',
    'ok',
  ),
];

function row(title: string, first: string, second: string, says: Pair['says'], turnsOut?: string): Pair {
  return { title, first, second, says, ...(turnsOut !== undefined && { turnsOut }) };
}

function outcomeOf(run: PlayRun): string | undefined {
  const end = run.events.findLast((event) => event.type === 'host-task-ended' && event.task.name === 'second');
  const outcome = end?.type === 'host-task-ended' ? end.outcome : undefined;
  return outcome === 'ignored' ? 'failed' : outcome;
}

function yamlOf({ first, second }: Pair, folder: string): string {
  const earlier = first.startsWith('[') ? first.slice(1, -1).trim() : `{ ${first} }`;
  const tasks = `[${earlier}, { name: second, ${second} }]`;
  // In this order: the folder's name may have an ME in it.
  const placed = tasks.replaceAll('ME', process.env.USER ?? 'root').replaceAll('DIR', folder);
  return `- hosts: h1\n  tasks: ${placed}\n`;
}

describe('check mode, with an earlier task pending, predicts', () => {
  for (const pair of pairs) {
    it(`${pair.title}: ${pair.says}`, () =>
      withTemporaryFolder(async (folder) => {
        await mkdir(join(folder, 'old'));
        await writeFile(join(folder, 'old/x'), 'x', { mode: 0o755 });
        await writeFile(join(folder, 'file'), 'x');
        await mkdir(join(folder, 'other'));
        await writeFile(join(folder, 'program'), 'x');
        await chmod(join(folder, 'program'), 0o4755);
        await mkdir(join(folder, 'shared'));
        await chmod(join(folder, 'shared'), 0o2755);
        await writeFile(join(folder, 'other/x'), 'x');
        await symlink('old', join(folder, 'alias'));
        await symlink('other/x', join(folder, 'short'));
        await writeFile(join(folder, 'a.tar'), tarOf('file', 'content'));
        const files = { 'play.yaml': yamlOf(pair, folder) };
        const check = await play(folder, files, { isCheckMode: true });
        expect(outcomeOf(check), check.said('second')).to.equal(pair.says);
        const run = await play(folder, files);
        expect(outcomeOf(run), run.said('second')).to.equal(pair.turnsOut ?? pair.says);
        expect(comparePrediction(check, run).wrong).to.deep.equal([]);
      }));
  }
});

/** A tar archive of one file, mode 0644. */
function tarOf(name: string, text: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(512);
  body.write(text);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

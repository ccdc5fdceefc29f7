import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play, playFiles } from '../support/play.ts';

/** `loop` and `loop_control`. */

const items = (run: PlayRun): string[] =>
  run.events.flatMap((e) =>
    e.type === 'item-ended' ? [`${e.item}: ${e.outcome}${e.message ? ` ${e.message}` : ''}`] : [],
  );

const playLoop = (
  task: string,
  body: (run: PlayRun) => void,
  options: Parameters<typeof playFiles>[2] = {},
): Promise<void> => playFiles({ 'play.yaml': `- hosts: h1\n  tasks:\n${task}` }, body, options);

/** A clock that stands still but for its sleeps, which it notes. */
function sleepless(slept: number[], onSleep: (signal: AbortSignal | undefined) => void = () => undefined) {
  let now = 0;
  return {
    now: () => now,
    async sleep(ms: number, signal?: AbortSignal) {
      slept.push(ms);
      now += ms;
      onSleep(signal);
      if (signal?.aborted) throw new RunbookError('interrupted', 'interrupted');
    },
  };
}

describe('a loop', () => {
  it('has an effect of its own for each item, those that look the same too', () =>
    withTemporaryFolder(async (folder) => {
      const yaml = `- hosts: h1
  tasks:
    - shell: { cmd: 'echo "{{ item }}" >>${folder}/lines' }
      loop: [a, a, b, a]
`;
      // What is kept of a run is what names its effects.
      const run = await play(folder, { 'play.yaml': yaml }, { journalDirectory: join(folder, '.runbook') });
      expect(items(run).map((item) => item.split(' ', 2).join(' '))).to.deep.equal([
        'a: changed',
        'a: changed',
        'b: changed',
        'a: changed',
      ]);
      expect(await readFile(join(folder, 'lines'), 'utf8')).to.equal('a\na\nb\na\n');
    }));
});

describe('loop_control', () => {
  it('names the item and its number', () =>
    playLoop(
      `    - name: show
      debug: { message: "{{ i }} {{ disk }}" }
      loop: [a, b]
      loop_control: { loop_var: disk, index_var: i }
`,
      (run) => expect(items(run)).to.deep.equal(['a: ok 0 a', 'b: ok 1 b']),
    ));

  it('shows the label in place of the item, also where the turn is skipped or fails', () =>
    playLoop(
      `    - name: show
      fail: { message: "no {{ item.secret }}" }
      when: item.bad
      ignore_errors: true
      loop: [{ name: one, secret: s1, bad: false }, { name: two, secret: s2, bad: true }]
      loop_control: { label: "{{ item.name }}" }
`,
      (run) => {
        expect(items(run)).to.deep.equal(['one: skipped when: item.bad', 'two: ignored']);
        expect(JSON.stringify(run.events)).to.not.contain('s1');
      },
    ));

  it('pauses between items, not before the first nor after the last', () => {
    const slept: number[] = [];
    return playLoop(
      '    - { name: show, debug: { message: x }, loop: [a, b, c], loop_control: { pause: 7 } }\n',
      (run) => {
        expect(items(run)).to.have.length(3);
        expect(slept).to.deep.equal([7000, 7000]);
      },
      { clock: sleepless(slept) },
    );
  });

  it('does not pause in check mode', () => {
    const slept: number[] = [];
    return playLoop(
      '    - { name: show, debug: { message: x }, loop: [a, b, c], loop_control: { pause: 7 } }\n',
      () => expect(slept).to.deep.equal([]),
      { clock: sleepless(slept), isCheckMode: true },
    );
  });

  it('leaves its pause at the first interrupt; the host is interrupted, not failed', () => {
    const interrupt = new AbortController();
    const clock = sleepless([], () => interrupt.abort(new RunbookError('interrupted', 'interrupted')));
    return playLoop(
      '    - { name: show, debug: { message: x }, loop: [a, b, c], loop_control: { pause: 3600 } }\n',
      (run) => {
        expect(items(run).map((line) => line.slice(0, 6))).to.deep.equal(['a: ok ', 'b: fai']);
        expect(run.summary[0]?.state).to.equal('interrupted');
        expect(run.exitCode).to.equal(130);
      },
      { clock, signal: interrupt.signal },
    );
  });
});

describe('loop', () => {
  it('of a list that is not there is skipped where a condition says so, as in Ansible', () =>
    playLoop(
      '    - { name: show, debug: { message: x }, loop: "{{ hostvars.h2.disks }}", when: has_disks }\n',
      (run) => expect(run.ends).to.deep.equal(['h1: show: skipped']),
      { extraVars: { has_disks: false } },
    ));

  it('of a list that is not there fails where no condition says so', () =>
    playLoop(
      '    - { name: show, debug: { message: x }, loop: "{{ hostvars.h2.disks }}", when: has_disks }\n',
      (run) => expect(run.ends).to.deep.equal(['h1: show: failed']),
      { extraVars: { has_disks: true } },
    ));

  it('ends with the first item that fails', () =>
    playLoop('    - { name: show, fail: { message: no }, loop: [a, b], when: item != "x" }\n', (run) =>
      expect(items(run)).to.deep.equal(['a: failed']),
    ));

  for (const isCheckMode of [false, true]) {
    it(`gives results that know their item and its number${isCheckMode ? ', also of what check mode did not do' : ''}`, () =>
      playLoop(
        `    - { shell: { cmd: "true" }, loop: [a, b], register: done, loop_control: { loop_var: disk, index_var: i } }
    - { name: show, debug: { message: "{{ item.i }} {{ item.disk }} {{ item.changed }}" }, loop: "{{ done.results }}", loop_control: { label: "{{ item.disk }}" } }
`,
        (run) => expect(items(run).slice(-2)).to.deep.equal(['a: ok 0 a true', 'b: ok 1 b true']),
        { isCheckMode },
      ));
  }
});

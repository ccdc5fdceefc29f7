import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, type PlayRun, play } from '../support/play.ts';

/** A run that failed and is gone on with by another process. `DIR` in the playbooks is its folder. */
function inFolder(
  body: (
    run: (yaml: string, extraVars?: Readonly<Record<string, unknown>>) => Promise<PlayRun>,
    lines: () => string[],
    folder: string,
  ) => Promise<void>,
  isChanged = true,
): Promise<void> {
  return withTemporaryFolder((folder) => {
    let runId: string | undefined;
    const run = async (yaml: string, extraVars: Readonly<Record<string, unknown>> = {}): Promise<PlayRun> => {
      const ended = await play(
        folder,
        { 'hosts.ini': localHosts(1), 'play.yaml': yaml.replaceAll('DIR', folder) },
        {
          journalDirectory: join(folder, '.runbook'),
          ...(runId !== undefined && { resume: { runId, isChanged } }),
          extraVars,
        },
      );
      runId ??= ended.events.flatMap((event) => (event.type === 'run-started' ? [event.runId] : []))[0];
      return ended;
    };
    const lines = (): string[] => readFileSync(join(folder, 'lines'), 'utf8').trim().split('\n');
    return body(run, lines, folder);
  });
}

describe('a run that is gone on with', () => {
  it('does not run a handler again that ended well after the failure, until it is notified anew', () =>
    inFolder(async (run, lines) => {
      const yaml = (last: string): string => `- hosts: web
  force_handlers: true
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - { name: two, shell: { cmd: "echo two >>DIR/lines; test -e DIR/mended" } }
    ${last}
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines } }
`;
      const last = '- { name: three, shell: { cmd: "echo three >>DIR/lines; touch DIR/mended" }, notify: handle }';
      await run(yaml(last));
      expect(lines()).to.deep.equal(['one', 'two', 'handled']);
      await run(yaml(last));
      expect(lines().slice(3), 'fails again').to.deep.equal(['two']);
      await run(yaml(last).replace('test -e', 'true'));
      expect(lines().slice(4)).to.deep.equal(['two', 'three', 'handled']);
    }));

  it('does not take a handler that ran before something notified it again for the one that is to come', () =>
    inFolder(async (run, lines, folder) => {
      const yaml = (two: string, three: string): string => `- hosts: web
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - { name: two, shell: { cmd: echo two >>DIR/lines; test -e DIR/${two} }, notify: handle }
    - { name: three, shell: { cmd: echo three >>DIR/lines; test -e DIR/${three} } }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines } }
`;
      const none = (): Promise<PlayRun> => run(yaml('a', 'b'));
      await none();
      expect(lines()).to.deep.equal(['one', 'two']);
      for (const [mended, then] of [
        ['a', ['handled', 'two', 'three']],
        ['b', ['handled', 'three']],
      ] as const) {
        const before = lines().length;
        writeFileSync(join(folder, mended), '');
        await none();
        expect(lines().slice(before)).to.deep.equal(then);
      }
    }));

  it('keeps what handlers did where a task was added before what notified them', () =>
    inFolder(async (run, lines) => {
      const yaml = (added: string): string => `- hosts: web
  tasks:
${added}    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - meta: flush_handlers
    - { name: two, shell: { cmd: echo two >>DIR/lines } }
    - { name: three, shell: { cmd: echo three >>DIR/lines; false } }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines } }
`;
      await run(yaml(''));
      await run(yaml('    - { name: new, shell: { cmd: echo new >>DIR/lines } }\n'));
      expect(lines()).to.deep.equal(['one', 'handled', 'two', 'three', 'new', 'three']);
    }));

  it('runs a handler again that a task notifies which had been run otherwise before', () =>
    inFolder(async (run, lines) => {
      const yaml = (one: string, two: string): string => `- hosts: web
  force_handlers: true
  tasks:
    - { name: one, shell: { cmd: echo ${one} >>DIR/lines }, notify: handle }
    - { name: two, shell: { cmd: "echo two >>DIR/lines; ${two}" } }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines } }
`;
      await run(yaml('one', 'false'));
      await run(yaml('other', 'true'));
      expect(lines()).to.deep.equal(['one', 'two', 'handled', 'other', 'two', 'handled']);
    }));

  it('goes past a handler that was left over, failed in a block, and was rescued', () =>
    inFolder(async (run, lines, folder) => {
      const yaml = `- hosts: web
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - block:
        - { name: two, shell: { cmd: echo two >>DIR/lines; false } }
      rescue:
        - { name: undo, shell: { cmd: echo undo >>DIR/lines; test -e DIR/first } }
    - { name: three, shell: { cmd: echo three >>DIR/lines } }
    - { name: four, shell: { cmd: echo four >>DIR/lines; false } }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines; test -e DIR/second } }
`;
      const resumed: string[][] = [];
      for (const mended of ['none', 'first', 'second']) {
        writeFileSync(join(folder, mended), '');
        const before = resumed.flat().length;
        await run(yaml);
        resumed.push(lines().slice(before));
      }
      expect(resumed).to.deep.equal([
        ['one', 'two', 'undo'],
        ['handled', 'undo', 'three', 'four'],
        ['handled', 'four'],
      ]);
    }, false));

  it('stops at a handler that was left over and fails', () =>
    inFolder(async (run, lines) => {
      const yaml = (flags: string): string => `- hosts: web
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - { name: two, shell: { cmd: echo two >>DIR/lines; test -e DIR/mended }${flags} }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines; test -e DIR/mended } }
`;
      for (const flags of ['', ', run_once: true']) {
        await run(yaml(flags));
        expect((await run(yaml(flags))).exitCode).to.equal(2);
      }
      expect(lines()).to.deep.equal(['one', 'two', 'handled', 'handled', 'handled']);
    }));

  it('does not run handlers before a task that is only asked again for its values', () =>
    inFolder(async (run, lines) => {
      const yaml = (last: string): string => `- hosts: web
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: handle }
    - { name: two, no_log: true, shell: { cmd: echo two >>DIR/lines }, register: made }
    - { name: three, shell: { cmd: "echo three >>DIR/lines; ${last}" } }
  handlers:
    - { name: handle, shell: { cmd: echo handled >>DIR/lines } }
`;
      await run(yaml('false'));
      await run(yaml('true'));
      expect(lines()).to.deep.equal(['one', 'two', 'three', 'handled', 'three']);
    }));

  it('runs handlers that were notified by one that ended well and did not end well themselves', () =>
    inFolder(async (run, lines) => {
      const yaml = (test: string): string => `- hosts: web
  force_handlers: true
  tasks:
    - { name: one, shell: { cmd: echo one >>DIR/lines }, notify: [second, first] }
    - { name: two, shell: { cmd: "echo two >>DIR/lines; ${test}" } }
  handlers:
    - { name: first, shell: { cmd: "echo first >>DIR/lines; test $(grep -c first DIR/lines) != 2" } }
    - { name: second, shell: { cmd: echo second >>DIR/lines }, notify: first }
`;
      await run(yaml('false'));
      expect(lines()).to.deep.equal(['one', 'two', 'first', 'second', 'first']);
      await run(yaml('true'));
      expect(lines().slice(5)).to.deep.equal(['first', 'two']);
    }));

  it('knows items by what they are, wherever they stand in a list that has changed', () =>
    inFolder(async (run, lines) => {
      const yaml = `- hosts: web
  tasks:
    - { name: each, shell: { cmd: 'echo {{ item }} >>DIR/lines; test "{{ item }}" != bad' }, loop: "{{ list }}" }
`;
      await run(yaml, { list: ['a', 'a', 'b', 'bad', 'c'] });
      expect(lines()).to.deep.equal(['a', 'a', 'b', 'bad']);
      const again = await run(yaml, { list: ['new', 'b', 'a', 'c', 'a', 'a'] });
      expect(again.exitCode).to.equal(0);
      expect(lines().slice(4)).to.deep.equal(['new', 'c', 'a']);
    }));

  it('tells secrets apart, of which the record holds nothing', () =>
    inFolder(async (run, lines, folder) => {
      const yaml = `- hosts: web
  tasks:
    - { name: each, shell: { cmd: 'read -r it; echo "$it" >>DIR/lines; test "\${it#hunt}" = "$it"', stdin: "{{ item }}\\n" }, loop: "{{ list }}" }
`;
      const items = (...texts: string[]): { list: Secret[] } => ({ list: texts.map((text) => new Secret(text)) });
      await run(yaml, items('opensesame', 'hunter2'));
      await run(yaml, items('swordfish', 'opensesame'));
      expect(lines()).to.deep.equal(['opensesame', 'hunter2', 'swordfish']);
      const runs = join(folder, '.runbook/runs');
      const kept = readdirSync(runs).map((id) => readFileSync(join(runs, id, 'state.ndjson'), 'utf8'));
      expect(kept.join(''))
        .to.include('"t":"item"')
        .and.not.match(/opensesame|hunter2|swordfish/);
    }));
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { localHosts, type PlayRun, playFiles } from '../support/play.ts';

/** `include_tasks`: which file, and how often, is decided on each host when the run comes to it. */

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
const said = (run: PlayRun, host: string, task: string): string[] =>
  run.events.flatMap((e) =>
    e.type === 'host-task-ended' && e.host === host && e.task.name === task
      ? [e.failure?.message ?? e.message ?? '']
      : [],
  );

describe('include_tasks', () => {
  it('takes the file that each host names, and runs the hosts of one file together', () =>
    playFiles(
      {
        'hosts.ini': '[all:vars]\nansible_connection=local\n[web]\nh1 os=a\nh2 os=b\nh3 os=a\n',
        'a.yaml': '- { name: in a, debug: { message: x } }\n',
        'b.yaml': '- { name: in b, debug: { message: x } }\n',
        'play.yaml':
          '- hosts: web\n  tasks:\n    - { name: inc, include_tasks: "{{ os }}.yaml" }\n    - { name: after, debug: { message: x } }\n',
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['inc: ok', 'in a: ok', 'after: ok']);
        expect(of(run, 'h2')).to.deep.equal(['inc: ok', 'in b: ok', 'after: ok']);
        const started = run.events.flatMap((e) =>
          e.type === 'task-started' ? [`${e.task.name}: ${e.hosts.join(' ')}`] : [],
        );
        expect(started).to.deep.equal(['inc: h1 h3', 'in a: h1 h3', 'inc: h2', 'in b: h2', 'after: h1 h2 h3']);
        expect(said(run, 'h2', 'inc')).to.deep.equal(['includes b.yaml']);
      },
    ));

  it('gives each host the secret that is its own, though they look the same', () =>
    playFiles(
      {
        'hosts.ini': '[all:vars]\nansible_connection=local\n[web]\nh1 mine="{{ one }}"\nh2 mine="{{ two }}"\n',
        'inside.yaml': '- { name: write, copy: { dest: "DIR/{{ inventory_hostname }}", content: "{{ item }}" } }\n',
        'play.yaml': '- hosts: web\n  tasks:\n    - { name: inc, include_tasks: inside.yaml, loop: ["{{ mine }}"] }\n',
      },
      async (run, folder) => {
        expect(run.exitCode).to.equal(0);
        const written = await Promise.all(['h1', 'h2'].map((host) => readFile(join(folder, host), 'utf8')));
        expect(written).to.deep.equal(['first', 'second']);
      },
      { extraVars: { one: new Secret('first'), two: new Secret('second') } },
    ));

  it('takes items that look the same for turns of their own', () =>
    playFiles(
      {
        'inside.yaml': '- { name: once, shell: { cmd: "echo >>DIR/lines" }, run_once: true }\n',
        'play.yaml':
          '- hosts: web\n  tasks:\n    - { name: inc, include_tasks: inside.yaml, loop: [a, a, "{{ one }}", "{{ two }}"] }\n',
      },
      async (run, folder) => {
        expect(run.exitCode).to.equal(0);
        expect(await readFile(join(folder, 'lines'), 'utf8')).to.equal('\n'.repeat(4));
      },
      { extraVars: { one: new Secret('first'), two: new Secret('second') } },
    ));

  it('runs what is run once for each secret, and gives a host what was done for its own', () =>
    playFiles(
      {
        'hosts.ini':
          '[all:vars]\nansible_connection=local\n[web]\nh1 mine="{{ one }}"\nh2 mine="{{ two }}"\nh3 mine="{{ one }}"\n',
        'inside.yaml': `- name: once
  shell: { cmd: "wc -c", stdin: "{{ item }}" }
  run_once: true
  register: made
- copy: { dest: "DIR/{{ inventory_hostname }}", content: "{{ made.stdout }}" }
`,
        'play.yaml': '- hosts: web\n  tasks:\n    - { include_tasks: inside.yaml, loop: ["{{ mine }}"] }\n',
      },
      async (run, folder) => {
        expect(run.exitCode).to.equal(0);
        const written = await Promise.all(['h1', 'h2', 'h3'].map((host) => readFile(join(folder, host), 'utf8')));
        expect(written.map((text) => text.trim())).to.deep.equal(['5', '6', '5']);
      },
      { extraVars: { one: new Secret('first'), two: new Secret('second') } },
    ));

  it('asks its own when once, and not again before each task inside', () =>
    playFiles(
      {
        'inside.yaml': '- { name: flip, set-fact: { go: false } }\n- { name: still, debug: { message: x } }\n',
        'play.yaml':
          '- hosts: h1\n  vars: { go: true }\n  tasks:\n    - { name: inc, include_tasks: inside.yaml, when: go }\n    - { name: again, include_tasks: inside.yaml, when: go }\n',
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['inc: ok', 'flip: ok', 'still: ok', 'again: skipped']);
        expect(said(run, 'h1', 'again')).to.deep.equal(['when: go']);
      },
    ));

  it('loops: item and number are seen inside, in nested includes too, and over -e', () =>
    playFiles(
      {
        'outer.yaml': '- { include_tasks: inner.yaml, loop: [x, y], loop_control: { loop_var: letter } }\n',
        'inner.yaml': '- { name: show, debug: { message: "{{ n }}/{{ item }}{{ letter }}" } }\n',
        'play.yaml':
          '- hosts: h1\n  tasks:\n    - { name: inc, include_tasks: outer.yaml, loop: [1, 2], loop_control: { index_var: n } }\n    - { name: gone, debug: { message: "{{ item }}" } , loop: [z] }\n',
      },
      (run) => {
        expect(said(run, 'h1', 'show')).to.deep.equal(['0/1x', '0/1y', '1/2x', '1/2y']);
        expect(said(run, 'h1', 'inc')).to.deep.equal(['includes (1)', 'includes (2)']);
        expect(said(run, 'h1', 'gone')).to.deep.equal(['z']);
      },
    ));

  it('asks when for each item, skips where none is left, and shows the label', () =>
    playFiles(
      {
        'inside.yaml': '- { name: show, debug: { message: "{{ item.name }}" } }\n',
        'play.yaml': `- hosts: h1
  tasks:
    - name: inc
      include_tasks: inside.yaml
      loop: [{ name: a, on: true }, { name: b, on: false }]
      loop_control: { label: "{{ item.name }}" }
      when: item.on
    - { name: none, include_tasks: inside.yaml, loop: [{ name: c, on: false }], when: item.on }
    - { name: empty, include_tasks: inside.yaml, loop: [] }
`,
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['inc: ok', 'show: ok', 'none: skipped', 'empty: skipped']);
        expect(said(run, 'h1', 'inc')).to.deep.equal(['includes (a)']);
      },
    ));

  it('keeps the order of each host, and brings hosts together where they include the same', () =>
    playFiles(
      {
        'hosts.ini': `[all:vars]\nansible_connection=local\n[web]\nh1 what="['a','b']"\nh2 what="['b']"\nh3 what="['b','a']"\n`,
        'inside.yaml': '- { name: show, debug: { message: "{{ item }}" } }\n',
        'play.yaml': '- hosts: web\n  tasks:\n    - { name: inc, include_tasks: inside.yaml, loop: "{{ what }}" }\n',
      },
      (run) => {
        const together = run.events.flatMap((e) =>
          e.type === 'task-started' && e.task.name === 'show' ? [e.hosts] : [],
        );
        expect(together).to.deep.equal([['h1'], ['h1', 'h2', 'h3'], ['h3']]);
        expect(said(run, 'h3', 'show')).to.deep.equal(['b', 'a']);
      },
    ));

  it('that fails inside fails the host, whose other items and tasks are left out; rescue sees it', () =>
    playFiles(
      {
        'inside.yaml': '- { name: bad, fail: { message: "no {{ item }}" }, when: inventory_hostname == "h1" }\n',
        'play.yaml': `- hosts: web
  tasks:
    - block:
        - { name: inc, include_tasks: inside.yaml, loop: [1, 2] }
      rescue:
        - { name: mend, debug: { message: "{{ failed_result.message }}" } }
`,
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['inc: ok', 'bad: failed', 'mend: ok']);
        expect(said(run, 'h1', 'mend')).to.deep.equal(['no 1']);
        expect(of(run, 'h2')).to.deep.equal(['inc: ok', 'bad: skipped', 'inc: ok', 'bad: skipped']);
      },
    ));

  it('fails where the name is of no file that was there, and names those that were', () =>
    playFiles(
      {
        'tasks-a.yaml': '- { name: in a, debug: { message: x } }\n',
        'play.yaml':
          '- hosts: h1\n  vars: { which: b }\n  tasks: [{ name: inc, include_tasks: "tasks-{{ which }}.yaml" }]\n',
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['inc: failed']);
        expect(run.summary[0]?.failure?.message).to.contain('"tasks-b.yaml"').and.to.contain('tasks-a.yaml');
      },
    ));

  it('hands its tags down, and is left out with the tasks inside', () =>
    playFiles(
      {
        'inside.yaml': '- { name: plain, debug: { message: x } }\n- { name: own, debug: { message: x }, tags: deep }\n',
        'play.yaml':
          '- hosts: h1\n  tasks:\n    - { name: one, include_tasks: inside.yaml, tags: outer }\n    - { name: two, include_tasks: inside.yaml }\n',
      },
      async (run, folder) => {
        expect(of(run, 'h1')).to.deep.equal(['one: ok', 'plain: ok', 'own: ok']);
        expect(folder).to.not.equal('');
      },
      { tags: ['outer'] },
    ));

  it('runs a run_once task inside once for each item', () =>
    playFiles(
      {
        'inside.yaml': '- { name: once, debug: { message: "{{ item }}" }, run_once: true }\n',
        'play.yaml': '- hosts: web\n  tasks:\n    - { name: inc, include_tasks: inside.yaml, loop: [1, 2] }\n',
      },
      (run) => {
        expect(said(run, 'h1', 'once')).to.deep.equal(['1', '2']);
        expect(of(run, 'h2')).to.deep.equal(['inc: ok', 'inc: ok']);
      },
    ));

  it('in check mode is unknown where its condition is', () =>
    playFiles(
      {
        'hosts.ini': localHosts(1),
        'inside.yaml': '- { name: inside, debug: { message: x } }\n',
        'play.yaml':
          '- hosts: h1\n  tasks:\n    - { name: act, shell: { cmd: "true" }, register: out }\n    - { name: inc, include_tasks: inside.yaml, when: out.stdout == "" }\n',
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['act: changed', 'inc: unknown']);
        expect(run.exitCode).to.equal(3);
      },
      { isCheckMode: true },
    ));
});

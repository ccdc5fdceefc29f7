import { expect } from 'chai';
import { type PlayRun, playFiles } from '../support/play.ts';

/** Which handlers run, when, and on which hosts. */

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
const playIn = (yaml: string, body: (run: PlayRun) => void, options: Parameters<typeof playFiles>[2] = {}) =>
  playFiles({ 'play.yaml': yaml }, body, options);
const change = (name: string, more = ''): string =>
  `    - { name: ${name}, file: { path: "DIR/${name}-{{ inventory_hostname }}", state: directory }${more} }\n`;

describe('notify', () => {
  it('means the handler of that name and every one that listens to it as a topic, in the order of the play', () =>
    playIn(
      `- hosts: h1
  tasks:
${change('one', ', notify: certificates')}  handlers:
    - { name: other, debug: { message: x } }
    - { name: proxy, debug: { message: x }, listen: [certificates, more] }
    - { name: mail, debug: { message: x }, listen: certificates }
`,
      (run) => expect(of(run, 'h1')).to.deep.equal(['one: changed', 'proxy: ok', 'mail: ok']),
    ));

  it('of a topic and of a name runs a handler once', () =>
    playIn(
      `- hosts: h1
  tasks:
${change('one', ', notify: [certificates, proxy]')}${change('two', ', notify: certificates')}  handlers:
    - { name: proxy, debug: { message: x }, listen: certificates }
`,
      (run) => expect(of(run, 'h1')).to.deep.equal(['one: changed', 'two: changed', 'proxy: ok']),
    ));

  it('of a loop counts what its items changed, though another one failed and was rescued', () =>
    playIn(
      `- hosts: h1
  tasks:
    - block: [{ name: loop, shell: { cmd: "test {{ item }} = a" }, loop: [a, b], notify: proxy }]
      rescue: [{ name: rescue, debug: { message: x } }]
  handlers: [{ name: proxy, debug: { message: x } }]
`,
      (run) => expect(of(run, 'h1')).to.deep.equal(['loop: failed', 'rescue: ok', 'proxy: ok']),
    ));
});

describe('meta: flush_handlers', () => {
  it('runs what was notified so far, and what is notified later runs at the end', () =>
    playIn(
      `- hosts: h1
  tasks:
${change('one', ', notify: handle')}    - meta: flush_handlers
${change('two', ', notify: handle')}    - { name: last, debug: { message: x } }
  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) =>
        expect(of(run, 'h1')).to.deep.equal(['one: changed', 'handle: ok', 'two: changed', 'last: ok', 'handle: ok']),
    ));

  it('with when flushes only where it is true', () =>
    playIn(
      `- hosts: web
  tasks:
${change('one', ', notify: handle')}    - { meta: flush_handlers, when: inventory_hostname == "h1" }
    - { name: last, debug: { message: x } }
  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['one: changed', 'handle: ok', 'last: ok']);
        expect(of(run, 'h2')).to.deep.equal(['one: changed', 'last: ok', 'handle: ok']);
      },
    ));

  it('in a block fails it when a handler fails', () =>
    playIn(
      `- hosts: h1
  tasks:
    - block:
${change('one', ', notify: handle').replace('    -', '        -')}        - meta: flush_handlers
        - { name: not reached, debug: { message: x } }
      rescue:
        - { name: mend, debug: { message: x } }
  handlers:
    - { name: handle, fail: { message: no } }
`,
      (run) => expect(of(run, 'h1').slice(0, 3)).to.deep.equal(['one: changed', 'handle: failed', 'mend: ok']),
    ));
});

describe('pre_tasks, tasks and post_tasks', () => {
  it('each end with the handlers that they notified', () =>
    playIn(
      `- hosts: h1
  post_tasks:
${change('post', ', notify: handle')}  tasks:
${change('main', ', notify: handle')}  pre_tasks:
${change('pre', ', notify: handle')}  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) =>
        expect(of(run, 'h1')).to.deep.equal([
          'pre: changed',
          'handle: ok',
          'main: changed',
          'handle: ok',
          'post: changed',
          'handle: ok',
        ]),
    ));

  it('flush what chosen tasks notified, whatever the tags', () =>
    playIn(
      `- hosts: h1
  pre_tasks:
${change('pre', ', notify: handle, tags: this')}  tasks:
${change('main', ', notify: handle, tags: this')}    - { name: other, debug: { message: x } }
  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) => expect(of(run, 'h1')).to.deep.equal(['pre: changed', 'handle: ok', 'main: changed', 'handle: ok']),
      { tags: ['this'] },
    ));
});

describe('force_handlers', () => {
  const yaml = (force: boolean): string => `- hosts: web
  force_handlers: ${force}
  tasks:
${change('one', ', notify: handle')}    - { name: bad, fail: { message: no }, when: inventory_hostname == "h1" }
  handlers:
    - { name: handle, debug: { message: x } }
`;

  it('runs handlers on a host that failed, which stays failed for its own reason', () =>
    playIn(yaml(true), (run) => {
      expect(of(run, 'h1')).to.deep.equal(['one: changed', 'bad: failed', 'handle: ok']);
      expect(of(run, 'h2')).to.deep.equal(['one: changed', 'bad: skipped', 'handle: ok']);
      expect(run.summary[0]).to.deep.include({ state: 'failed', pendingHandlers: [] });
      expect(run.summary[0]?.failure?.task).to.equal('bad');
    }));

  it('unless it is false: then they are told as not run', () =>
    playIn(yaml(false), (run) => {
      expect(of(run, 'h1')).to.deep.equal(['one: changed', 'bad: failed']);
      expect(run.summary[0]?.pendingHandlers).to.deep.equal(['handle']);
    }));
});

describe('a handler with run_once', () => {
  it('runs once for each time that it is notified, not once in the run', () =>
    playIn(
      `- hosts: web
  serial: 1
  tasks:
${change('one', ', notify: reload')}  handlers:
    - { name: reload, debug: { message: x }, run_once: true }
`,
      (run) =>
        expect(run.ends).to.deep.equal(['h1: one: changed', 'h1: reload: ok', 'h2: one: changed', 'h2: reload: ok']),
    ));
});

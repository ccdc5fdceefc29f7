import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** The meaning of plays, tasks and blocks, shown by whole playbooks on local hosts. */

/** Plays one playbook in a folder of its own. `DIR` in it is that folder. */
function playIn<T>(
  yaml: string,
  body: (run: PlayRun, folder: string) => T | Promise<T>,
  options: Parameters<typeof play>[2] = {},
): Promise<T> {
  return withTemporaryFolder(async (folder) =>
    body(await play(folder, { 'play.yaml': yaml.replaceAll('DIR', folder) }, options), folder),
  );
}

const onlyH1 = (run: PlayRun): string[] =>
  run.ends.filter((line) => line.startsWith('h1')).map((line) => line.slice(4));

describe('a play', () => {
  it('runs its tasks in order, each on every host before the next', () =>
    playIn(
      '- hosts: web\n  tasks:\n    - { name: a, debug: { message: x } }\n    - { name: b, debug: { message: x } }\n',
      (run) => {
        expect(run.ends.slice(0, 2).sort()).to.deep.equal(['h1: a: ok', 'h2: a: ok']);
        expect(run.ends.slice(2).sort()).to.deep.equal(['h1: b: ok', 'h2: b: ok']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('with serial takes one batch after the other, handlers included', () =>
    playIn(
      `- hosts: web
  serial: 1
  tasks:
    - { name: change, file: { path: "DIR/{{ inventory_hostname }}", state: directory }, notify: handle }
  handlers:
    - { name: handle, debug: { message: handled } }
`,
      (run) =>
        expect(run.ends).to.deep.equal([
          'h1: change: changed',
          'h1: handle: ok',
          'h2: change: changed',
          'h2: handle: ok',
        ]),
    ));

  it('goes on without a host that failed, and ends with 2', () =>
    playIn(
      `- hosts: web
  tasks:
    - { name: odd, fail: { message: no }, when: inventory_hostname == "h1" }
    - { name: next, debug: { message: x } }
`,
      (run) => {
        expect(run.ends.slice(-1)).to.deep.equal(['h2: next: ok']);
        expect(run.exitCode).to.equal(2);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['failed', 'ok']);
        expect(run.summary[0]?.failure).to.deep.include({ task: 'odd', message: 'no' });
      },
    ));

  it('with any_errors_fatal lets the batch finish, starts no other and no later play, and ends with 6', () =>
    playIn(
      `- hosts: web
  serial: 1
  any_errors_fatal: true
  tasks: [{ name: bad, fail: { message: no } }]
- hosts: web
  tasks: [{ name: later, debug: { message: x } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: bad: failed']);
        expect(run.exitCode).to.equal(6);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['failed', 'not-started']);
      },
    ));

  it('runs a handler that another one notifies, wherever it stands', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: change, file: { path: DIR/x, state: directory }, notify: second }
  handlers:
    - { name: first, debug: { message: x } }
    - { name: second, file: { path: DIR/y, state: directory }, notify: first }
`,
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['change: changed', 'second: changed', 'first: ok']);
        expect(run.summary[0]?.pendingHandlers).to.deep.equal([]);
      },
    ));

  it('keeps the handlers of a failed host and names them', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: change, file: { path: DIR/x, state: directory }, notify: handle }
    - { name: bad, fail: { message: no } }
  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) => expect(run.summary[0]?.pendingHandlers).to.deep.equal(['handle']),
    ));
});

describe('a task', () => {
  it('is skipped where a condition is false, and says which', () =>
    playIn(
      '- hosts: h1\n  tasks: [{ name: a, debug: { message: x }, when: ["1 == 1", "inventory_hostname == \'h2\'"] }]\n',
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['a: skipped']);
        expect(run.said('a')).to.contain("inventory_hostname == 'h2'");
      },
    ));

  it('registers its result, whose values are data and never templates', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: read, command: { argv: [echo, "{{ '{{ evil }}' }}"], reads: true }, register: out }
    - { name: show, debug: { message: "got {{ out.stdout }} rc {{ out.rc }}" } }
`,
      (run) => expect(run.said('show')).to.equal('got {{ evil }} rc 0'),
    ));

  it('loops, with an event for every item and one end', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: dirs, file: { path: "DIR/{{ item }}", state: directory }, loop: [a, b], register: made }
    - { name: show, debug: { message: "{{ made.changed }} {{ made.results.length }}" } }
`,
      (run) => {
        expect(run.events.flatMap((e) => (e.type === 'item-ended' ? [`${e.item} ${e.outcome}`] : []))).to.deep.equal([
          'a changed',
          'b changed',
        ]);
        expect(onlyH1(run)).to.deep.equal(['dirs: changed', 'show: ok']);
        expect(run.said('show')).to.equal('true 2');
      },
    ));

  it('retries until its condition holds', () =>
    playIn(
      `- hosts: h1
  tasks:
    - name: count
      shell: { cmd: "echo x >> DIR/count; wc -l < DIR/count" }
      register: out
      until: out.stdout == "3"
      retries: 5
      delay: 0
    - name: never
      command: { argv: ["false"], reads: true }
      register: no
      until: no.rc == 0
      retries: 1
      delay: 0
`,
      async (run, folder) => {
        expect(onlyH1(run)).to.deep.equal(['count: changed', 'never: failed']);
        expect((await readFile(join(folder, 'count'), 'utf8')).trim().split('\n')).to.have.length(3);
      },
    ));

  it('lets failed_when and changed_when judge, and ignore_errors go on', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: rc 3 is fine, shell: { cmd: exit 3, reads: true }, register: r, failed_when: r.rc != 3 }
    - { name: no change, shell: { cmd: "true" }, changed_when: false }
    - { name: bad output, shell: { cmd: echo error, reads: true }, register: r, failed_when: 'r.stdout.contains("error")', ignore_errors: true }
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['rc 3 is fine: ok', 'no change: ok', 'bad output: ignored', 'after: ok']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('with run_once runs on one host, and all hosts have its result', () =>
    playIn(
      `- hosts: web
  serial: 1
  tasks:
    - { name: once, command: { argv: [echo, "{{ inventory_hostname }}"], reads: true }, register: out, run_once: true }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: once: ok', 'h1: show: ok', 'h2: show: ok']);
        expect(
          run.events.flatMap((e) => (e.type === 'host-task-ended' && e.task.name === 'show' ? [e.message] : [])),
        ).to.deep.equal(['h1', 'h1']);
      },
    ));

  it('is delegated to another host and keeps its own variables', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: there, command: { argv: [echo, "{{ inventory_hostname }}"], reads: true }, delegate_to: localhost, register: out }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`,
      (run) => expect(run.said('show')).to.equal('h1'),
    ));

  it('that takes longer than its timeout fails, and what it started is gone', () =>
    playIn('- hosts: h1\n  tasks: [{ name: slow, shell: { cmd: "sleep 7349" }, timeout: 1 }]\n', async (run) => {
      expect(onlyH1(run)).to.deep.equal(['slow: failed']);
      expect(run.summary[0]?.failure?.code).to.equal('timeout');
      const { execFileSync } = await import('node:child_process');
      expect(execFileSync('sh', ['-c', 'pgrep -f "[s]leep 7349" || echo gone'], { encoding: 'utf8' })).to.equal(
        'gone\n',
      );
    }));

  it('with no_log shows neither changes nor messages', () =>
    playIn(
      '- hosts: h1\n  tasks: [{ name: quiet, copy: { content: hunter2, dest: DIR/x }, no_log: true }]\n',
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['quiet: changed']);
        expect(JSON.stringify(run.events)).to.not.contain('hunter2');
      },
    ));
});

describe('a block', () => {
  it('is rescued: the rescue knows what failed, always runs, and the host goes on', () =>
    playIn(
      `- hosts: web
  tasks:
    - block:
        - { name: bad, fail: { message: broken }, when: inventory_hostname == "h1" }
        - { name: body, debug: { message: x } }
      rescue:
        - { name: mend, debug: { message: "{{ failed_task.name }}: {{ failed_result.message }}" } }
      always:
        - { name: always, debug: { message: x } }
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['bad: failed', 'mend: ok', 'always: ok', 'after: ok']);
        expect(run.said('mend')).to.equal('bad: broken');
        expect(run.exitCode).to.equal(0);
        expect(run.summary[0]?.counts).to.include({ failed: 0, rescued: 1 });
        expect(run.ends.filter((l) => l.startsWith('h2'))).to.deep.equal([
          'h2: bad: skipped',
          'h2: body: ok',
          'h2: always: ok',
          'h2: after: ok',
        ]);
      },
    ));

  it('whose rescue fails has failed, after always', () =>
    playIn(
      `- hosts: h1
  tasks:
    - block: [{ name: bad, fail: { message: broken } }]
      rescue: [{ name: give up, fail: { message: given up } }]
      always: [{ name: always, debug: { message: x } }]
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['bad: failed', 'give up: failed', 'always: ok']);
        expect(run.summary[0]?.failure?.message).to.equal('given up');
      },
    ));
});

/** A lease of the tests' own: a file that is there while it is held. */
const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' }, refuse: { type: 'boolean', default: false } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) { yield exec(args.refuse ? sh\`echo refused >&2; exit 1\` : sh\`echo held > \${args.path}\`); },
  *release({ grant }) { yield exec(sh\`rm -f \${grant.path}\`); },
});`;

describe('a lease', () => {
  const withLease = (
    yaml: string,
    body: (run: PlayRun, folder: string) => unknown,
    options: Parameters<typeof play>[2] = {},
  ) =>
    withTemporaryFolder(async (folder) => {
      const text = yaml.replaceAll('DIR', folder);
      await body(await play(folder, { 'play.yaml': text, 'modules/hold.ts': lease }, options), folder);
    });
  const block = (tasks: string, more = ''): string => `- hosts: h1
  tasks:
    - name: work
      lease: { name: held, hold: { path: DIR/lease }${more} }
      block:
${tasks}`;
  const leaseEvents = (run: PlayRun): string[] =>
    run.events.flatMap((e) => (e.type.startsWith('lease-') ? [e.type] : []));

  it('is never taken when nothing under it changes', () =>
    withLease(block('        - { name: nothing, file: { path: DIR, state: directory } }\n'), (run) => {
      expect(leaseEvents(run)).to.deep.equal([]);
      expect(onlyH1(run)).to.deep.equal(['nothing: ok']);
    }));

  it('is taken before the first effect and given back after the last', () =>
    withLease(
      block(
        '        - { name: one, shell: { cmd: test -e DIR/lease } }\n        - { name: two, shell: { cmd: test -e DIR/lease } }\n',
      ),
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['held: changed', 'one: changed', 'two: changed']);
        expect(leaseEvents(run)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('is predicted by check mode and not taken', () =>
    withLease(
      block('        - { name: one, shell: { cmd: "true" } }\n'),
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['held: changed', 'one: changed']);
        expect(leaseEvents(run)).to.deep.equal([]);
        expect(run.exitCode).to.equal(3);
      },
      { isCheckMode: true },
    ));

  it('is kept when something under it changed and the block failed, and the recap says so', () =>
    withLease(
      block('        - { name: one, shell: { cmd: "true" } }\n        - { name: bad, fail: { message: no } }\n'),
      async (run, folder) => {
        expect(leaseEvents(run)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-kept']);
        expect(run.summary[0]?.leases).to.deep.equal([
          { task: 'held', reason: 'the block failed after the host was changed' },
        ]);
        expect(await readFile(join(folder, 'lease'), 'utf8')).to.equal('held\n');
      },
    ));

  it('is given back on failure where on_failure says release', () =>
    withLease(
      block(
        '        - { name: one, shell: { cmd: "true" } }\n        - { name: bad, fail: { message: no } }\n',
        ', on_failure: release',
      ),
      (run) => expect(leaseEvents(run)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']),
    ));

  it('that is refused fails the host before any effect, and its block is not rescued', () =>
    withLease(
      `- hosts: h1
  tasks:
    - lease: { name: held, hold: { path: DIR/lease, refuse: true } }
      block: [{ name: one, shell: { cmd: "touch DIR/effect" } }]
      rescue: [{ name: mend, debug: { message: x } }]
`,
      (run) => {
        expect(onlyH1(run)).to.deep.equal(['held: failed', 'one: skipped']);
        expect(run.summary[0]?.failure?.message).to.contain('refused');
        expect(run.exitCode).to.equal(2);
      },
    ));

  it('is not needed where its condition is false', () =>
    withLease(block('        - { name: one, shell: { cmd: "true" } }\n', ', when: false'), (run) =>
      expect(onlyH1(run)).to.deep.equal(['one: changed']),
    ));
});

describe('check mode', () => {
  const yaml = `- hosts: h1
  tasks:
    - { name: dir, file: { path: DIR/new, state: directory } }
    - { name: text, copy: { content: "hello\\n", dest: DIR/new/file } , register: text }
    - { name: act, command: { argv: [touch, DIR/new/made], creates: DIR/new/made }, when: text.changed, register: act }
    - { name: needs it, debug: { message: "{{ act.stdout }}" } }
    - { name: known anyway, debug: { message: x }, when: act.changed || act.stdout == "x" }
`;

  it('says what a run then does, tells unknown what depends on what it did not do, and changes nothing', () =>
    withTemporaryFolder(async (folder) => {
      const files = { 'play.yaml': yaml.replaceAll('DIR', folder) };
      const check = await play(folder, files, { isCheckMode: true });
      expect(onlyH1(check)).to.deep.equal([
        'dir: changed',
        'text: changed',
        'act: changed',
        'needs it: unknown',
        'known anyway: ok',
      ]);
      expect(check.exitCode).to.equal(3);
      const run = await play(folder, files);
      expect(onlyH1(run)).to.deep.equal([
        'dir: changed',
        'text: changed',
        'act: changed',
        'needs it: ok',
        'known anyway: ok',
      ]);
      const again = await play(folder, files);
      expect(again.summary[0]?.counts.changed).to.equal(0);
    }));
});

describe('check mode after something unknown', () => {
  it('does not trust what it reads any more, and says so', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: effect, shell: { cmd: "true" }, register: one, changed_when: false }
    - { name: maybe, shell: { cmd: "true" }, when: one.stdout == "x" }
    - { name: read, command: { argv: [uname], reads: true } }
`,
      (run) => expect(onlyH1(run)).to.deep.equal(['effect: ok', 'maybe: unknown', 'read: unknown']),
      { isCheckMode: true },
    ));
});

describe('variables', () => {
  it('have their precedence: group < host < play < registered < task < -e', () =>
    withTemporaryFolder(async (folder) => {
      const files = {
        'hosts.ini':
          '[all:vars]\nansible_connection=local\na=group\nb=group\nc=group\nd=group\ne=group\nf=group\n[web]\nh1 b=host c=host d=host e=host f=host\n',
        'play.yaml': `- hosts: web
  vars: { c: play, d: play, e: play, f: play }
  tasks:
    - { name: set, set-fact: { d: set, e: set, f: set } }
    - { name: show, debug: { message: "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }}" }, vars: { e: task, f: task } }
`,
      };
      const run = await play(folder, files, { extraVars: { f: 'extra' } });
      expect(run.said('show')).to.equal('group host play set task extra');
    }));

  it('of other hosts are in hostvars, and groups are known', () =>
    playIn(
      '- hosts: web\n  tasks:\n    - { name: set, set-fact: { mine: "{{ inventory_hostname }}!" } }\n    - { name: show, debug: { message: "{{ hostvars.h2.mine }} {{ groups.web.length }} {{ join group_names \',\' }}" } }\n',
      (run) => expect(run.said('show')).to.equal('h2! 2 web'),
    ));
});

describe('mistakes', () => {
  it('are all found before anything is contacted, and thrown together', () =>
    withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'x'), '');
      const yaml = '- hosts: webb\n  tasks:\n    - { file: { pth: /x, state: directory } }\n    - { nosuch: {} }\n';
      const error: unknown = await play(folder, { 'play.yaml': yaml }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(DiagnosticsError);
      const { message } = error as Error;
      expect(message).to.contain('unknown argument "pth"').and.contain('nosuch').and.contain('play.yaml:3:');
    }));
});

describe('an interrupt', () => {
  it('lets the task in flight finish, starts nothing new, and ends with 130', () => {
    const interrupt = new AbortController();
    return playIn(
      '- hosts: h1\n  tasks:\n    - { name: one, shell: { cmd: sleep 0.2; echo done > DIR/one } }\n    - { name: two, shell: { cmd: touch DIR/two } }\n',
      async (run, folder) => {
        expect(onlyH1(run)).to.deep.equal(['one: changed']);
        expect(await readFile(join(folder, 'one'), 'utf8')).to.equal('done\n');
        expect(run.exitCode).to.equal(130);
        expect(run.summary[0]?.state).to.equal('interrupted');
      },
      {
        signal: interrupt.signal,
        onEvent: (event) => {
          if (event.type === 'step-started') interrupt.abort(new Error('interrupted'));
        },
      },
    );
  });
});

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** When facts are gathered in a run. `DIR` is the playbook's folder. */
function gathering(
  yaml: string,
  body: (run: PlayRun) => void,
  options: Partial<RunRequest> & { files?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { files = {}, ...request } = options;
  return withTemporaryFolder(async (folder) =>
    body(await play(folder, { 'play.yaml': yaml.replaceAll('DIR', folder), ...files }, request)),
  );
}

const gathers = (run: PlayRun): string[] => run.ends.filter((end) => end.includes('Gather facts'));

describe('facts are gathered', () => {
  it('just before the first task that reads them, on all hosts at once, and once', () =>
    gathering(
      `- hosts: web
  tasks:
    - { name: before, debug: { message: x } }
    - { name: first, debug: { message: "{{ facts.os.id }}" } }
    - { name: second, debug: { message: "{{ facts.arch }}" } }
- hosts: h1
  tasks: [{ name: third, debug: { message: "{{ facts.kernel }}" } }]
`,
      (run) => {
        expect(run.ends.filter((end) => end.startsWith('h1'))).to.deep.equal([
          'h1: before: ok',
          'h1: Gather facts: ok',
          'h1: first: ok',
          'h1: second: ok',
          'h1: third: ok',
        ]);
        expect(gathers(run)).to.have.members(['h1: Gather facts: ok', 'h2: Gather facts: ok']);
        const started = run.events.flatMap((e) => (e.type === 'task-started' && e.task.module === 'facts' ? [e] : []));
        expect(started.map((e) => e.hosts)).to.deep.equal([['h1', 'h2']]);
      },
    ));

  it('not at all where no task that is run names them', () =>
    gathering(
      `- hosts: h1
  vars: { unused: "{{ facts.os.id }}" }
  tasks:
    - { name: a, debug: { message: x } }
    - { name: b, tags: [other], debug: { message: "{{ facts.os.id }}" } }
  handlers: [{ name: h, debug: { message: "{{ facts.os.id }}" } }]
`,
      (run) => expect(run.ends).to.deep.equal(['h1: a: ok']),
      { skipTags: ['other'] },
    ));

  const readers: Readonly<Record<string, string>> = {
    'a condition': '{ name: t, when: facts.cpus > 0, debug: { message: x } }',
    'a variable of the play, through another one': '{ name: t, debug: { message: "{{ outer }}" } }',
    'a variable of the task': '{ name: t, vars: { own: "{{ facts.os.id }}" }, debug: { message: "{{ own }}" } }',
    'a variable of the inventory': '{ name: t, debug: { message: "{{ from_inventory }}" } }',
    'a template file': '{ name: t, file-template: { src: t.hbs, dest: DIR/out } }',
    'the facts of a host that is named': '{ name: t, debug: { message: "{{ hostvars.h2.facts.os.id }}" } }',
    'the facts of a host that is computed': '{ name: t, when: "hostvars[host].facts.cpus > 0", debug: { message: x } }',
    'a variable of another host': '{ name: t, debug: { message: "{{ hostvars.h2.from_inventory }}" } }',
    'all facts': '{ name: t, debug: { value: "{{ facts }}" } }',
    changed_when: '{ name: t, shell: { cmd: "true" }, changed_when: facts.cpus > 0 }',
    'the condition around an include': '{ name: t, include_tasks: more.yaml, when: facts.cpus > 0 }',
  };
  for (const [what, task] of Object.entries(readers)) {
    it(`for ${what}`, () =>
      gathering(
        `- hosts: web
  vars: { inner: "{{ facts.os.id }}", outer: "is {{ inner }}", host: h2 }
  tasks:
    - ${task}
`,
        (run) => {
          expect(gathers(run)).to.have.members(['h1: Gather facts: ok', 'h2: Gather facts: ok']);
          expect(run.exitCode).to.equal(0);
        },
        {
          files: {
            'hosts.ini': `[all:vars]\nansible_connection=local\nfrom_inventory="{{ facts.os.id }}"\n[web]\nh1\nh2\n`,
            'templates/t.hbs': '{{ facts.os.id }}\n',
            'more.yaml': '- { name: more, debug: { message: x } }\n',
          },
        },
      ));
  }

  it('for a handler that is notified, before it', () =>
    gathering(
      `- hosts: h1
  tasks: [{ name: t, shell: { cmd: "true" }, notify: h }]
  handlers: [{ name: h, debug: { message: "{{ facts.os.id }}" } }]
`,
      (run) => expect(run.ends).to.deep.equal(['h1: t: changed', 'h1: Gather facts: ok', 'h1: h: ok']),
    ));

  it('anew at the start of each play that says gather_facts: true', () =>
    gathering(
      `- hosts: h1
  gather_facts: true
  tasks: [{ name: a, debug: { message: x } }]
- hosts: h1
  gather_facts: true
  tasks: [{ name: b, debug: { message: "{{ facts.os.id }}" } }]
`,
      (run) =>
        expect(run.ends).to.deep.equal(['h1: Gather facts: ok', 'h1: a: ok', 'h1: Gather facts: ok', 'h1: b: ok']),
    ));

  it('never where the play says gather_facts: false', () =>
    gathering(
      `- hosts: h1
  gather_facts: false
  vars: { name: t }
  tasks: [{ name: a, file-template: { src: "{{ name }}.hbs", dest: DIR/out } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: a: failed']);
        expect(run.said('a')).to.contain('"facts" is not defined').and.to.contain('set gather_facts: true in the play');
      },
      { files: { 'templates/t.hbs': '{{ facts.hostname }}\n' } },
    ));

  it('on the hosts that can be reached; the others are out', () =>
    gathering(
      `- hosts: all
  tasks: [{ name: t, debug: { message: "{{ facts.os.id }}" } }]
`,
      (run) => {
        expect(run.ends).to.have.members(['h1: Gather facts: ok', 'h2: Gather facts: unreachable', 'h1: t: ok']);
        expect(run.exitCode).to.equal(4);
      },
      {
        files: { 'hosts.ini': 'h1 ansible_connection=local\nh2 ansible_host=127.0.0.1 ansible_port=1\n' },
      },
    ));
});

describe('facts hold until a task changes the host', () => {
  it('what its module says that it touches is gathered anew when it is read next, and is the new value', () =>
    withTemporaryFolder(async (folder) => {
      const bin = join(folder, 'bin');
      await mkdir(bin);
      await writeFile(join(bin, 'kubelet'), `#!/bin/sh\ncat '${folder}/version'\n`);
      await chmod(join(bin, 'kubelet'), 0o755);
      await writeFile(join(folder, 'version'), 'Kubernetes v1.27.1\n');
      const path = process.env.PATH;
      process.env.PATH = `${bin}:${path}`;
      try {
        const yaml = `- hosts: h1
  tasks:
    - { name: old, debug: { message: "{{ facts.kubelet.version }}" } }
    - { name: change, shell: { cmd: "echo Kubernetes v1.28.4 >${folder}/version" } }
    - { name: untouched, debug: { message: "{{ facts.os.id }}" } }
    - { name: new, debug: { message: "{{ facts.kubelet.version }}" } }
    - { name: again, debug: { message: "{{ facts.kubelet.version }}" } }
`;
        const run = await play(folder, { 'play.yaml': yaml });
        expect(run.ends.map((end) => end.slice('h1: '.length))).to.deep.equal([
          'Gather facts: ok',
          'old: ok',
          'change: changed',
          'untouched: ok',
          'Gather facts: ok',
          'new: ok',
          'again: ok',
        ]);
        expect(['old', 'new', 'again'].map(run.said)).to.deep.equal(['1.27.1', '1.28.4', '1.28.4']);
      } finally {
        process.env.PATH = path;
      }
    }));

  const changes: readonly (readonly [string, string, number])[] = [
    ['a command that changes nothing, as changed_when says', '{ shell: { cmd: "true" }, changed_when: false }', 1],
    ['a command that only reads', '{ shell: { cmd: "true", reads: true } }', 1],
    ['a command that fails half way', '{ shell: { cmd: "false" }, ignore_errors: true }', 2],
    ['a file', '{ file: { path: DIR/f, state: directory } }', 1],
    ['a command in a loop', '{ shell: { cmd: "true" }, loop: [1, 2] }', 2],
  ];
  for (const [what, task, times] of changes) {
    it(`${times === 1 ? 'not anew' : 'anew'} after ${what}`, () =>
      gathering(
        `- hosts: h1
  tasks:
    - { name: a, debug: { message: "{{ facts.hostname }}" } }
    - ${task}
    - { name: b, debug: { message: "{{ facts.hostname }}" } }
`,
        (run) => {
          expect(gathers(run)).to.deep.equal(Array(times).fill('h1: Gather facts: ok'));
          expect(run.ends.at(-1)).to.equal('h1: b: ok');
        },
      ));
  }

  it('on the host that was changed, which is the one that a task is delegated to', () =>
    gathering(
      `- hosts: web
  tasks:
    - { name: a, debug: { message: "{{ facts.hostname }}" } }
    - { shell: { cmd: "true" }, when: inventory_hostname == "h1", delegate_to: h2 }
    - { name: b, debug: { message: "{{ facts.hostname }}" } }
`,
      (run) => {
        expect(gathers(run).slice(0, 2)).to.have.members(['h1: Gather facts: ok', 'h2: Gather facts: ok']);
        expect(gathers(run).slice(2)).to.deep.equal(['h2: Gather facts: ok']);
      },
    ));

  it('a reader that cannot be seen before the run gets no old value', () =>
    gathering(
      `- hosts: h1
  vars: { name: t }
  tasks:
    - { name: a, debug: { message: "{{ facts.hostname }}" } }
    - { name: b, shell: { cmd: "true" } }
    - { name: c, file-template: { src: "{{ name }}.hbs", dest: DIR/out } }
`,
      (run) => expect(run.said('c')).to.contain('facts.hostname is out of date: "b" has changed the host since'),
      { files: { 'templates/t.hbs': '{{ facts.hostname }}\n' } },
    ));
});

describe('facts in check mode', () => {
  const yaml = `- hosts: h1
  tasks:
    - { name: change, shell: { cmd: "true" } }
    - { name: touched, when: facts.kubelet.version != "x", file: { path: DIR/x, state: directory } }
    - { name: untouched, when: facts.os.id != "", debug: { message: "{{ facts.os.id }}" } }
`;

  it('are unknown once a change is pending that may make them untrue', () =>
    gathering(
      yaml,
      (run) => {
        expect(run.ends).to.deep.equal([
          'h1: change: changed',
          'h1: Gather facts: ok',
          'h1: touched: unknown',
          'h1: untouched: ok',
        ]);
        expect(run.said('touched')).to.equal('facts.kubelet may be another once "change" has been run');
      },
      { isCheckMode: true },
    ));

  it('are known in the run itself', () =>
    gathering(yaml, (run) => expect(run.ends.slice(-2)).to.deep.equal(['h1: touched: changed', 'h1: untouched: ok'])));

  it('are unknown after a task of which check mode cannot tell whether it changes anything', () =>
    gathering(
      `- hosts: h1
  tasks:
    - { name: a, shell: { cmd: "echo x" }, register: a }
    - { name: b, sysctl: { values: { kernel.hostname: "{{ a.stdout }}" }, file: /etc/sysctl.d/x.conf } }
    - { name: c, debug: { message: "{{ facts.hostname }}" } }
`,
      (run) => expect(run.ends.slice(1)).to.deep.equal(['h1: b: unknown', 'h1: Gather facts: ok', 'h1: c: unknown']),
      { isCheckMode: true },
    ));
});

describe('a module that names a fact that there is not', () => {
  const module = `
import { defineModule, probe, sh } from 'runbook';
export default defineModule({
  name: 'thing', summary: 'x', invalidates: ['kublet'],
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`true\`, () => null), diff: () => [], *apply() {},
});`;

  it('is a mistake before the run', () =>
    gathering('- hosts: h1\n  tasks: [{ thing: {} }]\n', () => {}, { files: { 'modules/thing.ts': module } }).then(
      () => expect.fail('it ran'),
      (error: unknown) => {
        if (!(error instanceof DiagnosticsError)) throw error;
        const [{ message, hint } = { message: '', hint: '' }] = error.diagnostics;
        expect(message).to.match(/modules\/thing\.ts: invalidates: there is no fact "kublet"$/);
        expect(hint).to.equal('did you mean "kubelet"?');
      },
    ));
});

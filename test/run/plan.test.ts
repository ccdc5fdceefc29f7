import { writeFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createMasker } from '../../engine/base/masker.ts';
import { readPlan } from '../../engine/run/plan-file.ts';
import { runKeyOf } from '../../engine/run/run-key.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { applyIn, makePlan, testKey } from '../support/plan.ts';
import { localHosts } from '../support/play.ts';

/** What a plan says, that applying it does exactly that, and what stops it. */

/** A playbook on h1 and h2; each has a folder of its own. */
const playbook = (tasks: string, more = ''): string => `
- hosts: web
  vars: { dir: "{{ playbook_dir }}/on-{{ inventory_hostname }}" }
${more}  tasks:
${tasks}`;

const write = (name: string, content: string): string =>
  `    - name: write ${name}\n      copy: { dest: "{{ dir }}/${name}", content: "${content}\\n" }\n`;

const run = (name: string, script: string): string => `    - name: ${name}\n      shell: { cmd: "${script}" }\n`;

/** Every file below the folders of the hosts, with its content. */
async function filesOfHosts(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isFile() && name.startsWith('on-')) found[name] = await readFile(path, 'utf8');
  }
  return found;
}

describe('a plan', () => {
  /** In a folder with a folder for each host. */
  const inFolder = (body: (folder: string) => Promise<void>) =>
    withTemporaryFolder(async (folder) => {
      for (const host of ['h1', 'h2', 'h3']) await mkdir(join(folder, `on-${host}`));
      await body(folder);
    });
  const planned = (folder: string, tasks: string, files: Readonly<Record<string, string>> = {}) =>
    makePlan(folder, { 'play.yaml': playbook(tasks), ...files });

  describe('that is applied', () => {
    it('is done as it says, hosts, tasks and items', () =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'on-h1', 'a'), 'one\n');
        const tasks = `${write('a', 'one')}    - name: several
      copy: { dest: "{{ dir }}/{{ item }}", content: "{{ item }}\\n" }
      loop: [x, y]
    - name: elsewhere
      debug: { message: no }
      when: inventory_hostname == 'h9'
`;
        const made = await planned(folder, tasks);
        expect(made.exitCode).to.equal(3);
        expect(await filesOfHosts(folder)).to.deep.equal({ 'on-h1/a': 'one\n' });
        const done = await applyIn(folder);
        expect(done.exitCode).to.equal(0);
        expect([...done.ends].sort()).to.deep.equal([...made.ends].sort());
        expect(await filesOfHosts(folder)).to.deep.equal({
          'on-h1/a': 'one\n',
          'on-h1/x': 'x\n',
          'on-h1/y': 'y\n',
          'on-h2/a': 'one\n',
          'on-h2/x': 'x\n',
          'on-h2/y': 'y\n',
        });
      }));

    it('runs the handlers that it says, and what it could not know as it comes', () =>
      inFolder(async (folder) => {
        const tasks = `${write('a', 'one')}      notify: after
    - name: ask
      shell: { cmd: "echo {{ inventory_hostname }}" }
      register: asked
    - name: depends
      copy: { dest: "{{ dir }}/b", content: "{{ asked.stdout }}" }
      when: asked.stdout == 'h1'
`;
        const more = '  handlers:\n    - name: after\n      shell: { cmd: "touch {{ dir }}/handled" }\n';
        const made = await makePlan(folder, { 'play.yaml': playbook(tasks, more) });
        expect(made.plan.hosts.h1?.tasks.map(({ name, outcome }) => `${name}: ${outcome}`)).to.deep.equal([
          'write a: changed',
          'ask: changed',
          'depends: unknown',
          'after: changed',
        ]);
        const done = await applyIn(folder);
        expect(done.exitCode).to.equal(0);
        expect(Object.keys(await filesOfHosts(folder))).to.have.members([
          'on-h1/a',
          'on-h1/b',
          'on-h1/handled',
          'on-h2/a',
          'on-h2/handled',
        ]);
        expect(done.said('depends')).to.include('was unknown in the plan');
      }));

    it('runs an include of which it was unknown whether it is needed, and no other', () =>
      inFolder(async (folder) => {
        const tasks = `    - name: ask
      shell: { cmd: echo yes }
      register: asked
    - name: perhaps
      include_tasks: inner.yaml
      when: asked.stdout == 'yes'
`;
        const made = await planned(folder, tasks, {
          'inner.yaml': `- name: inner\n  copy: { dest: "{{ dir }}/in", content: x }\n`,
        });
        expect(made.plan.hosts.h1?.tasks.map(({ outcome }) => outcome)).to.deep.equal(['changed', 'unknown']);
        expect((await applyIn(folder)).exitCode).to.equal(0);
        expect(await filesOfHosts(folder)).to.have.keys(['on-h1/in', 'on-h2/in']);
      }));

    it('does run_once and delegated tasks once, where it says', () =>
      inFolder(async (folder) => {
        const tasks = `    - name: once
      shell: { cmd: "echo x >> {{ playbook_dir }}/on-h1/once" }
      run_once: true
    - name: delegated
      copy: { dest: "{{ playbook_dir }}/on-h2/of-{{ inventory_hostname }}", content: x }
      delegate_to: h2
`;
        const made = await planned(folder, tasks);
        expect(made.plan.hosts.h1?.tasks.at(-1)?.delegated_to).to.equal('h2');
        expect((await applyIn(folder)).exitCode).to.equal(0);
        expect(await filesOfHosts(folder)).to.deep.equal({
          'on-h1/once': 'x\n',
          'on-h2/of-h1': 'x',
          'on-h2/of-h2': 'x',
        });
      }));

    it('takes what its own earlier tasks did for no move', () =>
      inFolder(async (folder) => {
        const tasks = `${write('a', 'one')}${run('rewrite', 'echo extra > {{ dir }}/other')}    - name: again
      copy: { dest: "{{ dir }}/a", content: "two\\n" }
    - name: mode
      file: { path: "{{ dir }}/a", mode: "0600" }
    - name: other
      copy: { dest: "{{ dir }}/other", content: "mine\\n" }
`;
        await writeFile(join(folder, 'on-h1', 'other'), 'before\n');
        await writeFile(join(folder, 'on-h2', 'other'), 'before\n');
        await planned(folder, tasks);
        const done = await applyIn(folder);
        expect(done.exitCode, JSON.stringify(done.summary)).to.equal(0);
        expect(await readFile(join(folder, 'on-h1', 'a'), 'utf8')).to.equal('two\n');
        expect(await readFile(join(folder, 'on-h1', 'other'), 'utf8')).to.equal('mine\n');
      }));

    it('leaves out hosts that could not be planned, and says so', () =>
      inFolder(async (folder) => {
        const tasks = `    - name: refuse
      assert: { that: [inventory_hostname != 'h2'] }
${write('a', 'one')}`;
        const made = await planned(folder, tasks);
        expect(made.exitCode).to.equal(2);
        expect(made.plan.hosts.h2?.state).to.equal('failed');
        expect(made.text).to.include('# Left out, because planning did not come to their end: h2 (it was failed).');
        const done = await applyIn(folder);
        expect(done.exitCode).to.equal(0);
        expect(done.summary.map(({ host, state }) => `${host} ${state}`)).to.deep.equal([
          'h1 changed',
          'h2 not-started',
        ]);
        const warnings = done.events.flatMap((e) => (e.type === 'warning' ? [e.diagnostic.message] : []));
        expect(warnings).to.deep.equal(['h2 is left out: when the plan was made it was failed']);
        expect(await filesOfHosts(folder)).to.deep.equal({ 'on-h1/a': 'one\n' });
      }));

    it('knows neither the run nor check mode: what reads them is decided when it is applied', () =>
      inFolder(async (folder) => {
        const tasks = `    - name: hidden from checks
      copy: { dest: "{{ dir }}/a", content: x }
      when: '!check_mode'
    - name: of the run
      copy: { dest: "{{ dir }}/id", content: "{{ run_id }}" }
`;
        const made = await planned(folder, tasks);
        expect(made.plan.hosts.h1?.tasks.map(({ outcome }) => outcome)).to.deep.equal(['unknown', 'unknown']);
        expect((await applyIn(folder)).exitCode).to.equal(0);
      }));

    it('can be resumed: what was done stays done, and the rest is held to the plan', () =>
      inFolder(async (folder) => {
        const tasks = `${write('a', 'one')}    - name: several
      copy: { dest: "{{ dir }}/{{ item }}", content: "{{ item }}\\n" }
      loop: [x, y]
${run('count', 'echo x >> {{ dir }}/count')}${write('b', 'two')}${write('c', 'three')}`;
        await planned(folder, tasks);
        const journalDirectory = join(folder, '.runbook');
        const interrupt = new AbortController();
        const first = await applyIn(folder, {
          journalDirectory,
          signal: interrupt.signal,
          onEvent(event) {
            if (event.type === 'host-task-ended' && event.task.name === 'count') interrupt.abort();
          },
        });
        expect(first.exitCode).to.equal(130);
        const started = first.events.find((event) => event.type === 'run-started');
        await writeFile(join(folder, 'on-h1', 'c'), 'three\n');
        const resume = { runId: started?.runId ?? '', isChanged: false };
        const second = await applyIn(folder, { journalDirectory, resume });
        expect(second.ends.filter((end) => end.startsWith('h2'))).to.deep.equal([
          'h2: write b: changed',
          'h2: write c: changed',
        ]);
        expect(second.ends).to.include.members(['h1: write b: changed', 'h1: write c: failed']);
        const files = await filesOfHosts(folder);
        expect([files['on-h1/count'], files['on-h2/count']]).to.deep.equal(['x\n', 'x\n']);
      }));

    it('says how old it is after a day', () =>
      inFolder(async (folder) => {
        await planned(folder, write('a', 'one'));
        const clock = { now: () => Date.now() + 26 * 3_600_000, sleep: async () => undefined };
        const done = await applyIn(folder, { clock });
        const [warning] = done.events.flatMap((e) => (e.type === 'warning' ? [e.diagnostic.message] : []));
        expect(warning).to.match(/^the plan is 26 hours old/);
        expect(done.exitCode).to.equal(0);
      }));
  });

  describe('of a host that has changed since', () => {
    const moved = async (
      tasks: string,
      before: (folder: string) => Promise<unknown>,
      after: (folder: string) => Promise<unknown>,
      check: (done: Awaited<ReturnType<typeof applyIn>>, folder: string) => unknown,
    ): Promise<void> =>
      inFolder(async (folder) => {
        await before(folder);
        await planned(folder, tasks);
        await after(folder);
        const done = await applyIn(folder);
        const [failure] = done.events.flatMap((e) => (e.type === 'host-task-ended' && e.failure ? [e.failure] : []));
        expect(failure?.code).to.equal('state-moved');
        expect(done.exitCode).to.equal(2);
        await check(done, folder);
      });
    const nothing = async (): Promise<void> => undefined;

    it('stops before it acts, and says what was planned and what is found', () =>
      moved(
        write('a', 'one') + write('b', 'two'),
        nothing,
        (folder) => writeFile(join(folder, 'on-h1', 'a'), 'other\n'),
        async (done, folder) => {
          const text = '  content:\n    @@ -1,0 +1,1 @@\n    +one\n  mode: (absent) → 0644';
          expect(done.said('write a')).to.include(`planned:\n  exists: false → true\n${text}\n`);
          expect(done.said('write a')).to.include('found:\n  content:\n    @@ -1,1 +1,1 @@\n    -other\n    +one');
          expect(done.summary.map(({ host, state }) => `${host} ${state}`)).to.deep.equal(['h1 failed', 'h2 changed']);
          expect(await filesOfHosts(folder)).to.deep.equal({
            'on-h1/a': 'other\n',
            'on-h2/a': 'one\n',
            'on-h2/b': 'two\n',
          });
        },
      ));

    it('stops where what was planned is done already, by somebody else', () =>
      moved(
        write('a', 'one'),
        nothing,
        (folder) => writeFile(join(folder, 'on-h2', 'a'), 'one\n'),
        (done) => expect(done.said('write a')).to.include('found: '),
      ));

    it('stops where nothing was planned and something is pending now', () =>
      moved(
        write('a', 'one'),
        async (folder) => {
          for (const host of ['h1', 'h2']) await writeFile(join(folder, `on-${host}`, 'a'), 'one\n');
        },
        (folder) => rm(join(folder, 'on-h1', 'a')),
        (done) => {
          const [failure] = done.summary.flatMap((host) => host.failure ?? []);
          expect(failure?.message).to.include('planned: nothing is to be done\nfound:\n  exists: false → true');
        },
      ));

    it('stops where the mode is another one, though the content is what it was', () =>
      moved(
        write('a', 'one').replace('" }', '", mode: "0600" }'),
        async (folder) => {
          for (const host of ['h1', 'h2']) await writeFile(join(folder, `on-${host}`, 'a'), 'zero\n', { mode: 0o644 });
        },
        (folder) => chmod(join(folder, 'on-h1', 'a'), 0o640),
        (done) => expect(done.said('write a')).to.include('found:'),
      ));

    it('stops between tasks, at the one whose file was written from outside', () =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'on-h1', 'b'), 'before\n');
        await planned(folder, write('a', 'one') + write('b', 'two'));
        const done = await applyIn(folder, {
          onEvent(event) {
            if (event.type !== 'host-task-ended' || event.host !== 'h1' || event.task.name !== 'write a') return;
            writeFileSync(join(folder, 'on-h1', 'b'), 'outside\n');
          },
        });
        expect(done.ends).to.include.members(['h1: write a: changed', 'h1: write b: failed', 'h2: write b: changed']);
        expect(await readFile(join(folder, 'on-h1', 'b'), 'utf8')).to.equal('outside\n');
      }));

    it('goes on where a file was written again with the same content', () =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'on-h1', 'a'), 'zero\n');
        await planned(folder, write('a', 'one'));
        await writeFile(join(folder, 'on-h1', 'a'), 'zero\n');
        expect((await applyIn(folder)).exitCode).to.equal(0);
      }));

    it('stops where a condition is no more what it was', () =>
      moved(
        `    - name: look
      shell: { cmd: "test -e {{ dir }}/flag && echo yes || echo no", reads: true }
      register: look
${write('a', 'one')}      when: look.stdout == 'yes'
`,
        (folder) => writeFile(join(folder, 'on-h1', 'flag'), ''),
        async (folder) => {
          await rm(join(folder, 'on-h1', 'flag'));
          await writeFile(join(folder, 'on-h2', 'flag'), '');
        },
        async (done, folder) => {
          const failures = done.events.flatMap((e) =>
            e.type === 'host-task-ended' && e.failure ? [e.failure.message] : [],
          );
          expect(failures.join('\n')).to.include('planned: skipped (when: ').and.include('found: skipped, because');
          expect(Object.keys(await filesOfHosts(folder))).to.deep.equal(['on-h2/flag']);
        },
      ));

    it('stops where a loop goes over something else', () =>
      moved(
        `    - name: look
      shell: { cmd: "ls {{ dir }}/list", reads: true }
      register: look
    - name: each
      copy: { dest: "{{ dir }}/of-{{ item }}", content: x }
      loop: !expr "look.stdout_lines"
`,
        async (folder) => {
          for (const host of ['h1', 'h2']) await mkdir(join(folder, `on-${host}`, 'list'));
          for (const host of ['h1', 'h2']) await writeFile(join(folder, `on-${host}`, 'list', 'one'), '');
        },
        (folder) => writeFile(join(folder, 'on-h1', 'list', 'also'), ''),
        async (done, folder) => {
          expect(done.said('each')).to.include('another item in its place');
          expect(await filesOfHosts(folder)).to.not.have.property('on-h1/of-also');
        },
      ));

    it('stops for good: neither ignore_errors nor a rescue lets it go on, and its budget counts it', () =>
      inFolder(async (folder) => {
        const tasks = `    - name: around
      block:
${write('a', 'one').replace(/^/gm, '    ').trimEnd()}
          ignore_errors: true
      rescue:
        - name: clean up
          copy: { dest: "{{ dir }}/cleaned", content: x }
${write('later', 'x')}`;
        await planned(folder, tasks);
        await writeFile(join(folder, 'on-h1', 'a'), 'other\n');
        const done = await applyIn(folder);
        expect(done.ends).to.include.members([
          'h1: write a: failed',
          'h1: clean up: changed',
          'h1: write later: failed',
          'h2: write later: changed',
        ]);
        expect(await filesOfHosts(folder)).to.not.have.property('on-h1/later');
      }));

    it('has failed when it comes to its end without all that was planned', () =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'on-h1', 'flag'), '');
        const tasks = `    - name: look
      shell: { cmd: "test -e {{ dir }}/flag && echo yes || echo no", reads: true }
      register: look
    - name: enough
      meta: end_host
      when: look.stdout == 'no'
${write('a', 'one')}`;
        await planned(folder, tasks);
        await rm(join(folder, 'on-h1', 'flag'));
        const done = await applyIn(folder);
        expect(done.ends).to.include('h1: The plan was done: failed');
        expect(done.said('The plan was done')).to.equal('planned, and not come to: write a');
        expect(done.exitCode).to.equal(2);
      }));
  });

  describe('is refused', () => {
    const files = {
      'play.yaml': `
- hosts: web
  vars_files: [vars.yaml]
  tasks:
    - copy: { dest: "{{ playbook_dir }}/on-h1/a", content: "{{ a }}{{ g }}" }
    - file-template: { dest: "{{ playbook_dir }}/on-h1/t", src: "{{ which }}.hbs" }
    - mine: {}
`,
      'vars.yaml': 'a: 1\nwhich: late\n',
      'templates/late.hbs': 'late\n',
      'group_vars/web.yaml': 'g: 1\n',
      'modules/mine.ts': `
import { defineAction } from 'runbook';
export default defineAction({
  name: 'mine', summary: 'x', schema: { type: 'object', additionalProperties: false, properties: {} }, run: async () => ({}),
});
`,
    };
    for (const name of [...Object.keys(files), 'hosts.ini']) {
      it(`when ${name} has changed since, before anything is contacted`, () =>
        inFolder(async (folder) => {
          await makePlan(folder, files);
          const path = join(folder, name);
          const text = await readFile(path, 'utf8');
          await writeFile(path, `${text}${name.endsWith('.ts') ? '//' : '#'} x\n`);
          const error = await applyIn(folder).catch((e: unknown) => e);
          expect(error).to.include({ code: 'usage' });
          expect((error as Error).message).to.include(`${name} changed`);
          expect(await filesOfHosts(folder)).to.deep.equal({});
        }));
    }

    it('when it was edited by hand; comments and the way it is laid out do not matter', () =>
      inFolder(async (folder) => {
        const { file, text } = await planned(folder, write('a', 'one'));
        await writeFile(file, `# agreed on Monday\n${text}`);
        expect(await readPlan(file, testKey)).to.have.property('format', 1);
        await writeFile(file, text.replace('outcome: changed', 'outcome: ok'));
        const error = await readPlan(file, testKey).catch((e: unknown) => e);
        expect((error as Error).message).to.include('was edited since it was made');
      }));

    it('when it is of another format, of another controller, or no plan', () =>
      inFolder(async (folder) => {
        const { file, text } = await planned(folder, write('a', 'one'));
        const refusal = async (content: string, key = testKey): Promise<string> => {
          await writeFile(file, content);
          return ((await readPlan(file, key).catch((e: unknown) => e)) as Error).message.replace(file, 'FILE');
        };
        expect(await refusal(text.replace('format: 1', 'format: 2'))).to.equal(
          'FILE has the plan format 2, and this runbook reads 1',
        );
        expect(await refusal(text, runKeyOf(Buffer.alloc(32, 8)))).to.equal(
          'FILE was made with another key than the one of .runbook here',
        );
        expect(await refusal('- hosts: all\n')).to.equal('FILE is no plan of runbook');
        expect(await refusal('{{{')).to.equal('FILE is no plan of runbook');
      }));
  });

  describe('holds no secret', () => {
    const poison = 'POISON-7c1f';

    it('of a vaulted variable, a file with one, a prompt, no_log, -e, a password of the inventory', () =>
      inFolder(async (folder) => {
        const masker = createMasker();
        const secret = masker.secret(`${poison}-masked`);
        const tasks = `    - name: secret content
      copy: { dest: "{{ dir }}/s", content: "a={{ hidden }}\\n" }
    - name: quiet
      copy: { dest: "{{ dir }}/q", content: "${'{{ quiet }}'}" }
      no_log: true
    - name: typed
      copy: { dest: "{{ dir }}/t", content: "x={{ api_token }}\\n" }
    - name: told
      debug: { message: "${'{{ api_token }}'}" }
    - name: each
      copy: { dest: "{{ dir }}/e", content: "{{ item }}" }
      loop: ["{{ hidden }}"]
`;
        const inventory = `${localHosts(2)}[web:vars]\nansible_become_password=${poison}-inventory\nquiet=${poison}-quiet\n`;
        masker.secret(`${poison}-token`);
        const made = await makePlan(
          folder,
          { 'play.yaml': playbook(tasks), 'hosts.ini': inventory },
          { masker, extraVars: { hidden: secret, api_token: `${poison}-token` } },
        );
        expect(made.exitCode).to.equal(3);
        expect(made.text).to.not.include(poison);
        expect(made.plan.options.secret_vars).to.deep.equal(['hidden', 'api_token']);
        expect((await stat(made.file)).mode & 0o777).to.equal(0o600);
        const without = await applyIn(folder).catch((e: unknown) => e);
        expect((without as Error).message).to.equal('the plan holds no secret: give hidden, api_token once more');
        const other = { hidden: masker.secret(`${poison}-other`), api_token: `${poison}-token` };
        const wrong = await applyIn(folder, { secretVars: other }).catch((e: unknown) => e);
        expect((wrong as Error).message)
          .to.include('-e hidden is another')
          .and.not.include(poison);
        const right = { hidden: secret, api_token: `${poison}-token` };
        expect((await applyIn(folder, { masker, secretVars: right })).exitCode).to.equal(0);
        expect((await filesOfHosts(folder))['on-h1/s']).to.equal(`a=${poison}-masked\n`);
      }));

    it('and sees all the same that the secret on a host is another one now', () =>
      inFolder(async (folder) => {
        const masker = createMasker();
        const secretVars = { hidden: masker.secret(`${poison}-wanted`) };
        const tasks = '    - name: secret\n      copy: { dest: "{{ dir }}/s", content: "{{ hidden }}" }\n';
        for (const host of ['h1', 'h2']) await writeFile(join(folder, `on-${host}`, 's'), 'old');
        await makePlan(folder, { 'play.yaml': playbook(tasks) }, { masker, extraVars: secretVars });
        await writeFile(join(folder, 'on-h1', 's'), 'new');
        const done = await applyIn(folder, { masker, secretVars });
        expect(done.ends).to.have.members(['h1: secret: failed', 'h2: secret: changed']);
        expect(JSON.stringify(done.events)).to.not.include(poison);
      }));
  });
});

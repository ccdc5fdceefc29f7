import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { applyIn, makePlan } from '../support/plan.ts';

/** Generated playbooks: a plan that nobody disturbs is done, and what it does is what it said. */

/** A task, as a playbook of one host writes it; all of them work on the files a to d of a folder. */
interface Made {
  readonly yaml: string;
}

const file = fc.constantFrom('a', 'b', 'c', 'd');
const text = fc.constantFrom('one', 'two', 'three');
const mode = fc.constantFrom('0600', '0640', '0644');
const conditions = fc.constantFrom('true', 'false', 'n > 1', 'n > 5', "seen.stdout == 'one'", 'seen.changed');

const copy = fc.record({ file, text, mode: fc.option(mode) }).map(({ file, text, mode }) => {
  const attributes = mode === null ? '' : `, mode: "${mode}"`;
  return `copy: { dest: "{{ dir }}/${file}", content: "${text}\\n"${attributes} }`;
});
const absent = file.map((name) => `file: { path: "{{ dir }}/${name}", state: absent }`);
const folder = fc.constantFrom('x', 'x/y').map((name) => `file: { path: "{{ dir }}/${name}", state: directory }`);
const inFolder = text.map((word) => `copy: { dest: "{{ dir }}/x/f", content: "${word}" }`);
const read = file.map(
  (name) => `shell: { cmd: "cat {{ dir }}/${name} 2>/dev/null || true", reads: true }\n      register: seen`,
);
const effect = file.map((name) => `shell: { cmd: "echo effect >> {{ dir }}/log-${name}" }\n      register: seen`);
const loop = fc
  .uniqueArray(file, { minLength: 1, maxLength: 3 })
  .map(
    (names) => `copy: { dest: "{{ dir }}/{{ item }}", content: "of {{ item }}\\n" }\n      loop: [${names.join(', ')}]`,
  );
const noted = fc.constant('set_fact: { n: 7 }').map(() => 'set-fact: { n: 7 }');
const once = text.map((word) => `copy: { dest: "{{ dir }}/once", content: "${word}" }\n      run_once: true`);

const task: fc.Arbitrary<Made> = fc
  .record({
    body: fc.oneof(copy, copy, absent, folder, read, effect, loop, noted, once),
    when: fc.option(conditions),
    notify: fc.boolean(),
  })
  .map(({ body, when, notify }) => ({
    yaml: `    - ${body}${when === null ? '' : `\n      when: ${when}`}${notify ? '\n      notify: handler' : ''}\n`,
  }));

const playbook = fc.record({
  tasks: fc.array(task, { minLength: 1, maxLength: 7 }),
  hasFolder: fc.boolean(),
  strategy: fc.constantFrom('linear', 'free'),
  before: fc.array(fc.tuple(fc.constantFrom('h1', 'h2'), file, text), { maxLength: 4 }),
});

async function contents(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (path.includes('/on-'))
      found[path.slice(root.length)] = entry.isFile() ? await readFile(path, 'utf8') : '(folder)';
  }
  return found;
}

describe('a plan of any playbook', () => {
  it('is done when nobody disturbs it: every task ends as planned, and what was not to change did not', function () {
    this.timeout(300_000);
    const counts = { playbooks: 0, planned: 0, tasks: 0, changed: 0, unknown: 0 };
    const runs = fc.asyncProperty(playbook, ({ tasks, hasFolder, strategy, before }) =>
      withTemporaryFolder(async (root) => {
        for (const host of ['h1', 'h2']) await mkdir(join(root, `on-${host}`));
        for (const [host, name, word] of before) await writeFile(join(root, `on-${host}`, name), `${word}\n`);
        const more = hasFolder
          ? `    - ${fc.sample(folder, { numRuns: 1, seed: 1 })[0]}\n    - ${fc.sample(inFolder, { numRuns: 1, seed: 1 })[0]}\n`
          : '';
        const text = `- hosts: web
  strategy: ${strategy}
  vars: { dir: "{{ playbook_dir }}/on-{{ inventory_hostname }}", n: 3, seen: { stdout: '', changed: false } }
  tasks:
${tasks.map(({ yaml }) => yaml).join('')}${more}  handlers:
    - name: handler
      shell: { cmd: "echo handled >> {{ dir }}/handled" }
`;
        const start = await contents(root);
        const made = await makePlan(root, { 'play.yaml': text });
        expect(await contents(root), 'planning changes nothing').to.deep.equal(start);
        const isPlanned = Object.values(made.plan.hosts).every(({ state }) => state === 'ok' || state === 'changes');
        counts.playbooks++;
        if (!isPlanned) return;
        counts.planned++;
        const done = await applyIn(root);
        expect(done.exitCode, `${text}\n${JSON.stringify(done.summary.map((s) => s.failure))}`).to.equal(0);
        const unknown = new Set(
          made.ends.filter((end) => end.endsWith(': unknown')).map((end) => end.replace(/unknown$/, '')),
        );
        const isKnown = (end: string): boolean => !unknown.has(end.replace(/\w+$/, ''));
        expect(done.ends.filter(isKnown).sort(), text).to.deep.equal(made.ends.filter(isKnown).sort());
        counts.tasks += made.ends.length;
        counts.unknown += made.ends.filter((end) => end.endsWith(': unknown')).length;
        counts.changed += made.ends.filter((end) => end.endsWith(': changed')).length;
        if (made.exitCode === 0) expect(await contents(root), 'nothing was planned').to.deep.equal(start);
      }),
    );
    return fc.assert(runs, { numRuns: Number(process.env.RUNBOOK_PLAN_RUNS ?? 15) }).then(() => {
      // A generator of which nothing can be planned would prove nothing.
      expect(counts.planned).to.be.greaterThan(counts.playbooks / 2);
      expect(counts.changed).to.be.greaterThan(counts.planned);
      const { planned, tasks, changed, unknown } = counts;
      console.log(`      ${planned} plans applied: ${tasks} tasks, ${changed} changed, ${unknown} unknown before`);
    });
  });
});

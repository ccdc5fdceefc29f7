import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readHeldLeases } from '../../engine/run/journal/read-state.ts';
import { hostFolder, killAfter } from '../support/killed-run.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, writeFiles } from '../support/play.ts';

/**
 * A controller that is killed with SIGKILL, again and again, at every event that it tells: whoever resumes the run comes to
 * the same end as a run that nobody disturbed, with every effect once, and no lease left.
 */

/** A lease whose steps can be seen: it is taken and given back once for each host, however often it is gone on with. */
const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path} && echo held || echo free\`, ({ stdout }) => stdout.trim()),
  diff: (current, { path }) => current === 'held' ? [] : [{ path, before: null, after: 'held' }],
  grant: ({ args, runId }) => ({ path: args.path, runId }),
  *acquire({ grant }) { yield exec(sh\`test -e \${grant.path} || { : > \${grant.path}; echo x >> \${grant.path}.taken; }\`); },
  *release({ grant }) { yield exec(sh\`test ! -e \${grant.path} || { rm \${grant.path}; echo x >> \${grant.path}.released; }\`); },
});`;

/** Writes a line to a file of the host: the effects that are counted. */
const note = (name: string): string =>
  `shell: { cmd: "echo {{ inventory_hostname }} >> DIR/out/${name}-{{ inventory_hostname }}" }`;

const playbook = `- name: work
  hosts: web
  serial: [1, 2]
  tasks:
    - { name: once, run_once: true, shell: { cmd: "echo x >> DIR/out/once; echo token" }, register: token }
    - { name: one, ${note('one')}, notify: restart }
    - { name: file, copy: { dest: "DIR/out/file-{{ inventory_hostname }}", content: "made for {{ inventory_hostname }}" }, notify: restart }
    - { name: read, shell: { cmd: "cat DIR/out/file-{{ inventory_hostname }}; echo x >> DIR/out/read-{{ inventory_hostname }}" }, register: seen }
    - { name: remember, set-fact: { what: "{{ seen.stdout }}/{{ token.stdout }}" } }
    - { name: each, loop: [a, b, c], shell: { cmd: "echo x >> DIR/out/each-{{ item }}-{{ inventory_hostname }}" }, register: turns }
    - { name: not here, when: "size(turns.results) != 3", ${note('never')} }
    - { include_tasks: more.yaml, loop: [p, q], loop_control: { loop_var: part } }
    - { meta: flush_handlers }
    - name: guarded
      lease: { name: held, hold: { path: "DIR/out/lease-{{ inventory_hostname }}" } }
      block:
        - { name: under, ${note('under')}, notify: restart }
        - { name: under too, shell: { cmd: "test -e DIR/out/lease-{{ inventory_hostname }} && echo x >> DIR/out/under-too-{{ inventory_hostname }}" } }
    - name: tried
      block:
        - { name: before, ${note('before')} }
        - { name: bad, shell: { cmd: "echo x >> DIR/out/bad-{{ inventory_hostname }}; exit 1" } }
        - { name: unreached, ${note('unreached')} }
      rescue:
        - { name: mend, ${note('mend')} }
      always:
        - { name: tidy, ${note('tidy')} }
    - { name: again, shell: { cmd: "echo x >> DIR/out/again-{{ inventory_hostname }}; wc -l < DIR/out/again-{{ inventory_hostname }}" }, register: tries, until: "int(tries.stdout) >= 3", retries: 5, delay: 0 }
    - { name: last, shell: { cmd: "echo '{{ what }}' >> DIR/out/last-{{ inventory_hostname }}" } }
  handlers:
    - { name: restart, ${note('restart')} }
- name: after
  hosts: web
  tasks:
    - { name: end, ${note('end')} }
`;

const more = `- { name: "part {{ part }}", shell: { cmd: "echo {{ part }} >> DIR/out/part-{{ inventory_hostname }}" } }
`;

const hosts = 3;

/**
 * A run whose only effect, the first time, kills the controller, takes two seconds more, and ends with `status`. Gives the
 * file of its state.
 */
async function killInEffect(
  folder: string,
  { creates, status = 0 }: { readonly creates?: string; readonly status?: number } = {},
): Promise<string> {
  const script = `#!/bin/sh
cd ${folder}
echo x >> counted
[ "$(wc -l <counted)" = 1 ] || exit 0
kill -KILL "$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' .runbook/runs/*/state.ndjson)"
sleep 2
echo end >> counted
exit ${status}
`;
  const guard = creates === undefined ? '' : `, creates: ${creates}`;
  const play = `- hosts: web\n  tasks: [{ name: count, command: { argv: [sh, ${folder}/count]${guard} } }]\n`;
  await writeFiles(folder, { 'play.yaml': play, 'hosts.ini': localHosts(1), count: script });
  const run = await killAfter(folder, ['play', 'play.yaml', '-i', 'hosts.ini']);
  expect(run.isKilled, run.stderr).to.equal(true);
  const runs = join(folder, '.runbook', 'runs');
  return join(runs, readdirSync(runs)[0] ?? '', 'state.ndjson');
}

/** What a run leaves: the content of every file, by name. */
function leftIn(folder: string): Record<string, string> {
  const out = join(folder, 'out');
  return Object.fromEntries(
    readdirSync(out)
      .sort()
      .map((name) => [name, readFileSync(join(out, name), 'utf8')]),
  );
}

async function prepare(folder: string): Promise<void> {
  const files = {
    'play.yaml': playbook,
    'more.yaml': more,
    'modules/hold.ts': lease,
    'hosts.ini': localHosts(hosts),
    'out/.keep': '',
  };
  await writeFiles(
    folder,
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll('DIR', folder)])),
  );
}

interface Chain {
  readonly kills: number;
  /** After which kinds of events processes were killed. */
  readonly after: readonly string[];
  readonly left: Record<string, string>;
}

/** How many ends of tasks are recorded. */
function endedTasks(folder: string): number {
  const runs = join(folder, '.runbook', 'runs');
  const [id = ''] = existsSync(runs) ? readdirSync(runs) : [];
  const state = join(runs, id, 'state.ndjson');
  return existsSync(state) ? readFileSync(state, 'utf8').split('{"t":"task"').length - 1 : 0;
}

/** Kills every process of one run after so many events, more where nothing came to its end, and resumes it until it is done. */
async function killAgainAndAgain(folder: string, least: number): Promise<Chain> {
  await prepare(folder);
  const after: string[] = [];
  let args: readonly string[] = ['play', 'play.yaml', '-i', 'hosts.ini'];
  let before = 0;
  let stuck = 0;
  for (let process = 0; ; process++) {
    expect(process, 'processes').to.be.lessThan(400);
    // Under a lease many events pass before anything new is done: who is always killed before that comes no further.
    const run = await killAfter(folder, args, least + 3 * stuck);
    const ended = endedTasks(folder);
    stuck = ended > before ? 0 : stuck + 1;
    before = ended;
    if (!run.isKilled) {
      expect(run.exitCode, run.stderr).to.equal(0);
      break;
    }
    after.push(run.events.at(-1)?.type ?? '');
    // One that was killed before it had a folder was not begun.
    const begun = readdirSync(folder).includes('.runbook') && readdirSync(join(folder, '.runbook', 'runs')).length > 0;
    if (begun) args = ['resume', 'last'];
  }
  const [id = ''] = readdirSync(join(folder, '.runbook', 'runs'));
  expect(readHeldLeases(join(folder, '.runbook', 'runs', id))).to.deep.equal([]);
  return { kills: after.length, after, left: leftIn(folder) };
}

describe('a run whose controller is killed', () => {
  let undisturbed: Record<string, string>;
  let events: number;

  /** In another folder only the paths differ. */
  const inFolder = (left: Record<string, string>, folder: string): Record<string, string> =>
    Object.fromEntries(Object.entries(left).map(([name, text]) => [name, text.replaceAll(folder, 'DIR')]));

  before(async function () {
    this.timeout(60_000);
    await withTemporaryFolder(async (folder) => {
      await prepare(folder);
      const run = await killAfter(folder, ['play', 'play.yaml', '-i', 'hosts.ini']);
      expect(run.exitCode, run.stderr).to.equal(0);
      events = run.events.length;
      undisturbed = inFolder(leftIn(folder), folder);
    });
  });

  it('is one in which every effect can be counted', () => {
    const lines = (name: string): number => (undisturbed[name] ?? '').split('\n').length - 1;
    expect(lines('once')).to.equal(1);
    for (let n = 1; n <= hosts; n++) {
      for (const name of [
        'one',
        'read',
        'each-a',
        'each-c',
        'under',
        'under-too',
        'before',
        'bad',
        'mend',
        'tidy',
        'end',
      ])
        expect(lines(`${name}-h${n}`), name).to.equal(1);
      expect(lines(`again-h${n}`)).to.equal(3);
      expect(lines(`restart-h${n}`)).to.equal(2);
      expect(undisturbed[`last-h${n}`]).to.equal(`made for h${n}/token\n`);
      expect(lines(`lease-h${n}.taken`)).to.equal(1);
      expect(lines(`lease-h${n}.released`)).to.equal(1);
      expect(undisturbed[`lease-h${n}`]).to.equal(undefined);
    }
    expect(Object.keys(undisturbed).filter((name) => /never|unreached/.test(name))).to.deep.equal([]);
  });

  it('takes the end of an effect that went on without it', async function () {
    this.timeout(60_000);
    await withTemporaryFolder(async (folder) => {
      await killInEffect(folder);
      const end = await killAfter(folder, ['resume', 'last']);
      expect(end.exitCode, end.stderr).to.equal(0);
      expect(readFileSync(join(folder, 'counted'), 'utf8')).to.equal('x\nend\n');
    });
  });

  it('takes the failure of a command that made its file before it failed', async function () {
    this.timeout(60_000);
    await withTemporaryFolder(async (folder) => {
      await killInEffect(folder, { creates: join(folder, 'counted'), status: 3 });
      const end = await killAfter(folder, ['resume', 'last']);
      expect(end.exitCode, end.stderr).to.equal(2);
      expect(JSON.stringify(end.events)).to.match(/status 3/);
      expect(readFileSync(join(folder, 'counted'), 'utf8')).to.equal('x\nend\n');
    });
  });

  it('does not start again what was running when the host restarted, unless it is told to once more', async function () {
    this.timeout(60_000);
    await withTemporaryFolder(async (folder) => {
      const state = await killInEffect(folder);
      const lines = readFileSync(state, 'utf8');
      expect(lines).to.match(/"t":"step".*"boot":"[^"]+"/);
      // As if the host had been in another boot then: what it knew of effects went with that.
      writeFileSync(state, lines.replace(/"boot":"[^"]+"/, '"boot":"another boot"'));
      const [, effect = ''] = /"effect":"([^"]+)"/.exec(lines) ?? [];
      rmSync(join(hostFolder(folder), 'effects', effect), { recursive: true });
      const end = await killAfter(folder, ['resume', 'last']);
      expect(end.exitCode, end.stderr).to.equal(2);
      expect(JSON.stringify(end.events)).to.match(/restarted while this was running/);
      expect(readFileSync(join(folder, 'counted'), 'utf8').match(/x/g)).to.have.length(1);
      const again = await killAfter(folder, ['resume', 'last']);
      expect(again.exitCode, again.stderr).to.equal(0);
      expect(readFileSync(join(folder, 'counted'), 'utf8').match(/x/g)).to.have.length(2);
    });
  });

  const cycles = process.env.KILL_STEPS?.split(',').map(Number) ?? [3];
  const kinds = new Map<string, number>();
  let kills = 0;
  for (const least of cycles) {
    it(`every ${least} events, or as few more as it needs to get on, comes to the same end`, async function () {
      this.timeout(1_200_000);
      await withTemporaryFolder(async (folder) => {
        const chain = await killAgainAndAgain(folder, least);
        kills += chain.kills;
        for (const type of chain.after) kinds.set(type, (kinds.get(type) ?? 0) + 1);
        expect(inFolder(chain.left, folder)).to.deep.equal(undisturbed);
      });
    });
  }

  after(() => {
    const told = [...kinds].map(([type, n]) => `${type} ${n}`).join(', ');
    console.log(
      `    ${kills} kills in runs of ${events} events (after ${told}): same files, each effect once, no lease left`,
    );
  });
});

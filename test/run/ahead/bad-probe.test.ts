import { mkdir } from 'node:fs/promises';
import { expect } from 'chai';
import { systemClock } from '../../../engine/base/clock.ts';
import { withSshBench } from '../../faults/ssh-play.ts';
import { type PlayRun, playFiles } from '../../support/play.ts';
import { whyNoSshd } from '../../support/sshd.ts';
import { tellScripts, whichScript } from '../../support/which-script.ts';

/** A module of a user's own whose probe does not answer as it should; what ends it is told as its failure. */
const module = (name: string, script: string, options = '{}'): string => `
import { defineModule, failure, probe, sh } from 'runbook';
export default defineModule({
  name: '${name}', summary: 'Asks a bad question',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`${script}\`, ({ rc, stderr }) => {
    if (rc !== 0) throw failure(\`the bad question ended with \${rc}\`, stderr);
  }, ${options}),
  diff: () => [], *apply() {},
});`;

/** Between two tasks with nothing wrong about them, which have nothing to do either. */
const playbook = (task: string): string => `
- hosts: h1
  tasks:
    - { name: before, file: { path: DIR, state: directory } }
    - { name: bad, ${task}, ignore_errors: true }
    - { name: after, file: { path: DIR, state: directory } }
    - { name: last, file: { path: DIR, state: directory } }
`;

describe('a probe that is asked with those of other tasks', function () {
  this.timeout(120_000);

  it('and hangs costs its own task', () =>
    playFiles(
      { 'play.yaml': playbook('hang: {}, timeout: 2'), 'modules/hang.ts': module('hang', 'echo so far; sleep 3600') },
      (run) => {
        expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
        expect(run.said('bad')).to.match(/did not end within 2.0 s; it was killed.*so far/s);
      },
    ));

  it('and that takes long to be made is not waited for', () =>
    playFiles(
      {
        'play.yaml': `
- hosts: h1
  tasks:
    - { name: before, copy: { dest: DIR/made, content: x } }
    - { name: waits for what the one before makes, patient: {} }
`,
        'modules/patient.ts': module('patient', 'true')
          .replace(
            'import',
            "import { existsSync } from 'node:fs';\nimport { setTimeout } from 'node:timers/promises';\nimport",
          )
          .replace(
            'probe:',
            "desired: async () => { while (!existsSync('DIR/made')) await setTimeout(20); },\n  probe:",
          ),
      },
      (run) => expect(run.ends.map((end) => end.split(': ').at(-1))).to.deep.equal(['changed', 'ok']),
    ));

  it('and prints without end costs its own task', () =>
    playFiles({ 'play.yaml': playbook('flood: {}'), 'modules/flood.ts': module('flood', 'yes') }, (run) => {
      expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
      expect(run.said('bad')).to.match(/printed more than 16 MiB/);
    }));

  it('and takes its time leaves the others theirs, for all of their attempts', () => {
    // Six seconds of this clock go by in one: of the 26 that the task has, the other one's question takes 27.
    const started = systemClock.now();
    const clock = { ...systemClock, now: () => started + 6 * (systemClock.now() - started) };
    const files = {
      'play.yaml': `
- hosts: h1
  tasks:
    - { name: second, stubborn: {}, timeout: 26, retries: 1, delay: 1 }
    - { name: slow, slow: {} }
`,
      'modules/slow.ts': module('slow', 'sleep 4.5'),
      'modules/stubborn.ts': `
import { defineModule, exec, probe, sh } from 'runbook';
export default defineModule({
  name: 'stubborn', summary: 'Does it the second time',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`test -e DIR/done\`, ({ rc }) => rc === 0),
  diff: (isDone) => (isDone ? [] : [{ path: 'done', before: false, after: true }]),
  *apply() { yield exec(sh\`if test -e DIR/tried; then touch DIR/done; else touch DIR/tried; false; fi\`); },
});`,
    };
    return playFiles(files, (run) => expect(run.ends).to.deep.equal(['h1: second: changed', 'h1: slow: ok']), {
      clock,
    });
  });

  it('and prints without end as the first of them says what it says by itself', async () => {
    const files = {
      'play.yaml': playbook('flood: {}').replace(/^.*name: before.*\n/m, ''),
      'modules/flood.ts': module('flood', 'yes'),
    };
    const said: string[] = [];
    for (const isBatched of [true, false])
      await playFiles(files, (run) => void said.push(run.said('bad')), { isBatched });
    expect(said[0]).to.match(/it last printed: y$/);
    expect(said[0]).to.equal(said[1]);
  });

  it('and is no shell script costs its own task', () =>
    playFiles({ 'play.yaml': playbook('broken: {}'), 'modules/broken.ts': module('broken', 'if then') }, (run) => {
      expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
      expect(run.said('bad')).to.match(/syntax error|unexpected/i);
    }));
});

/** The bad task, and after it some with nothing wrong about them. */
const badAndAfter = `
- { name: bad, bad: {}, ignore_errors: true }
- { name: after, which-script: {}, register: a }
- { name: later, which-script: {}, register: b }
- { name: last, which-script: {}, register: c }
- ${tellScripts(['a', 'b', 'c'])}
`;

describe('a probe that is asked over ssh with those of other tasks', function () {
  this.timeout(120_000);
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  /** The bad task failed by itself, those after it were asked with one script, and the first one did not wait for long. */
  function expectGoodWork(run: PlayRun, firstOutcome: string): void {
    const good = ['after', 'later', 'last', 'scripts'].map((name) => `n1: ${name}: ok`);
    expect(run.ends).to.deep.equal([`n1: first: ${firstOutcome}`, 'n1: bad: ignored', ...good]);
    expect(run.said('scripts')).to.match(/^(\d+) \1 \1$/);
    const [first] = run.events.flatMap((event) => (event.type === 'host-task-ended' ? [event] : []));
    // Ten seconds for all the others, and two for TERM; its own probe has a minute.
    expect(first?.durationMs).to.be.below(30_000);
  }

  const late = '{ timeoutMs: 2000 }';
  for (const [what, script, options, message] of [
    ['hangs', 'echo so far; sleep 3600', late, /did not end within 2.0 s; it was killed.*so far/s],
    [
      'hangs and ignores TERM',
      "trap '' TERM; echo so far; sleep 3600",
      late,
      /did not end within 2.0 s; it was killed/,
    ],
    ['kills its whole group', 'kill 0; sleep 3600', '{}', /the bad question ended with 143/],
  ] as const) {
    it(`and ${what} costs its own task`, () =>
      withSshBench(
        async ({ play }) => {
          const run = await play(`- { name: first, which-script: {} }${badAndAfter}`);
          expectGoodWork(run, 'ok');
          expect(run.said('bad')).to.match(message);
        },
        { modules: { 'modules/which-script.ts': whichScript, 'modules/bad.ts': module('bad', script, options) } },
      ));
  }

  it('and hangs behind an effect costs its own task', () => {
    // As many as are asked with one script, of which the last one is made: the bad one is asked behind that.
    const folders = Array.from({ length: 33 }, (_, i) => `DIR/folder${i}`);
    const made = folders.at(-1) ?? '';
    const script = `[ -d ${made} ] && echo behind >>DIR/asked || echo before >>DIR/asked; sleep 3600`;
    return withSshBench(
      async ({ play, folder, lines }) => {
        for (const path of folders) if (path !== made) await mkdir(path.replace('DIR', folder));
        const loop = JSON.stringify(folders);
        const run = await play(
          `- { name: first, file: { path: "{{ item }}", state: directory }, loop: ${loop} }${badAndAfter}`,
        );
        expectGoodWork(run, 'changed');
        expect(run.said('bad')).to.match(/did not end within 2.0 s; it was killed/);
        // When its turn came it was asked again.
        expect(lines('asked')).to.deep.equal(['behind', 'behind']);
      },
      { modules: { 'modules/which-script.ts': whichScript, 'modules/bad.ts': module('bad', script, late) } },
    );
  });
});

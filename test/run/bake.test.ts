import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, type PlayRun, play, playFiles } from '../support/play.ts';

/** `bake`: what lies between one batch and the next. The clock is one of the test's own: nobody waits. */

interface Waits {
  readonly waited: number[];
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
}

/** Time passes only in sleeps; `onSleep` happens during one of them. */
function fakeTime(onSleep: () => void = () => undefined): Waits {
  const waited: number[] = [];
  let now = Date.UTC(2026, 10, 21);
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    waited.push(ms);
    onSleep();
    if (signal?.aborted) throw new RunbookError('interrupted', 'interrupted');
    now += ms;
  };
  return { waited, clock: { now: () => now, sleep } };
}

const playOn = (
  yaml: string,
  body: (run: PlayRun, folder: string) => unknown,
  options: Parameters<typeof playFiles>[2] = {},
  hosts = 3,
): Promise<void> =>
  playFiles(
    { 'hosts.ini': localHosts(hosts), 'play.yaml': yaml },
    async (run, folder) => {
      await body(run, folder);
    },
    options,
  );

const work = 'tasks: [{ name: work, debug: { message: x } }]';
const baked = (serial: string, gate: string, more = ''): string => `- hosts: web
  serial: ${serial}
${more}  bake: { seconds: 300, tasks: [${gate}] }
  ${work}
`;
const gate = '{ name: healthy, debug: { message: y } }';
/** What happened, as `work h1`, `bake 1/3`, `wait`. */
const story = (run: PlayRun): string[] =>
  run.events.flatMap((e) => {
    if (e.type === 'host-task-ended') return [`${e.task.name} ${e.host}`];
    if (e.type === 'bake-started')
      return [`bake ${e.number}/${e.of} ${e.waitMs / 1000} s [${e.hosts.join(' ')}]: ${e.tasks.join(', ')}`];
    if (e.type === 'bake-ended') return [`baked ${e.number}: ${e.outcome}`];
    return e.type === 'run-waiting' ? [e.text] : [];
  });

describe('bake', () => {
  it('waits after each batch but the last, and runs the health gate after each', () => {
    const { waited, clock } = fakeTime();
    return playOn(
      baked('2', gate),
      (run) => {
        expect(story(run)).to.deep.equal([
          'work h1',
          'work h2',
          'bake 1/2 300 s [h1 h2]: healthy',
          'waiting for batch 1 of 2 to bake',
          'healthy h1',
          'healthy h2',
          'baked 1: ok',
          'work h3',
          'bake 2/2 0 s [h3]: healthy',
          'healthy h3',
          'baked 2: ok',
        ]);
        expect(waited).to.deep.equal([300_000]);
        expect(run.exitCode).to.equal(0);
      },
      { clock },
    );
  });

  it('says until when it waits', () => {
    const { clock } = fakeTime();
    return playOn(
      baked('2', gate),
      (run) => {
        const waits = run.events.flatMap((e) => (e.type === 'run-waiting' ? [e] : []));
        expect(waits.map(({ sinceMs, deadlineMs = 0 }) => deadlineMs - sinceMs)).to.deep.equal([300_000]);
        expect(run.events.map((e) => e.type)).to.include('run-wait-over');
      },
      { clock },
    );
  });

  it('stops the run when the gate fails, whatever the failure budget says', () => {
    const { clock } = fakeTime();
    const failing = '{ name: healthy, fail: { message: slow }, when: inventory_hostname == "h2" }';
    return playOn(
      `${baked('2', failing, '  max_failures: 9\n')}- hosts: web\n  ${work}\n`,
      (run) => {
        expect(story(run).slice(-3)).to.deep.equal(['healthy h1', 'healthy h2', 'baked 1: failed']);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['ok', 'failed', 'not-started']);
        const end = run.events.find((e) => e.type === 'run-ended');
        expect(end?.stopReason).to.equal('the health gate of batch 1 of 2 failed (h2: healthy): 1 host not started');
        expect(run.exitCode).to.equal(6);
      },
      { clock },
    );
  });

  it('lets the gate try again as often as it says', () => {
    const { clock } = fakeTime();
    const again = `{ name: healthy, shell: { cmd: "echo x >> DIR/asked; test $(wc -l < DIR/asked) -ge 3", reads: true }, register: out, until: out.rc == 0, retries: 5 }`;
    return playOn(
      baked('1', again),
      async (run, folder) => {
        expect(run.exitCode).to.equal(0);
        expect((await readFile(join(folder, 'asked'), 'utf8')).split('x')).to.have.length(3 + 1);
      },
      { clock },
      1,
    );
  });

  it('in check mode says what it would do, waits for nothing and judges nothing', () => {
    const { waited, clock } = fakeTime();
    return playOn(
      baked('2', '{ name: healthy, fail: { message: not yet } }'),
      (run) => {
        expect(story(run)).to.deep.equal([
          'work h1',
          'work h2',
          'bake 1/2 300 s [h1 h2]: healthy',
          'baked 1: not-run',
          'work h3',
          'bake 2/2 0 s [h3]: healthy',
          'baked 2: not-run',
        ]);
        expect(waited).to.deep.equal([]);
        expect(run.exitCode).to.equal(0);
      },
      { clock, isCheckMode: true },
    );
  });

  it('ends with the first Ctrl-C: the batch was not looked at, and no further one starts', () => {
    const interrupt = new AbortController();
    const { clock } = fakeTime(() => interrupt.abort());
    return playOn(
      baked('2', gate),
      (run) => {
        expect(story(run).slice(-2)).to.deep.equal(['waiting for batch 1 of 2 to bake', 'baked 1: interrupted']);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['interrupted', 'interrupted', 'not-started']);
        expect(run.exitCode).to.equal(130);
      },
      { clock, signal: interrupt.signal },
    );
  });

  it('is for the hosts of the batch that are still in, and for none when the budget is reached', () => {
    const { waited, clock } = fakeTime();
    const failing = (more: string): string => `- hosts: web
  serial: 2
${more}  bake: { seconds: 300, tasks: [${gate}] }
  tasks: [{ name: work, fail: { message: x }, when: inventory_hostname == "h1" }]
`;
    return playOn(
      failing(''),
      async (run) => {
        expect(story(run)).to.include('bake 1/2 300 s [h2]: healthy').and.not.include('healthy h1');
        waited.length = 0;
        await playOn(
          failing('  any_errors_fatal: true\n'),
          (stopped) => {
            expect(story(stopped)).to.have.members(['work h1', 'work h2']);
            expect(waited).to.deep.equal([]);
          },
          { clock },
        );
      },
      { clock },
    );
  });

  it('has its gate whatever --tags choose, unless --skip-tags name it', async () => {
    const { clock } = fakeTime();
    const tagged = `- hosts: web
  serial: 3
  bake: { tasks: [{ name: healthy, debug: { message: y }, tags: [gate] }] }
  tasks: [{ name: work, debug: { message: x }, tags: [work] }]
`;
    await playOn(tagged, (run) => expect(story(run)).to.include('healthy h1'), { clock, tags: ['work'] });
    await playOn(tagged, (run) => expect(story(run)).to.not.include('healthy h1'), { clock, skipTags: ['gate'] });
  });

  it('runs handlers that the gate notifies', () => {
    const { clock } = fakeTime();
    return playOn(
      `- hosts: web
  serial: 1
  bake: { tasks: [{ name: mark, file: { path: DIR/marked, state: directory }, notify: tell }] }
  ${work}
  handlers: [{ name: tell, debug: { message: z } }]
`,
      async (run, folder) => {
        await access(join(folder, 'marked'));
        expect(story(run)).to.include('tell h1');
      },
      { clock },
      1,
    );
  });

  it('is over for a resumed run where the former one came to its end', () =>
    withTemporaryFolder(async (folder) => {
      const interrupt = new AbortController();
      const { waited, clock } = fakeTime();
      const files = {
        'hosts.ini': localHosts(3),
        'play.yaml': baked('1', '{ name: healthy, shell: { cmd: "true" } }'),
      };
      const journalDirectory = join(folder, '.runbook');
      const first = await play(folder, files, {
        clock,
        journalDirectory,
        signal: interrupt.signal,
        onEvent: (e) => {
          if (e.type === 'bake-ended') interrupt.abort();
        },
      });
      expect(first.exitCode).to.equal(130);
      const runId = first.events.flatMap((e) => (e.type === 'run-started' ? [e.runId] : []))[0] ?? '';
      waited.length = 0;
      const second = await play(folder, files, { clock, journalDirectory, resume: { runId, isChanged: false } });
      expect(second.exitCode).to.equal(0);
      // After the second of the three batches; that after the first was waited for already.
      expect(waited).to.deep.equal([300_000]);
      expect(story(second)).to.include.members(['work h2', 'work h3', 'healthy h2', 'healthy h3']);
    }));

  const mistakes: readonly (readonly [string, string, string])[] = [
    ['a window', baked('{ window: 2 }', gate), 'bake is between batches, and a window has none'],
    [
      'an unknown name in its tasks',
      baked('2', '{ name: h, debug: { message: "{{ nowhere }}" } }'),
      '"nowhere" is not defined',
    ],
    [
      'a handler that is not there',
      baked('2', '{ name: h, shell: { cmd: x }, notify: nobody }'),
      'there is no handler "nobody"',
    ],
    ['a key that it has not', `- hosts: web\n  bake: { minutes: 3 }\n  ${work}\n`, '"minutes"'],
    ['no map', `- hosts: web\n  bake: 300\n  ${work}\n`, 'bake must be a map'],
    [
      'seconds that are none',
      `- hosts: web\n  bake: { seconds: soon }\n  ${work}\n`,
      'seconds must be a number from 0',
    ],
  ];
  for (const [title, yaml, message] of mistakes) {
    it(`refuses ${title} before anything is contacted`, async () => {
      const error = await playOn(yaml, () => undefined).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(error?.message).to.contain(message);
    });
  }
});

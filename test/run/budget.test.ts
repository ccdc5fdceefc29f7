import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { budgetOf } from '../../engine/run/budget.ts';
import { type PlayRun, playFiles } from '../support/play.ts';

/**
 * The failure budget. Whole playbooks on hosts of this machine; those that are unreachable are behind a closed port. What a
 * run did is judged by its events alone: whatever the order in which hosts ended, none may start once the limit is reached,
 * none may be held back before, and none that started may be cut off.
 */

const kinds = ['failed', 'unreachable', 'timed out', 'rolled-back'] as const;
type Kind = (typeof kinds)[number];
const schedules = {
  linear: ['serial: 3'],
  free: ['serial: 3', 'strategy: free'],
  window: ['serial: { window: 3 }'],
} as const;
type Schedule = keyof typeof schedules;
const limits = {
  'max_failures 2': { keyword: 'max_failures: 2', count: 2 },
  'max_fail_percentage 30': { keyword: 'max_fail_percentage: 30', percent: 30 },
  any_errors_fatal: { keyword: 'any_errors_fatal: true', count: 1 },
} as const;
type Limit = keyof typeof limits;
/** Whose failures reach the limit: those of one play, or those that an earlier play had as well. */
const scopes = ['one play', 'two plays'] as const;
type Scope = (typeof scopes)[number];

const hostNames = Array.from({ length: 9 }, (_, i) => `h${i + 1}`);

/** Which hosts go down: generated, the same ones in every run of the tests. */
const placements: readonly (readonly string[])[] = [['h1'], ['h2', 'h3'], ['h3', 'h4', 'h9'], ['h1', 'h5', 'h6', 'h7']];

function inventory(kind: Kind, down: readonly string[]): string {
  const lines = hostNames.map((name) =>
    kind === 'unreachable' && down.includes(name)
      ? `${name} is_down=true ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1`
      : `${name} is_down=${down.includes(name)} ansible_connection=local`,
  );
  return `[web]\n${lines.join('\n')}\n`;
}

const blows: Readonly<Record<Kind, string>> = {
  failed: '{ name: blow, fail: { message: broken }, when: is_down }',
  unreachable: '{ name: blow, raw-probe: {}, when: is_down }',
  'timed out': '{ name: blow, pause: { seconds: 60 }, timeout: 5ms, when: is_down }',
  'rolled-back':
    '{ block: [{ name: blow, fail: { message: broken }, when: is_down }], rescue: [{ name: undo, debug: { message: undone } }, { meta: rolled_back }] }',
};

/** A resource that only asks: the cheapest thing that needs a connection. */
const rawProbe = `
import { defineModule, probe, sh } from 'runbook';
export default defineModule({
  name: 'raw-probe', summary: 'Asks the host for nothing',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`true\`, () => null),
  diff: () => [],
  *apply() {},
});`;

function playbook(kind: Kind, schedule: Schedule, limit: Limit, scope: Scope): string {
  const head = [...schedules[schedule], limits[limit].keyword].map((line) => `  ${line}`).join('\n');
  const tasks = `  gather_facts: false\n  tasks:\n    - ${blows[kind]}\n    - { name: last, debug: { message: done } }\n`;
  // The first play loses the first of the hosts, and says nothing of a budget.
  const before = `- hosts: h1,h2,h3\n${tasks}`;
  const limited = `- hosts: web\n${head}\n${tasks}`;
  return scope === 'one play' ? limited : `${before}${limited}`;
}

/** A stop that counts what its limit says; without one the end of the last play has to be reached. */
function judge(run: PlayRun, schedule: Schedule, limit: Limit, scope: Scope): void {
  const isOver = overOf(limits[limit]);
  const tracked = track(run.events);
  const limitedPlay = scope === 'one play' ? 1 : 2;
  for (const { play, host, run: all, batch } of tracked.starts) {
    if (play < limitedPlay) continue;
    const before = schedule === 'window' ? { down: all.downInPlay, of: all.hostsOfPlay } : batch;
    expect(isOver(all.down, all.hosts) || isOver(before.down, before.of, true), `${host} must not start`).to.equal(
      false,
    );
  }
  const states = new Map(run.summary.map((host) => [host.host, host.state]));
  const down = [...states.values()].filter((state) => !['ok', 'not-started'].includes(state)).length;
  const stop = run.events.find((event) => event.type === 'stopping');
  const left = tracked.notStarted(limitedPlay);
  if (left.length > 0) {
    const end = run.events.find((event) => event.type === 'run-ended');
    expect(run.exitCode).to.equal(6);
    expect(stop?.budget?.notStarted).to.equal(left.length);
    expect(stop?.budget?.limit).to.equal(limit);
    expect(end?.budget).to.deep.equal(stop?.budget);
    const { down: named = [], of = 0 } = stop?.budget ?? {};
    expect(isOver(named.length, of, true), 'what stopped it is over the limit').to.equal(true);
    expect(end?.stopReason).to.contain(`${named.length} of ${of} hosts`).and.contain(`${limit}: ${left.length} host`);
    for (const { host, state } of named) expect(wordOf(state)).to.equal(states.get(host));
  } else expect(run.exitCode).to.be.oneOf(down === 0 ? [0] : [2, 4, 7]);
  // In flight is in flight: who began and is not down came to the end of the play.
  for (const [host, state] of states) {
    if (state === 'ok' && !left.includes(host))
      expect(run.ends.filter((line) => line === `${host}: last: ok`)).to.not.deep.equal([]);
    expect(state).to.not.equal('interrupted');
  }
}

const wordOf = (state: string): string => (state === 'timed out' ? 'failed' : state);

function overOf(limit: { readonly count?: number; readonly percent?: number }) {
  return (down: number, of: number, isShare = false): boolean => {
    if (limit.percent !== undefined) return down > 0 && (down / of) * 100 >= limit.percent;
    // A number counts over the run: of a part of it, it can only be reached when the whole has reached it.
    return down >= (limit.count ?? 0) && (!isShare || down > 0);
  };
}

interface Start {
  readonly play: number;
  readonly host: string;
  readonly run: {
    readonly down: number;
    readonly hosts: number;
    readonly downInPlay: number;
    readonly hostsOfPlay: number;
  };
  /** The batch that ended last. */
  readonly batch: { readonly down: number; readonly of: number };
}

/** What was known at the moment at which each host was started. */
function track(events: readonly StampedEvent[]): { starts: Start[]; notStarted(play: number): string[] } {
  const down = new Set<string>();
  const run = new Set<string>();
  const started = new Map<number, Set<string>>();
  const hostsOf = new Map<number, readonly string[]>();
  const starts: Start[] = [];
  let play = 0;
  let open: readonly string[] = [];
  let ended: readonly string[] = [];
  for (const event of events) {
    if (event.type === 'play-started') {
      play++;
      ended = [];
      hostsOf.set(play, event.hosts);
      started.set(play, new Set());
      for (const host of event.hosts) run.add(host);
    }
    if (event.type === 'batch-started') {
      const hosts = hostsOf.get(play) ?? [];
      for (const host of event.hosts) {
        const among = (some: readonly string[]): number => some.filter((name) => down.has(name)).length;
        starts.push({
          play,
          host,
          run: { down: down.size, hosts: run.size, downInPlay: among(hosts), hostsOfPlay: hosts.length },
          batch: { down: among(ended), of: Math.max(1, ended.length) },
        });
        started.get(play)?.add(host);
      }
      open = event.hosts;
    }
    if (event.type === 'batch-ended') ended = open;
    if (event.type === 'host-task-ended' && event.failure) down.add(event.host);
  }
  return {
    starts,
    notStarted: (of) => (hostsOf.get(of) ?? []).filter((host) => !started.get(of)?.has(host)),
  };
}

describe('a budget', () => {
  const table: [string, Parameters<typeof budgetOf>, ReturnType<typeof budgetOf>][] = [
    ['of nobody', [{ anyErrorsFatal: false }, {}], {}],
    ['any_errors_fatal', [{ anyErrorsFatal: true }, {}], { failures: { count: 1, text: 'any_errors_fatal' } }],
    [
      'any_errors_fatal beside a number',
      [{ anyErrorsFatal: true, maxFailures: 3 }, {}],
      { failures: { count: 1, text: 'any_errors_fatal' } },
    ],
    [
      'a lower one on the command line',
      [
        { anyErrorsFatal: false, maxFailures: 3, maxFailPercentage: 10 },
        { maxFailures: 2, maxFailPercentage: 5 },
      ],
      {
        failures: { count: 2, text: '--max-failures 2' },
        percentage: { percent: 5, text: '--max-fail-percentage 5' },
      },
    ],
    [
      'a lower one in the play',
      [
        { anyErrorsFatal: false, maxFailures: 3, maxFailPercentage: 0 },
        { maxFailures: 4, maxFailPercentage: 5 },
      ],
      { failures: { count: 3, text: 'max_failures 3' }, percentage: { percent: 0, text: 'max_fail_percentage 0' } },
    ],
  ];
  for (const [title, [play, request], expected] of table) {
    it(`is the lower one of both: ${title}`, () => expect(budgetOf(play, request)).to.deep.equal(expected));
  }

  it('of the command line holds for every play, and what one lost counts in the next', () =>
    playFiles(
      {
        'hosts.ini': inventory('failed', ['h1', 'h5']),
        'play.yaml': `- hosts: h1,h2,h3\n  tasks: [${blows.failed}]\n- hosts: web\n  serial: 4\n  tasks: [${blows.failed}]\n`,
      },
      (run) => {
        expect(run.exitCode).to.equal(6);
        const end = run.events.find((event) => event.type === 'run-ended');
        expect(end?.stopReason).to.equal(
          '2 of 9 hosts down (h1 failed, h5 failed), --max-failures 2: 4 hosts not started',
        );
      },
      { maxFailures: 2 },
    ));

  it('that a former play has used up lets the next one start no host', () =>
    playFiles(
      {
        'hosts.ini': inventory('failed', ['h1']),
        'play.yaml': `- hosts: h1,h2\n  tasks: [${blows.failed}]\n- hosts: h2,h3\n  any_errors_fatal: true\n  tasks: [{ name: late, debug: { message: x } }]\n`,
      },
      (run) => {
        expect(run.ends.filter((line) => line.includes('late'))).to.deep.equal([]);
        expect(run.exitCode).to.equal(6);
      },
    ));

  it('in a window counts a host in its rescue as down, and goes on when it is rescued', () => {
    return playFiles(
      {
        'hosts.ini': inventory('failed', []),
        'play.yaml': `- hosts: h1,h2,h3,h4
  gather_facts: false
  serial: { window: 2 }
  max_failures: 1
  tasks:
    - block: [{ name: bad, fail: { message: no }, when: inventory_hostname == "h1" }]
      rescue:
        - { name: mend, shell: { cmd: "while ! test -e DIR/h2; do sleep 0.02; done; sleep 0.3", reads: true }, timeout: 20 }
    - { name: mark, shell: { cmd: "touch DIR/{{ inventory_hostname }}" } }
`,
      },
      (run) => {
        expect(run.exitCode).to.equal(0);
        const story = run.events.flatMap((e) => {
          if (e.type === 'batch-started') return e.hosts.map((host) => `start ${host}`);
          return e.type === 'host-task-ended' && e.task.name === 'mend' ? [`mended ${e.host}`] : [];
        });
        // h2 ended long before: its place stayed empty.
        expect(story).to.deep.equal(['start h1', 'start h2', 'mended h1', 'start h3', 'start h4']);
      },
    );
  });
});

describe('the failure budget', () => {
  let combinations = 0;
  let stops = 0;
  const title = (): string => `${combinations} combinations of the failure budget, of which ${stops} stopped`;

  for (const kind of kinds) {
    for (const schedule of Object.keys(schedules) as Schedule[]) {
      for (const scope of scopes) {
        for (const limit of Object.keys(limits) as Limit[]) {
          it(`${kind}, ${schedule}, ${scope}, ${limit}`, async () => {
            for (const down of placements) {
              await playFiles(
                {
                  'hosts.ini': inventory(kind, down),
                  'play.yaml': playbook(kind, schedule, limit, scope),
                  'modules/raw-probe.ts': rawProbe,
                },
                (run) => {
                  judge(run, schedule, limit, scope);
                  combinations++;
                  if (run.exitCode === 6) stops++;
                },
              );
            }
          });
        }
      }
    }
  }

  it('was tried in every combination (the next line says how many)', function () {
    expect(combinations).to.equal(kinds.length * 3 * scopes.length * 3 * placements.length);
    expect(stops).to.be.greaterThan(combinations / 2);
    const { test } = this;
    if (test) test.title = title();
  });
});

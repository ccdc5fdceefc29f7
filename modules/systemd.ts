import {
  type Change,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  probe,
  RunbookError,
  type Script,
  type Step,
  type StepResult,
  sh,
  unknown,
  type Wait,
  waitFor,
} from '../engine/index.ts';
import { type Answer, commandAnswer, commandScript } from './lib/answering.ts';
import { whoMayProvide } from './lib/pending-providers.ts';
import {
  activity,
  askUnits,
  expectedUnit,
  parseUnits,
  type UnitState,
  type UnitsState,
  unitName,
  unitResource,
} from './lib/systemd-units.ts';

interface Arguments {
  readonly name?: string | undefined;
  readonly units?: readonly string[] | undefined;
  readonly state?: 'started' | 'stopped' | 'restarted' | 'reloaded' | undefined;
  readonly enabled?: boolean | undefined;
  readonly masked?: boolean | undefined;
  readonly daemon_reload: 'auto' | 'always' | false;
  readonly reset_failed: boolean;
  readonly stable_for?: number | undefined;
  readonly settled_when?: string | undefined;
  readonly timeout: number;
}

// The characters that systemd.unit(5) allows.
const unitPattern = '^[A-Za-z0-9:_.\\\\@-]+$';

export default defineModule({
  name: 'systemd',
  summary: 'Keeps systemd units started or stopped, enabled or disabled, masked or not',
  description: `- \`started\` means \`active\`. A unit in \`activating (auto-restart)\` is not running: it died and waits for its next try.
- After a start the task waits until the unit is active; \`systemctl start\` returns 0 although many units die a moment
  later. \`stable_for\` asks for more: active for that long without a restart, whether or not anything changed.
- \`settled_when\` asks in words of your own whether the service serves. Prefer it to a \`wait-for\` behind the task: check mode
  then knows that the wait belongs to the change.
- A failure shows the unit's result and the last lines of its journal.
- \`daemon-reload\` is run only when systemd has not read a unit's present files, including a new file that comes before
  the one in use, which \`NeedDaemonReload\` does not notice.
- \`restarted\` and \`reloaded\` are effects: they happen, and count as a change, each time. Notify a handler instead.
- Units are handled together and in the order given: stop \`docker.socket\` before \`docker.service\`, or the socket
  starts the service again.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      name: { type: 'string', pattern: unitPattern, description: 'One unit; without a suffix it is a .service' },
      units: {
        type: 'array',
        items: { type: 'string', pattern: unitPattern },
        minItems: 1,
        description: 'Several units, handled together in this order',
        examples: [['docker.socket', 'docker.service']],
      },
      state: {
        enum: ['started', 'stopped', 'restarted', 'reloaded'],
        description: 'What the units do now; a unit that does not exist is stopped. Default: left alone',
      },
      enabled: { type: 'boolean', description: 'Whether they start at boot. Default: left alone' },
      masked: { type: 'boolean', description: 'Whether they cannot be started at all. Default: left alone' },
      daemon_reload: {
        enum: ['auto', 'always', false],
        default: 'auto',
        description: 'Make systemd read unit files again: where it has to, each time, or never',
      },
      reset_failed: {
        type: 'boolean',
        default: false,
        description:
          'Forget earlier failures, and with them how often it was started lately. Done anyway for a failed unit that is started',
      },
      stable_for: {
        type: 'number',
        minimum: 0,
        description: 'Seconds for which the units must have been active without a restart before the task is done',
      },
      settled_when: {
        type: 'string',
        minLength: 1,
        description:
          'Shell text that changes nothing and must succeed before the task is done, whether or not anything changed',
        examples: ['curl -fsS http://127.0.0.1:10248/healthz'],
      },
      timeout: {
        type: 'number',
        minimum: 1,
        default: 15,
        description:
          'Seconds to wait for the units to become active once systemctl has returned, and for settled_when to succeed',
      },
    },
  },
  returns: {
    units: {
      type: 'object',
      description: 'The units by their full names, `kubelet.service`, as systemd describes them',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          load_state: { type: 'string', description: '`loaded`, `not-found`, `masked`' },
          active_state: { type: 'string', description: '`active`, `inactive`, `failed`' },
          sub_state: { type: 'string', description: '`running`, `exited`, `dead`' },
          unit_file_state: {
            type: 'string',
            description: '`enabled`, `disabled`, `static`; empty without a unit file',
          },
          main_pid: { type: 'integer', description: '0 when nothing runs' },
          restarts: { type: 'integer', description: 'How often systemd has restarted it by itself' },
          active_since: { description: 'Since when it is active, ISO 8601; null when it is not' },
          fragment_path: { type: 'string', description: 'Its unit file; empty without one' },
        },
      },
    },
  },
  examples: `
- name: Docker cannot come back
  systemd:
    units: [docker.socket, docker.service]
    state: stopped
    enabled: false
    masked: true
- name: containerd runs, and keeps running
  systemd:
    name: containerd
    state: started
    enabled: true
    stable_for: 5
- name: Restart the kubelet
  systemd:
    name: kubelet
    state: restarted
    reset_failed: true
    stable_for: 20
`,
  check: (args) => [
    ...((args.name === undefined) === (args.units === undefined) ? ['give either "name" or "units"'] : []),
    ...(args.masked && args.enabled ? ['a masked unit cannot be enabled'] : []),
    ...(args.masked && isRunState(args.state) ? [`a masked unit cannot be ${args.state}`] : []),
    ...(args.stable_for !== undefined && !isRunState(args.state)
      ? ['"stable_for" is for state: started, restarted or reloaded']
      : []),
  ],
  // Units of all kinds: services, swaps, mounts, and what configures the network.
  invalidates: ['swap_mb', 'addresses', 'mounts', 'container_runtimes', 'kubelet'],
  probe: (args) => askUnits(namesOf(args)),
  diff: ({ units, searchPath }: UnitsState, args, { predicted }): Diff => {
    const changes: Change[] = [];
    for (const unit of units) {
      const answer = compare(expectedUnit(unit, searchPath, predicted), args, predicted);
      if ('unknown' in answer) return answer;
      changes.push(...answer);
    }
    if (args.daemon_reload === 'always') changes.push({ path: 'daemon-reload', before: null, after: 'done' });
    return changes;
  },
  *apply({ args, current }): Generator<Step, void, StepResult> {
    const plans = current.units.map((unit) => ({ unit, plan: planOf(unit, args) }));
    const chosen = (isChosen: (plan: Plan) => boolean): UnitState[] =>
      plans.filter(({ plan }) => isChosen(plan)).map(({ unit }) => unit);

    const mustRead = args.daemon_reload === 'always' || chosen(({ daemonReload }) => daemonReload).length > 0;
    const work = [
      ...act(
        'unmask',
        chosen(({ unmask }) => unmask),
      ),
      ...(mustRead ? [readAgain] : []),
      ...act(
        'stop',
        chosen(({ stop }) => stop),
      ),
      ...act(
        'disable',
        chosen(({ disable }) => disable),
      ),
      ...act(
        'mask',
        chosen(({ mask }) => mask),
      ),
      ...act(
        'reset-failed',
        chosen(({ resetFailed }) => resetFailed),
      ),
      ...act(
        'enable',
        chosen(({ enable }) => enable),
      ),
    ];
    const runs = [
      { verb: 'reload', units: chosen(({ reload }) => reload) },
      { verb: 'restart', units: chosen(({ restart }) => restart) },
      { verb: 'start', units: chosen(({ start }) => start) },
    ] as const;
    const isLast = (i: number): boolean => i === work.length - 1 && runs.every(({ units }) => units.length === 0);
    for (const [i, step] of work.entries()) yield isLast(i) ? step : { ...step, moreFollows: true };
    for (const { verb, units } of runs) if (units.length > 0) yield* run(verb, units, args);
  },
  unverifiable: (args) => {
    if (args.state === 'restarted' || args.state === 'reloaded') {
      return `a unit can always be ${args.state} again; that it is active afterwards was checked`;
    }
    return args.daemon_reload === 'always' ? 'a daemon-reload leaves no trace' : undefined;
  },
  settle: (args, current) => settling(args, current),
  result: ({ units }) => ({ units: Object.fromEntries(units.map((unit) => [unit.name, describe(unit)])) }),
});

function namesOf(args: Pick<Arguments, 'name' | 'units'>): string[] {
  return (args.units ?? [args.name ?? '']).map(unitName);
}

/** Units that have been active for long enough, and the user's own question; undefined when there is nothing to ask. */
function settling(args: Arguments, current: UnitsState): Wait<unknown> | undefined {
  const { stable_for: seconds, settled_when: text } = args;
  const names = namesOf(args);
  const isUnstable =
    seconds !== undefined && current.units.some((unit) => instability(unit, current.nowUs, seconds) !== undefined);
  if (!isUnstable && text === undefined) return undefined;
  const isStable = isUnstable ? stability(current.units, seconds) : () => true as const;
  const units = askUnits(names, { journal: 'when-failing' });
  const question = text === undefined ? sh`:` : sh`{ ${commandScript(text)}; } | sed 's/^/: /'`;
  const wishes = [
    ...(isUnstable ? [`${names.join(', ')} to be active for ${seconds} s`] : []),
    ...(text === undefined ? [] : [`"${text.trim().split('\n', 1)[0]}" to succeed`]),
  ];
  return {
    what: wishes.join(' and '),
    probe: probe(sh.lines([question, units.script]), (output) => ({
      units: units.parse({ ...output, stdout: output.stdout.replace(/^: .*\n/gm, '') }),
      answer: text === undefined || commandAnswer(output.stdout.replace(/^(?!: ).*\n?/gm, '').replace(/^: /gm, '')),
    })),
    // Only ever sees what the probe above parsed.
    done: (state) => {
      const { units: now, answer } = state as { units: UnitsState; answer: Answer };
      const stable = isStable(now);
      return stable === true ? answer : stable;
    },
    timeoutMs: ((isUnstable ? seconds : 0) + args.timeout) * 1000,
  };
}

function isRunState(state: Arguments['state']): boolean {
  return state !== undefined && state !== 'stopped';
}

function describe(unit: UnitState): Record<string, unknown> {
  return {
    load_state: unit.loadState,
    active_state: unit.activeState,
    sub_state: unit.subState,
    unit_file_state: unit.unitFileState,
    main_pid: unit.mainPid,
    restarts: unit.restarts,
    active_since: unit.activeSince,
    fragment_path: unit.fragmentPath,
  };
}

/** What has to be done to one unit. */
interface Plan {
  readonly unmask: boolean;
  readonly daemonReload: boolean;
  readonly resetFailed: boolean;
  readonly stop: boolean;
  readonly disable: boolean;
  readonly mask: boolean;
  readonly enable: boolean;
  readonly start: boolean;
  readonly restart: boolean;
  readonly reload: boolean;
}

function planOf(unit: UnitState, args: Arguments): Plan {
  const isMasked = unit.unitFileState.startsWith('masked');
  const willRun = isRunState(args.state);
  const isActive = unit.activeState === 'active' || unit.activeState === 'reloading';
  const isStopped = unit.activeState === 'inactive' || unit.activeState === 'failed';
  const unmask = args.masked === false && isMasked;
  const onlyEnds = !willRun && args.enabled !== true && (args.state ?? args.enabled ?? args.masked) !== undefined;
  return {
    unmask,
    // A unit that only stops is not worth a reload of all of systemd.
    daemonReload: args.daemon_reload === 'auto' && unit.needsReload && !onlyEnds,
    resetFailed: willRun
      ? // A unit that hit its start limit is failed, often with the result of its last death: systemd refuses to start it.
        (args.reset_failed || unit.activeState === 'failed') && !(args.state === 'started' && isActive)
      : args.reset_failed && unit.activeState === 'failed',
    stop: args.state === 'stopped' && !isStopped,
    disable: args.enabled === false && (/^enabled/.test(unit.unitFileState) || unmask),
    // A mask in /run is gone after a reboot.
    mask: args.masked === true && unit.unitFileState !== 'masked',
    enable: args.enabled === true && unit.unitFileState !== 'enabled',
    start: (args.state === 'started' || args.state === 'reloaded') && !isActive,
    restart: args.state === 'restarted',
    reload: args.state === 'reloaded' && isActive,
  };
}

function compare(unit: UnitState, args: Arguments, predicted: Predicted): Diff {
  const plan = planOf(unit, args);
  const reason = refuse(unit, args, plan, predicted);
  if (reason !== undefined) return unknown(reason);
  const resource = unitResource(unit);
  const changes: Change[] = [];
  const add = (path: string, before: unknown, after: unknown): number =>
    changes.push({ path, before, after, resource });

  if (plan.daemonReload) add('NeedDaemonReload', 'yes', 'no');
  if (plan.stop) add('ActiveState', activity(unit), 'inactive');
  if (plan.mask) add('UnitFileState', unit.unitFileState || null, 'masked');
  else if (plan.enable) add('UnitFileState', unit.unitFileState || null, 'enabled');
  else if (plan.disable) add('UnitFileState', unit.unitFileState, 'disabled');
  else if (plan.unmask) add('UnitFileState', unit.unitFileState, 'unmasked');
  if (plan.start) add('ActiveState', activity(unit), 'active');
  else if (plan.reload) add('reload', activity(unit), 'reloaded');
  else if (plan.restart && isOneshot(unit)) add('restart', activity(unit), 'run once');
  else if (plan.restart && unit.activeState === 'active') add('restart', started(unit), 'restarted');
  else if (plan.restart) add('ActiveState', activity(unit), 'active');
  else if (plan.resetFailed && unit.activeState === 'failed') add('ActiveState', 'failed', 'inactive');
  return changes;
}

/** A unit that is inactive again once it has done its work. */
function isOneshot(unit: UnitState): boolean {
  return unit.type === 'oneshot' && !unit.remainsAfterExit;
}

function started(unit: UnitState): string {
  const since = unit.activeSince === null ? '' : ` since ${unit.activeSince}`;
  return unit.mainPid > 0 ? `running${since}, MainPID ${unit.mainPid}` : `active${since}`;
}

/** Raises what systemd would refuse, before anything is changed. Gives a reason when check mode cannot know. */
function refuse(unit: UnitState, args: Arguments, plan: Plan, predicted: Predicted): string | undefined {
  const { name } = unit;
  const willRun = isRunState(args.state);
  const isMissing = unit.loadState === 'not-found' && !unit.needsReload;
  if (isMissing && (willRun || args.enabled === true)) {
    const reason = whoMayProvide(predicted, `unit ${name}`);
    if (reason !== undefined) return reason;
    throw failure(`${name} does not exist on this host, so it cannot be ${willRun ? args.state : 'enabled'}`);
  }
  if (willRun && (unit.loadState === 'error' || unit.loadState === 'bad-setting') && !plan.daemonReload) {
    throw failure(`${name} cannot be ${args.state}: ${unit.loadError || `LoadState is ${unit.loadState}`}`);
  }
  if (unit.loadState === 'masked' && !plan.unmask && (willRun || args.enabled === true)) {
    throw failure(`${name} is masked, so it cannot be ${willRun ? args.state : 'enabled'}; add masked: false`);
  }
  if (plan.mask && unit.isFirstFilePlain && unit.firstFile === `/etc/systemd/system/${unit.id}`) {
    if (predicted.of(`file:${unit.firstFile}`).exists !== false) {
      throw failure(
        `${name} cannot be masked: its unit file ${unit.firstFile} stands where the mask goes; remove it first`,
      );
    }
  }
  if (args.state === 'reloaded' && plan.reload && !unit.canReload && !plan.daemonReload) {
    throw failure(`${name} cannot be reloaded: it has no ExecReload=; use state: restarted`);
  }
  if (plan.start && isOneshot(unit)) {
    throw failure(
      `${name} is never running: it is Type=oneshot without RemainAfterExit=yes; state: restarted runs it once`,
    );
  }
  return plan.enable ? refuseEnabling(unit) : undefined;
}

function refuseEnabling(unit: UnitState): string | undefined {
  switch (unit.unitFileState) {
    case 'unmasked':
      return `an earlier task would unmask ${unit.name}; whether it is enabled shows then`;
    case 'static':
      throw failure(
        `${unit.name} cannot be enabled: it is static, its file has no [Install] section; other units start it`,
      );
    case 'indirect':
      throw failure(
        `${unit.name} cannot be enabled itself: it is indirect, its [Install] section only names other units (Also=) or is for instances; enable those`,
      );
    case 'alias':
      throw failure(`${unit.name} is another name of ${unit.id}; enable that one`);
    case 'generated':
    case 'transient':
      throw failure(`${unit.name} cannot be enabled: it is ${unit.unitFileState}, so it has no unit file of its own`);
    default:
      return undefined;
  }
}

const purposes = {
  unmask: 'unmasking',
  stop: 'stopping',
  disable: 'disabling',
  mask: 'masking',
  'reset-failed': 'forgetting failures of',
  enable: 'enabling',
  start: 'starting',
  restart: 'restarting',
  reload: 'reloading',
} as const;

const readAgain = exec(sh`systemctl daemon-reload`, { purpose: 'making systemd read its unit files again' });

function act(
  verb: 'unmask' | 'stop' | 'disable' | 'mask' | 'reset-failed' | 'enable',
  units: readonly UnitState[],
): readonly ReturnType<typeof exec>[] {
  if (units.length === 0) return [];
  const ids = units.map((unit) => unit.id);
  return [exec(actScript(verb, ids, units), { purpose: `${purposes[verb]} ${ids.join(', ')}` })];
}

function actScript(verb: string, ids: readonly string[], units: readonly UnitState[]): Script {
  // A unit that is not loaded has no failure to forget, and systemctl says so with rc 1.
  if (verb === 'reset-failed') return sh`systemctl reset-failed ${ids} 2>/dev/null || :`;
  const isRuntimeMask = units.some((unit) => unit.unitFileState === 'masked-runtime');
  if (verb === 'unmask' && isRuntimeMask) return sh`systemctl unmask ${ids} && systemctl unmask --runtime ${ids}`;
  return sh`systemctl --no-ask-password ${verb} ${ids}`;
}

/** Starts units in one transaction and waits until they are active; a failure shows why they are not. */
function* run(
  verb: 'start' | 'restart' | 'reload',
  units: readonly UnitState[],
  args: Arguments,
): Generator<Step, void, StepResult> {
  const names = units.map((unit) => unit.name);
  const purpose = `${purposes[verb]} ${names.join(', ')}`;
  const answer = yield exec(sh`systemctl --no-ask-password ${verb} ${names}`, {
    purpose,
    okCodes: 'any',
    moreFollows: true,
  });
  if (answer.rc !== 0) throw yield* explain(names, verb, answer);
  // Services that do not say when they are ready are "active" for the moment in which they die: a kubelet, dockerd or containerd
  // that does not like its flags or its configuration for 35 to 280 ms (measured; the more the busier the machine).
  const saysWhenReady = units.every((unit) => ['notify', 'notify-reload', 'dbus', 'oneshot', ''].includes(unit.type));
  try {
    yield waitFor({
      what: `${names.join(', ')} to be active`,
      probe: askUnits(names, { journal: 'when-failing' }),
      done: (state) => isUp(state.units, verb === 'restart' ? units : []),
      timeoutMs: args.timeout * 1000,
      intervalMs: 500,
      consecutive: saysWhenReady ? 1 : 2,
    });
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'timeout') throw error;
    throw yield* explain(names, verb, answer, ` within ${args.timeout} s`);
  }
}

/** True when all units are active, and none of them still from before. Raises for a unit that has failed. */
function isUp(units: readonly UnitState[], before: readonly UnitState[]): true | string {
  for (const unit of units) {
    if (unit.activeState === 'failed')
      throw failure(`${unit.name} failed after its start: ${trouble(unit)}`, unit.journal);
    if (isOneshot(unit) && unit.activeState === 'inactive' && unit.result === 'success') continue;
    if (unit.activeState !== 'active') return `${unit.name} is ${trouble(unit)}`;
    const old = before.find((other) => other.name === unit.name);
    if (old && old.activeEnterUs > 0 && old.activeEnterUs === unit.activeEnterUs) {
      return `${unit.name} is still the one from before`;
    }
  }
  return true;
}

/** Judges one answer after another; a unit with more restarts than `before` flaps, and fails at once. */
function stability(before: readonly UnitState[], seconds: number): (state: UnitsState) => true | string {
  const restarts = new Map(before.map((unit) => [unit.name, unit.restarts]));
  return ({ units, nowUs }) => {
    for (const unit of units) {
      if (unit.activeState === 'failed')
        throw failure(`${unit.name} did not stay active: ${trouble(unit)}`, unit.journal);
      if (unit.restarts > (restarts.get(unit.name) ?? 0)) {
        const message = `${unit.name} did not stay active for ${seconds} s: it ended and was started again (${trouble(unit)})`;
        throw failure(message, unit.journal);
      }
      const reason = instability(unit, nowUs, seconds);
      if (reason !== undefined) return reason;
    }
    return true;
  };
}

/** Why a unit has not been active for so long, if so. A restart makes it active anew: the time is that of one process. */
function instability(unit: UnitState, nowUs: number, seconds: number): string | undefined {
  if (unit.activeState !== 'active') return `${unit.name} is ${trouble(unit)}`;
  const age = (nowUs - unit.activeEnterUs) / 1e6;
  if (age < seconds) return `${unit.name} is active for ${Math.max(0, Math.floor(age))} s of ${seconds} s`;
  return undefined;
}

/** `activating (auto-restart), result exit-code, restarted 3 times`. */
function trouble(unit: UnitState): string {
  const result = unit.result === '' || unit.result === 'success' ? '' : `, result ${unit.result}`;
  const restarts = unit.restarts > 0 ? `, restarted ${unit.restarts} ${unit.restarts === 1 ? 'time' : 'times'}` : '';
  return `${activity(unit)}${result}${restarts}`;
}

/** What went wrong, as a failure with the journal of the units that are not active. */
function* explain(
  names: readonly string[],
  verb: 'start' | 'restart' | 'reload',
  answer: StepResult,
  deadline = '',
): Generator<Step, RunbookError, StepResult> {
  const probe = askUnits(names, { journal: 'always' });
  const asked = yield exec(probe.script, { purpose: `asking why ${names.join(', ')} did not ${verb}`, okCodes: 'any' });
  const { units } = parseUnits(names, asked);
  const down = units.filter((unit) => unit.activeState !== 'active');
  const blamed = down.length > 0 ? down : units;
  const states = blamed.map((unit) => `${unit.name} is ${trouble(unit)}`).join('; ');
  const said = answer.rc === 0 ? '' : `systemctl ${verb}: exit status ${answer.rc}: ${answer.stderr.trim()}`;
  const journals = blamed
    .filter((unit) => unit.journal !== '')
    .map((unit) => `journal of ${unit.name}:\n${unit.journal}`);
  const verbs = { start: 'started', restart: 'restarted', reload: 'reloaded' };
  return failure(
    `${names.join(', ')} could not be ${verbs[verb]}${deadline}: ${states}`,
    [said, ...journals].join('\n'),
  );
}

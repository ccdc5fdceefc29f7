import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { AnyResource, Diff } from '../../engine/module/contract.ts';
import systemd from '../../modules/systemd.ts';
import { checkedArguments, diffOf, output, predicted, stepsOf } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

/** One block of `systemctl show`, of a running service unless said otherwise. */
function unit(fields: Record<string, string | number> = {}): string {
  const all = {
    Type: 'notify',
    RemainAfterExit: 'no',
    MainPID: 91,
    Result: 'success',
    NRestarts: 0,
    Id: 'docker.service',
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    FragmentPath: '/lib/systemd/system/docker.service',
    DropInPaths: '',
    UnitFileState: 'enabled',
    InactiveExitTimestampMonotonic: 2814164701,
    ActiveEnterTimestamp: 'Sat 2026-11-21 05:41:48 UTC',
    ActiveEnterTimestampMonotonic: 2814603906,
    CanReload: 'yes',
    NeedDaemonReload: 'no',
    LoadError: '',
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}

const stopped = { ActiveState: 'inactive', SubState: 'dead', MainPID: 0, ActiveEnterTimestamp: '' };
const autoRestart = { ActiveState: 'activating', SubState: 'auto-restart', Result: 'exit-code', NRestarts: 4 };
const failed = { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', MainPID: 0 };
const missing = {
  ...stopped,
  Id: 'nope.service',
  LoadState: 'not-found',
  UnitFileState: '',
  FragmentPath: '',
  LoadError: 'org.freedesktop.systemd1.NoSuchUnit "Unit nope.service not found."',
};
const masked = {
  ...stopped,
  LoadState: 'masked',
  UnitFileState: 'masked',
  FragmentPath: '/etc/systemd/system/docker.service',
};

interface HostLines {
  first?: readonly string[];
  dropins?: readonly string[];
  uptime?: number;
  journal?: string;
}

function answer(blocks: readonly string[], host: HostLines = {}): ReturnType<typeof output> {
  const first = host.first ?? blocks.map(() => 'plain read ');
  const lines = [
    '==host',
    `uptime=${host.uptime ?? 3000}`,
    'path=/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /lib/systemd/system',
    ...first.map((line) => `first=${line}`),
    ...(host.dropins ?? []).map((line) => `dropin=${line}`),
  ];
  return output(`${blocks.join('\n')}\n${lines.join('\n')}\n${host.journal ?? ''}`);
}

function changesOf(diff: Diff): Record<string, unknown> {
  if ('unknown' in diff) return { unknown: diff.unknown };
  return Object.fromEntries(diff.map((c) => [`${c.resource ?? ''} ${c.path}`.trim(), [c.before, c.after]]));
}

async function commandsOf(args: Record<string, unknown>, recorded: ReturnType<typeof output>): Promise<string[]> {
  const steps = await stepsOf(systemd, args, recorded);
  return steps.map((step) => (step.kind === 'exec' ? step.script.text.replace(' --no-ask-password', '') : step.kind));
}

describe('systemd', () => {
  describe('compares what systemd answered', () => {
    const cases: {
      name: string;
      args: Record<string, unknown>;
      blocks: readonly Record<string, string | number>[];
      host?: HostLines;
      changes: Record<string, unknown>;
    }[] = [
      {
        name: 'a running service',
        args: { name: 'docker', state: 'started', enabled: true },
        blocks: [{}],
        changes: {},
      },
      {
        name: 'a stopped service',
        args: { name: 'docker', state: 'started' },
        blocks: [stopped],
        changes: { 'unit:docker.service ActiveState': ['inactive (dead)', 'active'] },
      },
      {
        name: 'a service that waits for its next try is not running',
        args: { name: 'docker', state: 'started' },
        blocks: [autoRestart],
        changes: { 'unit:docker.service ActiveState': ['activating (auto-restart)', 'active'] },
      },
      {
        name: 'and has to be stopped',
        args: { name: 'docker', state: 'stopped' },
        blocks: [autoRestart],
        changes: { 'unit:docker.service ActiveState': ['activating (auto-restart)', 'inactive'] },
      },
      {
        name: 'socket and service, stopped, disabled and masked',
        args: { units: ['docker.socket', 'docker.service'], state: 'stopped', enabled: false, masked: true },
        blocks: [{ Id: 'docker.socket', SubState: 'running' }, {}],
        changes: {
          'unit:docker.socket ActiveState': ['active (running)', 'inactive'],
          'unit:docker.socket UnitFileState': ['enabled', 'masked'],
          'unit:docker.service ActiveState': ['active (running)', 'inactive'],
          'unit:docker.service UnitFileState': ['enabled', 'masked'],
        },
      },
      {
        name: 'a masked one stays',
        args: { name: 'docker', state: 'stopped', enabled: false, masked: true },
        blocks: [masked],
        changes: {},
      },
      {
        name: 'a mask that is gone after a reboot is not enough',
        args: { name: 'docker', masked: true },
        blocks: [{ ...masked, UnitFileState: 'masked-runtime' }],
        changes: { 'unit:docker.service UnitFileState': ['masked-runtime', 'masked'] },
      },
      {
        name: 'a masked one is unmasked and started',
        args: { name: 'docker', state: 'started', masked: false },
        blocks: [masked],
        changes: {
          'unit:docker.service UnitFileState': ['masked', 'unmasked'],
          'unit:docker.service ActiveState': ['inactive (dead)', 'active'],
        },
      },
      {
        name: 'a restart is a change each time',
        args: { name: 'docker', state: 'restarted' },
        blocks: [{}],
        changes: { 'unit:docker.service restart': ['running since 2026-11-21T05:41:48Z, MainPID 91', 'restarted'] },
      },
      {
        name: 'a unit that does not exist is stopped and disabled',
        args: { name: 'nope', state: 'stopped', enabled: false },
        blocks: [missing],
        changes: {},
      },
      {
        name: 'a unit that does not exist can be masked',
        args: { name: 'nope', masked: true },
        blocks: [missing],
        changes: { 'unit:nope.service UnitFileState': [null, 'masked'] },
      },
      {
        name: 'changed unit files are read again',
        args: { name: 'docker', state: 'started' },
        blocks: [{ NeedDaemonReload: 'yes' }],
        changes: { 'unit:docker.service NeedDaemonReload': ['yes', 'no'] },
      },
      {
        name: 'but not for a unit that only stops',
        args: { name: 'docker', state: 'stopped' },
        blocks: [{ ...stopped, NeedDaemonReload: 'yes' }],
        changes: {},
      },
      {
        name: 'a new file before the one in use is noticed',
        args: { name: 'docker', state: 'started' },
        blocks: [{}],
        host: { first: ['plain unread /etc/systemd/system/docker.service'] },
        changes: { 'unit:docker.service NeedDaemonReload': ['yes', 'no'] },
      },
      {
        name: 'a drop-in that systemd has not read is noticed',
        args: { name: 'docker', state: 'started' },
        blocks: [{ DropInPaths: '/etc/systemd/system/docker.service.d/10-a.conf' }],
        host: { dropins: ['docker.service 10-a.conf', 'docker.service 20-b.conf'] },
        changes: { 'unit:docker.service NeedDaemonReload': ['yes', 'no'] },
      },
      {
        name: 'drop-ins that it has read are none',
        args: { name: 'docker', state: 'started' },
        blocks: [{ DropInPaths: '/etc/systemd/system/docker.service.d/10-a.conf' }],
        host: { dropins: ['docker.service 10-a.conf'] },
        changes: {},
      },
      {
        name: 'failures are forgotten on request',
        args: { name: 'docker', reset_failed: true },
        blocks: [failed],
        changes: { 'unit:docker.service ActiveState': ['failed', 'inactive'] },
      },
      {
        name: 'a oneshot unit is run by restarted',
        args: { name: 'docker', state: 'restarted' },
        blocks: [{ ...stopped, Type: 'oneshot' }],
        changes: { 'unit:docker.service restart': ['inactive (dead)', 'run once'] },
      },
    ];
    for (const { name, args, blocks, host, changes } of cases) {
      it(name, async () => {
        const recorded = answer(blocks.map(unit), host);
        expect(changesOf(await diffOf(systemd, args, recorded))).to.deep.equal(changes);
      });
    }
  });

  describe('refuses before anything is changed', () => {
    const cases: {
      name: string;
      args: Record<string, unknown>;
      block: Record<string, string | number>;
      says: RegExp;
      first?: string;
    }[] = [
      {
        name: 'a unit that nobody provides',
        args: { name: 'nope', state: 'started' },
        block: missing,
        says: /^nope\.service does not exist on this host, so it cannot be started$/,
      },
      {
        name: 'enabling it',
        args: { name: 'nope', enabled: true },
        block: missing,
        says: /does not exist on this host, so it cannot be enabled/,
      },
      {
        name: 'starting a masked unit',
        args: { name: 'docker', state: 'started' },
        block: masked,
        says: /docker\.service is masked, so it cannot be started; add masked: false/,
      },
      {
        name: 'enabling a static unit',
        args: { name: 'docker', enabled: true },
        block: { UnitFileState: 'static' },
        says: /it is static, its file has no \[Install\] section/,
      },
      {
        name: 'enabling an indirect unit',
        args: { name: 'docker', enabled: true },
        block: { UnitFileState: 'indirect' },
        says: /it is indirect/,
      },
      {
        name: 'a broken unit file',
        args: { name: 'docker', state: 'started' },
        block: {
          ...stopped,
          LoadState: 'bad-setting',
          LoadError: 'x "Unit docker.service has a bad unit file setting."',
        },
        says: /has a bad unit file setting/,
      },
      {
        name: 'masking a unit whose file is where the mask goes',
        args: { name: 'docker', masked: true },
        block: {},
        first: 'plain read /etc/systemd/system/docker.service',
        says: /cannot be masked: its unit file \/etc\/systemd\/system\/docker\.service stands where the mask goes/,
      },
      {
        name: 'reloading what cannot reload',
        args: { name: 'docker', state: 'reloaded' },
        block: { CanReload: 'no' },
        says: /has no ExecReload=; use state: restarted/,
      },
      {
        name: 'keeping a oneshot unit running',
        args: { name: 'docker', state: 'started' },
        block: { ...stopped, Type: 'oneshot' },
        says: /never running: it is Type=oneshot without RemainAfterExit=yes/,
      },
    ];
    for (const { name, args, block, says, first } of cases) {
      it(name, async () => {
        const recorded = answer([unit(block)], first === undefined ? {} : { first: [first] });
        expect(await failureOf(diffOf(systemd, args, recorded))).to.match(says);
      });
    }

    it('a host without systemd', async () => {
      const message = await failureOf(diffOf(systemd, { name: 'x' }, output('', 127, 'sh: systemctl: not found')));
      expect(message).to.equal('this host has no systemctl, so it is not managed by systemd');
      const offline = output('', 1, "System has not been booted with systemd as init system (PID 1). Can't operate.\n");
      expect(await failureOf(diffOf(systemd, { name: 'x' }, offline))).to.match(
        /does not tell the state of x\.service\nSystem has not/,
      );
    });

    it('arguments that contradict each other', () => {
      expect(mistakesOf(systemd, { state: 'started' })).to.deep.equal(['give either "name" or "units"']);
      expect(mistakesOf(systemd, { name: 'a', masked: true, state: 'restarted' })).to.deep.equal([
        'a masked unit cannot be restarted',
      ]);
      expect(mistakesOf(systemd, { name: 'a', masked: true, enabled: true })).to.deep.equal([
        'a masked unit cannot be enabled',
      ]);
      expect(mistakesOf(systemd, { name: 'a', stable_for: 3 })).to.have.length(1);
      expect(mistakesOf(systemd, { name: 'a b' })).to.have.length(1);
    });
  });

  describe('in check mode knows what earlier tasks would do', () => {
    const cases: {
      name: string;
      args: Record<string, unknown>;
      block: Record<string, string | number>;
      resources: Record<string, Record<string, unknown>>;
      changes: Record<string, unknown>;
    }[] = [
      {
        name: 'a unit that a pending file provides will start',
        args: { name: 'nope', state: 'started', enabled: true },
        block: missing,
        resources: { 'file:/etc/systemd/system/nope.service': { exists: true, content: '[Service]\n[Install]\n' } },
        changes: {
          'unit:nope.service UnitFileState': ['disabled', 'enabled'],
          'unit:nope.service ActiveState': ['inactive (dead)', 'active'],
        },
      },
      {
        name: 'a unit that was stopped has to be started',
        args: { name: 'docker', state: 'started' },
        block: {},
        resources: { 'unit:docker.service': { ActiveState: 'inactive' } },
        changes: { 'unit:docker.service ActiveState': ['inactive', 'active'] },
      },
      {
        name: 'a unit that was masked stays masked',
        args: { name: 'docker', masked: true },
        block: {},
        resources: { 'unit:docker.service': { ActiveState: 'inactive', UnitFileState: 'masked' } },
        changes: {},
      },
      {
        name: 'a unit file that was written is read again',
        args: { name: 'docker', state: 'started' },
        block: {},
        resources: { 'file:/etc/systemd/system/docker.service': { exists: true, content: 'x' } },
        changes: { 'unit:docker.service NeedDaemonReload': ['yes', 'no'] },
      },
      {
        name: 'a file whose mode alone changes is not',
        args: { name: 'docker', state: 'started' },
        block: {},
        resources: { 'file:/lib/systemd/system/docker.service': { mode: '0644' } },
        changes: {},
      },
      {
        name: 'a new drop-in is read',
        args: { name: 'docker', state: 'started' },
        block: {},
        resources: { 'file:/etc/systemd/system/docker.service.d/10-proxy.conf': { exists: true, content: 'x' } },
        changes: { 'unit:docker.service NeedDaemonReload': ['yes', 'no'] },
      },
      {
        name: 'it is read once',
        args: { name: 'docker', state: 'started' },
        block: {},
        resources: {
          'file:/etc/systemd/system/docker.service.d/10-proxy.conf': { exists: true, content: 'x' },
          'unit:docker.service': { NeedDaemonReload: 'no' },
        },
        changes: {},
      },
      {
        name: 'a command that was not run may provide a unit',
        args: { name: 'nope', state: 'started' },
        block: missing,
        resources: { command: { command: 'apt-get install nope' } },
        changes: {
          unknown: 'unit nope.service is not there; "apt-get install nope", which was not run, may provide it',
        },
      },
      {
        name: 'of a script that was not run the first line is quoted',
        args: { name: 'nope', state: 'started' },
        block: missing,
        resources: { command: { command: 'set -e\napt-get install nope\n' } },
        changes: { unknown: 'unit nope.service is not there; "set -e…", which was not run, may provide it' },
      },
    ];
    for (const { name, args, block, resources, changes } of cases) {
      it(name, async () => {
        const diff = await diffOf(systemd, args, answer([unit(block)]), { predicted: predicted(resources) });
        expect(changesOf(diff)).to.deep.equal(changes);
      });
    }

    it('a unit that nobody provides is an error there too', async () => {
      const context = { predicted: predicted({ 'file:/etc/other': { exists: true } }) };
      const message = await failureOf(
        diffOf(systemd, { name: 'nope', state: 'started' }, answer([unit(missing)]), context),
      );
      expect(message).to.match(/does not exist/);
    });
  });

  describe('does', () => {
    it('stop, disable and mask, of all units together and in their order', async () => {
      const recorded = answer([unit({ Id: 'docker.socket' }), unit()]);
      const args = { units: ['docker.socket', 'docker'], state: 'stopped', masked: true, enabled: false };
      expect(await commandsOf(args, recorded)).to.deep.equal([
        'systemctl stop docker.socket docker.service',
        'systemctl disable docker.socket docker.service',
        'systemctl mask docker.socket docker.service',
      ]);
    });

    it('unmask, reload, reset, enable, start and wait', async () => {
      const recorded = answer([unit({ ...masked, ActiveState: 'failed', NeedDaemonReload: 'yes' })]);
      const args = { name: 'docker', state: 'started', masked: false, enabled: true };
      expect(await commandsOf(args, recorded)).to.deep.equal([
        'systemctl unmask docker.service',
        'systemctl daemon-reload',
        'systemctl reset-failed docker.service 2>/dev/null || :',
        'systemctl enable docker.service',
        'systemctl start docker.service',
        'wait',
      ]);
    });

    it('a start for units that reloaded finds stopped', async () => {
      const recorded = answer([unit({ Id: 'a.service' }), unit({ ...stopped, Id: 'b.service' })]);
      expect(await commandsOf({ units: ['a', 'b'], state: 'reloaded' }, recorded)).to.deep.equal([
        'systemctl reload a.service',
        'wait',
        'systemctl start b.service',
        'wait',
      ]);
    });

    it('nothing with an alias: the unit itself is enabled', async () => {
      const recorded = answer([unit({ Id: 'ssh.service', UnitFileState: 'disabled' })]);
      expect(await commandsOf({ name: 'sshd', enabled: true }, recorded)).to.deep.equal([
        'systemctl enable ssh.service',
      ]);
    });
  });

  describe('waits after a start', () => {
    async function wait(
      args: Record<string, unknown>,
      before: string,
    ): Promise<(block: string, journal?: string) => unknown> {
      const steps = await stepsOf(systemd, args, answer([before]));
      const step = steps.find((s) => s.kind === 'wait');
      if (step?.kind !== 'wait') throw new Error('no wait');
      return (block, journal) => step.wait.done(step.wait.probe.parse(answer([block], { journal: journal ?? '' })));
    }

    it('until the unit is active', async () => {
      const ask = await wait({ name: 'docker', state: 'started' }, unit(stopped));
      expect(ask(unit({ ActiveState: 'activating', SubState: 'start' }))).to.equal(
        'docker.service is activating (start)',
      );
      expect(ask(unit(autoRestart))).to.equal(
        'docker.service is activating (auto-restart), result exit-code, restarted 4 times',
      );
      expect(ask(unit())).to.equal(true);
    });

    it('fails with the journal when it has failed', async () => {
      const ask = await wait({ name: 'docker', state: 'started' }, unit(stopped));
      expect(() => ask(unit(failed), '==journal docker.service\nfailed to load listeners\n')).to.throw(
        'docker.service failed after its start: failed (failed), result exit-code\nfailed to load listeners',
      );
    });

    it('for another start than the one before a restart', async () => {
      const ask = await wait({ name: 'docker', state: 'restarted' }, unit());
      expect(ask(unit())).to.equal('docker.service is still the one from before');
      expect(ask(unit({ ActiveEnterTimestampMonotonic: 2914603906 }))).to.equal(true);
    });

    it('twice for a service that does not say when it is ready', async () => {
      const steps = await stepsOf(
        systemd,
        { name: 'docker', state: 'started' },
        answer([unit({ ...stopped, Type: 'simple' })]),
      );
      expect(steps.at(-1)).to.have.nested.property('wait.consecutive', 2);
    });

    it('and a systemctl that fails is explained', async () => {
      const explained = answer([unit({ ...failed, Type: 'notify' })], {
        journal: '==journal docker.service\nno space left\n',
      });
      const refused = output('', 1, 'Job for docker.service failed.\n');
      const message = await failureOf(
        stepsOf(systemd, { name: 'docker', state: 'started' }, answer([unit(stopped)]), {
          answers: [refused, explained],
        }),
      );
      expect(message).to.equal(
        'docker.service could not be started: docker.service is failed (failed), result exit-code\n' +
          'systemctl start: exit status 1: Job for docker.service failed.\njournal of docker.service:\nno space left',
      );
    });
  });

  describe('stable_for', () => {
    /** What is waited for once the last probe has found this; undefined when it is so already. */
    function settle(block: string, uptime: number): ((block: string, uptime: number) => unknown) | undefined {
      const resource = systemd as AnyResource;
      const args = checkedArguments(systemd, { name: 'docker', state: 'started', stable_for: 20 });
      const current = resource.probe(args, undefined).parse(answer([block], { uptime }));
      const wait = resource.settle?.(args, current);
      return wait && ((block, uptime) => wait.done(wait.probe.parse(answer([block], { uptime }))));
    }

    it('asks no more where the unit has been active for so long', () => {
      expect(settle(unit(), 2900)).to.equal(undefined);
    });

    it('waits for a younger one', () => {
      const ask = settle(unit(), 2816);
      expect(ask?.(unit(), 2820)).to.equal('docker.service is active for 5 s of 20 s');
      expect(ask?.(unit(), 2835)).to.equal(true);
    });

    it('does not count waiting for the next try', () => {
      const ask = settle(unit(autoRestart), 9000);
      expect(ask?.(unit(autoRestart), 9001)).to.match(/^docker\.service is activating \(auto-restart\)/);
    });

    it('fails as soon as the unit was started again', () => {
      const ask = settle(unit({ NRestarts: 4 }), 2820);
      expect(ask?.(unit({ NRestarts: 4 }), 2821)).to.be.a('string');
      expect(() => ask?.(unit({ NRestarts: 5 }), 2825)).to.throw(
        'did not stay active for 20 s: it ended and was started again',
      );
    });
  });

  it('reads what a real node answers', async () => {
    const recorded = output(
      await readFile(new URL('../fixtures/modules/systemd/docker-node.txt', import.meta.url), 'utf8'),
    );
    const args = checkedArguments(systemd, { units: ['docker.socket', 'docker', 'kubelet', 'nope'] });
    const resource = systemd as AnyResource;
    const values = resource.result?.(resource.probe(args, undefined).parse(recorded), args, undefined);
    expect(values).to.have.nested.property('units.docker\\.service.main_pid', 90);
    expect(values).to.have.nested.property('units.docker\\.service.active_since', '2026-11-22T01:50:59Z');
    expect(values).to.have.nested.property('units.docker\\.socket.active_state', 'active');
    expect(values).to.have.nested.property('units.kubelet\\.service.unit_file_state', 'enabled');
    expect(values).to.have.nested.property('units.nope\\.service.load_state', 'not-found');
  });
});

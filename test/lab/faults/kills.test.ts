import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { projectRoot, runCli } from '../../support/cli.ts';
import { lab } from '../rig.ts';
import { added, cordonsOf, expectMigrated, ofOneMigration, type UnitCounts, unitCounts } from './migration.ts';

/** The controller is killed at every effect of a migration, and resumed, and killed at the next one. */
describe('playbooks/containerd.yaml by controllers that are killed', function () {
  this.timeout(1_200_000);
  let folder = '';
  let node = '';
  let clean: UnitCounts = {};

  before(async () => {
    await lab.ensureUp();
    await lab.reset();
    [node = ''] = lab.nodes;
    folder = await mkdtemp(join(tmpdir(), 'runbook-lab-'));
    clean = await unitCounts(node);
    await lab.api.clearWrites();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs until something happens at which no controller was killed so far; kills it there. */
  async function runUntilNew(
    args: readonly string[],
    seen: Set<string>,
  ): Promise<{ exitCode: number | null; said: string }> {
    let kill: (signal: NodeJS.Signals) => void = () => undefined;
    const run = await runCli([...args, '--output', 'ndjson'], {
      cwd: folder,
      onStart: (how) => {
        kill = how;
      },
      onLine(line) {
        const event = line.startsWith('{') ? (JSON.parse(line) as StampedEvent) : undefined;
        const key = event && keyOf(event);
        if (key === undefined || seen.has(key)) return;
        seen.add(key);
        kill('SIGKILL');
      },
    });
    return { exitCode: run.exitCode, said: `${run.stderr}\n${run.stdout.slice(-2000)}` };
  }

  it('each resumed run goes on where the last one died, and the end is that of an undisturbed run', async () => {
    const seen = new Set<string>();
    const playbook = join(projectRoot, 'playbooks/containerd.yaml');
    let end = await runUntilNew(['play', playbook, '-i', lab.inventoryPath, '--limit', node], seen);
    let kills = 0;
    while (end.exitCode === null) {
      kills++;
      expect(kills, `kills without an end; the last ones: ${[...seen].slice(-3).join(', ')}`).to.be.below(400);
      end = await runUntilNew(['resume', 'last'], seen);
    }
    expect(end.exitCode, end.said).to.equal(0);
    expect(kills).to.be.at.least(100);
    await expectMigrated(node);
    expect(await cordonsOf(node)).to.deep.equal({ cordons: 1, uncordons: 1 });
    expect(added(await unitCounts(node), clean)).to.deep.equal(ofOneMigration);
    const { stdout } = await runCli(['leases', '--output', 'json'], { cwd: folder });
    expect(JSON.parse(stdout), 'leases left').to.deep.equal([]);
    console.log(`        ${kills} controllers killed, ${kills} resumed`);
  });

  it('nothing is left to do', async () => {
    const playbook = join(projectRoot, 'playbooks/containerd.yaml');
    const check = await runCli(['play', playbook, '-i', lab.inventoryPath, '--limit', node, '--check'], {
      cwd: folder,
    });
    expect(check.exitCode, check.stdout + check.stderr).to.equal(0);
  });
});

/** A moment at which a controller can die; the same moment of a later run has the same name. */
function keyOf(event: StampedEvent): string | undefined {
  switch (event.type) {
    case 'step-started':
    case 'step-ended':
      return `${event.type} ${event.task.id} ${event.item ?? ''} ${event.step}`;
    case 'host-task-ended':
      return `${event.type} ${event.task.id}`;
    case 'lease-taken':
    case 'lease-released':
      return `${event.type} ${event.task.id}`;
    default:
      return undefined;
  }
}

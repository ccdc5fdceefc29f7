import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CliRun, runCli } from '../support/cli.ts';
import { createKubeCluster, hasKubectl } from '../support/kube-cluster.ts';
import { lockLease } from '../support/lock-lease.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, writeFiles } from '../support/play.ts';

/** A playbook that works on hosts under the lock file DIR/lock-HOST. */
function playbook(args: string, tasks: string): string {
  return `- hosts: web
  vars: { place: DIR }
  tasks:
    - lease: { name: Held, lock-file: { path: "{{ place }}/lock-{{ inventory_hostname }}"${args} } }
      block:
${tasks}`;
}

async function inFolder(
  files: Readonly<Record<string, string>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const placed = Object.entries(files).map(([name, text]) => [name, text.replaceAll('DIR', folder)] as const);
    await writeFiles(folder, {
      'hosts.ini': localHosts(1),
      'modules/lock-file.ts': lockLease,
      ...Object.fromEntries(placed),
    });
    await body(folder);
  });
}

const play = ['play', 'play.yaml', '-i', 'hosts.ini', '--output', 'ndjson'];

/** Plays, and kills the process when it says this. */
function killedWhen(cwd: string, says: (line: string) => boolean): Promise<CliRun> {
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  return runCli(play, {
    cwd,
    onStart(how) {
      kill = how;
    },
    onLine: (line) => says(line) && kill('SIGKILL'),
  });
}

async function leases(cwd: string, ...args: readonly string[]): Promise<CliRun> {
  return runCli(['leases', ...args], { cwd });
}

async function listed(cwd: string): Promise<Record<string, unknown>[]> {
  const { stdout } = await leases(cwd, '--output', 'json');
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe('runbook leases', function () {
  this.timeout(180_000);

  it('says that nothing is held where nothing is', () =>
    withTemporaryFolder(async (folder) => {
      const { exitCode, stdout } = await leases(folder);
      expect([exitCode, stdout]).to.deep.equal([0, 'nothing is held\n']);
    }));

  it('lists what a failed host keeps, with the reason, and gives it back', () =>
    inFolder({ 'play.yaml': playbook('', '        - { name: work, shell: { cmd: exit 1 } }\n') }, async (folder) => {
      const failed = await runCli(play, { cwd: folder });
      expect(failed.exitCode).to.equal(2);
      const { stdout } = await leases(folder);
      expect(stdout).to.match(/^HOST +LEASE +RUN +SINCE +WHY$/m);
      expect(stdout).to.match(/^h1 +Held +\S+ +\S+Z +kept: the block failed after the host was changed$/m);
      const released = await leases(folder, 'release', '--host', 'h1');
      expect(released.stderr).to.equal('');
      expect(released.stdout).to.equal('released: [h1] Held\n');
      expect(released.exitCode).to.equal(0);
      expect(existsSync(join(folder, 'lock-h1'))).to.equal(false);
      expect(await listed(folder)).to.deep.equal([]);
      expect((await leases(folder, 'release', '--all')).stdout).to.equal('nothing is held\n');
    }));

  it('gives back what a run had begun to take when it was killed', () =>
    inFolder(
      { 'play.yaml': playbook(', pause: 60', '        - { name: work, shell: { cmd: "true" } }\n') },
      async (folder) => {
        await killedWhen(folder, (line) => line.includes('"step-started"') && line.includes('the other half'));
        expect(existsSync(join(folder, 'lock-h1'))).to.equal(true);
        const [held] = await listed(folder);
        expect(held).to.include({ host: 'h1', task: 'Held', module: 'lock-file', state: 'being-taken' });
        expect(held).to.include({ reason: 'its run died while it took it', isHostChanged: false, isRunning: false });
        const { stdout, exitCode } = await leases(folder, 'release', '--run', 'last', '--output', 'json');
        expect(exitCode).to.equal(0);
        expect((JSON.parse(stdout) as object[])[0]).to.include({ host: 'h1', result: 'released' });
        expect(existsSync(join(folder, 'lock-h1'))).to.equal(false);
      },
    ));

  it('gives back what a run held when it was killed, or the run itself does when it is resumed', () =>
    inFolder(
      {
        'play.yaml': playbook(
          '',
          '        - { name: work, shell: { cmd: "touch DIR/started; while [ ! -e DIR/go ]; do sleep 0.1; done" } }\n',
        ),
      },
      async (folder) => {
        await killedWhen(folder, (line) => line.includes('"step-started"') && line.includes('touch '));
        expect((await listed(folder))[0]).to.include({ state: 'held', reason: 'its run died', isHostChanged: true });
        await writeFile(join(folder, 'go'), '');
        const resumed = await runCli(['resume', 'last', '--output', 'ndjson'], { cwd: folder });
        expect(resumed.exitCode, resumed.stderr).to.equal(0);
        expect(existsSync(join(folder, 'lock-h1'))).to.equal(false);
        expect(await listed(folder)).to.deep.equal([]);
      },
    ));

  it('leaves to a run what it holds while it is at work', () =>
    inFolder(
      {
        'play.yaml': playbook(
          '',
          '        - { name: work, shell: { cmd: "while [ ! -e DIR/go ]; do sleep 0.1; done" } }\n',
        ),
      },
      async (folder) => {
        let looked: Promise<void> | undefined;
        const look = async (): Promise<void> => {
          expect((await leases(folder)).stdout).to.contain('its run is at work');
          const refused = await leases(folder, 'release', '--host', 'h1');
          expect(refused.exitCode).to.equal(5);
          expect(refused.stderr).to.match(/h1: the run \S+ that holds it has not ended/);
          expect((await leases(folder, 'release', '--all')).stdout).to.equal('nothing is held\n');
          expect(existsSync(join(folder, 'lock-h1'))).to.equal(true);
          await writeFile(join(folder, 'go'), '');
        };
        const { exitCode } = await runCli(play, {
          cwd: folder,
          onLine(line) {
            if (line.includes('"lease-taken"')) looked = look();
          },
        });
        await looked;
        expect(exitCode).to.equal(0);
      },
    ));

  it('says what somebody else has by now, and what cannot be given back, which stays in the list', () =>
    inFolder({ 'play.yaml': playbook('', '        - { name: work, shell: { cmd: exit 1 } }\n') }, async (folder) => {
      await runCli(play, { cwd: folder });
      const broken = lockLease.replace(
        'const { stdout } = yield read(grant.path);\n    const owner = stdout.trim();\n    if (owner === grant.owner) yield exec(sh`rm',
        "throw failure('no key to it');\n    const { stdout } = yield read(grant.path);\n    const owner = stdout.trim();\n    if (owner === grant.owner) yield exec(sh`rm",
      );
      expect(broken).to.not.equal(lockLease);
      await writeFile(join(folder, 'modules/lock-file.ts'), broken);
      const failed = await leases(folder, 'release', '--all');
      expect(failed.stdout).to.equal('still held: [h1] Held: it could not be released: no key to it\n');
      expect(failed.exitCode).to.equal(2);
      await writeFile(join(folder, 'modules/lock-file.ts'), lockLease);
      await writeFile(join(folder, 'lock-h1'), 'other\n');
      const lost = await leases(folder, 'release', '--all');
      expect(lost.stdout).to.equal(`not held any more: [h1] Held: ${folder}/lock-h1 is held by other\n`);
      expect(lost.exitCode).to.equal(0);
      expect(await readFile(join(folder, 'lock-h1'), 'utf8')).to.equal('other\n');
      expect(await listed(folder)).to.deep.equal([]);
    }));

  it('wants to know which', () =>
    withTemporaryFolder(async (folder) => {
      const { exitCode, stderr } = await leases(folder, 'release');
      expect(exitCode).to.equal(5);
      expect(stderr).to.contain('say which leases: --run ID, --host NAME or --all');
    }));

  it('uncordons a node whose run was killed while it was drained, and frees the maintenance lock', async function () {
    if (!hasKubectl) this.skip();
    await using cluster = await createKubeCluster();
    const node = await cluster.nodeWith('web');
    await cluster.setFaults({ blockedBudgets: ['default/web'] });
    const yaml = `- hosts: all
  tasks:
    - lease:
        name: Drained
        kubectl-drain: { node: "{{ inventory_hostname }}", kubeconfig: DIR/kubeconfig, delete_emptydir_data: true }
        delegate_to: localhost
      block: [{ name: work, command: { argv: ["true"] } }]
`;
    const files = {
      'play.yaml': yaml,
      kubeconfig: cluster.kubeconfig,
      'hosts.ini': `${node} ansible_connection=local\n`,
    };
    await inFolder(files, async (folder) => {
      await killedWhen(folder, (line) => line.includes('"host-task-progress"') && line.includes('eviction of web'));
      expect((await cluster.node(node)).spec).to.include({ unschedulable: true });
      expect((await listed(folder))[0]).to.include({ host: node, module: 'kubectl-drain', state: 'being-taken' });
      const { stdout, stderr } = await leases(folder, 'release', '--all');
      expect(stdout, stderr).to.equal(`released: [${node}] Drained\n`);
      const { spec, metadata } = await cluster.node(node);
      expect(spec).to.not.have.property('unschedulable');
      expect(metadata.annotations).to.not.have.property('runbook.io/drain');
      expect((await cluster.lock()).spec).to.not.have.property('holderIdentity');
    });
  });
});

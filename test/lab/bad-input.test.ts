import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CliEvents, playEvents, runCli } from '../support/cli.ts';
import { lab } from './rig.ts';

/** What a user sees on a real node when something is wrong, and that nothing is left behind on it. */
describe('bad luck on a real node', function () {
  this.timeout(120_000);
  let node = '';
  let folder = '';

  before(async () => {
    await lab.ensureUp();
    node = lab.nodes.at(-1) ?? '';
    folder = await mkdtemp(join(tmpdir(), 'runbook-lab-'));
  });

  /** One play of `tasks` on the node, with these host variables over the lab's. */
  async function playTasks(
    tasks: string,
    variables: Record<string, string> = {},
    args: string[] = [],
    options: Parameters<typeof playEvents>[1] = {},
  ): Promise<CliEvents> {
    const playbook = join(folder, 'play.yaml');
    await writeFile(playbook, `- hosts: nodes\n  tasks:\n${tasks.replace(/^/gm, '    ')}\n`);
    const inventory = join(folder, 'hosts.ini');
    const words = {
      ansible_host: lab.address(node),
      ansible_user: 'root',
      ansible_ssh_private_key_file: lab.keyPath,
      ansible_ssh_common_args: `'-o UserKnownHostsFile=${lab.knownHostsPath}'`,
      ...variables,
    };
    const line = Object.entries(words)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
    await writeFile(inventory, `[nodes]\n${node} ${line}\n`);
    return playEvents([playbook, '-i', inventory, ...args], options);
  }
  const failureOf = (run: CliEvents) => run.summary[0]?.failure;
  const touch = '- command: { argv: [touch, /opt/lab-must-not-exist] }';
  const nothingWasDone = async (): Promise<unknown> =>
    expect(await lab.ssh(node, 'ls /opt/lab-must-not-exist 2>&1')).to.contain('No such file');

  it('a host that refuses connections is unreachable: exit code 4, with the address and the reason', async () => {
    const run = await playTasks(touch, { ansible_port: '1' });
    expect(run.exitCode).to.equal(4);
    expect(run.summary[0]?.state).to.equal('unreachable');
    expect(failureOf(run)?.message).to.match(new RegExp(`${lab.address(node)}.*refused`, 'i'));
  });

  it('a host that does not answer is unreachable within its time-out', async () => {
    await lab.setCable(node, 'down');
    try {
      const run = await playTasks(touch, { ansible_timeout: '3' });
      expect(run.exitCode).to.equal(4);
      expect(failureOf(run)?.message).to.match(/no answer|timed out|did not answer|no route|3(\.0)? s/i);
    } finally {
      await lab.setCable(node, 'up');
    }
    await nothingWasDone();
  });

  it('a changed host key stops before authentication, names the line of known_hosts, and what to do', async () => {
    const other = join(folder, 'known_hosts');
    const text = await readFile(lab.knownHostsPath, 'utf8');
    const keyOf = (name: string): string | undefined => {
      const line = text.split('\n').find((l) => l.includes(lab.address(name)));
      return line?.split(' ').slice(1).join(' ');
    };
    const [first = ''] = lab.nodes;
    await writeFile(other, `${lab.address(node)} ${keyOf(first)}\n`);
    const run = await playTasks(touch, { ansible_ssh_common_args: `'-o UserKnownHostsFile=${other}'` });
    expect(run.exitCode).to.equal(4);
    expect(failureOf(run)).to.have.property('code', 'host-key');
    expect(`${failureOf(run)?.message} ${failureOf(run)?.hint}`)
      .to.contain(`${other}:1`)
      .and.match(/ssh-keygen .*-R/);
    await nothingWasDone();
  });

  it('an unknown host key is refused by default', async () => {
    const run = await playTasks(touch, { ansible_ssh_common_args: `'-o UserKnownHostsFile=${join(folder, 'none')}'` });
    expect(failureOf(run)).to.have.property('code', 'host-key');
    expect(`${failureOf(run)?.message} ${failureOf(run)?.hint}`)
      .to.contain('SHA256:')
      .and.contain('accept-new');
    await nothingWasDone();
  });

  it('a wrong sudo password is told as such, at once, and the right one works; neither shows anywhere', async () => {
    const wrong = join(folder, 'wrong');
    const right = join(folder, 'right');
    await writeFile(wrong, 'not-the-password\n', { mode: 0o600 });
    await writeFile(right, `${lab.opsUser.password}\n`, { mode: 0o600 });
    const asOps = { ansible_user: lab.opsUser.name };
    const refused = await playTasks(touch, asOps, ['--become', '--become-password-file', wrong]);
    expect(refused.exitCode).to.equal(2);
    expect(failureOf(refused)).to.have.property('code', 'become-failed');
    expect(failureOf(refused)?.message).to.match(/password/i);
    await nothingWasDone();
    const id =
      '- { name: id, command: { cmd: id -un, reads: true }, register: me }\n- { name: who, debug: { message: "{{ me.stdout }}" } }';
    const accepted = await playTasks(id, asOps, ['--become', '--become-password-file', right]);
    expect(accepted.exitCode, accepted.stderr + JSON.stringify(accepted.summary)).to.equal(0);
    expect(accepted.stdout).to.contain('"message":"root"');
    expect(accepted.stdout + refused.stdout)
      .to.not.contain(lab.opsUser.password)
      .and.not.contain('not-the-password');
  });

  it('facts are gathered as root where root can be had, and without it where their reader may yet be skipped', async () => {
    const asOps = { ansible_user: lab.opsUser.name };
    const skipped = '- { name: t, when: facts.os.id == "none", command: { cmd: "true" } }';
    const without = await playTasks(skipped, asOps, ['--become']);
    expect(without.exitCode, without.stderr + JSON.stringify(without.summary)).to.equal(0);
    const right = join(folder, 'right');
    await writeFile(right, `${lab.opsUser.password}\n`, { mode: 0o600 });
    const needed = '- { name: t, when: facts.os.id == "debian", command: { cmd: "true", reads: true } }';
    const asRoot = await playTasks(needed, asOps, ['--become', '--become-password-file', right]);
    expect(asRoot.exitCode, asRoot.stderr + JSON.stringify(asRoot.summary)).to.equal(0);
    const refused = await playTasks(needed, asOps, ['--become']);
    expect(failureOf(refused)).to.have.property('code', 'become-failed');
  });

  it('a command that never ends is killed at its time-out, on the node too', async () => {
    const run = await playTasks('- { name: endless, shell: { cmd: "sleep 8461 & sleep 8462", timeout: 2 } }');
    expect(run.exitCode).to.equal(2);
    expect(failureOf(run)).to.have.property('code', 'timeout');
    expect(await lab.ssh(node, 'pgrep -f "[s]leep 846[12]" || echo gone')).to.equal('gone\n');
  });

  it('an archive with another digest is refused before it touches the node', async () => {
    const before = await lab.digestOf(node);
    const { stdout } = await runCli(['play', '--help']);
    expect(stdout).to.contain('--check');
    const inventory = await readFile(lab.inventoryPath, 'utf8');
    const url = /^containerd_url=(.*)$/m.exec(inventory)?.[1] ?? '';
    const wrong = '0'.repeat(64);
    for (const via of ['controller', 'target']) {
      const run = await playTasks(
        `- tar-install: { src: "${url}", sha256: "${wrong}", dest: /opt/lab-wrong, via: ${via} }`,
      );
      expect(run.exitCode).to.equal(2);
      expect(failureOf(run)?.message, via)
        .to.contain(wrong)
        .and.match(/[0-9a-f]{64}/);
    }
    const after = await lab.digestOf(node);
    expect([...after.keys()].filter((key) => after.get(key) !== before.get(key))).to.deep.equal([]);
  });

  it('a node that goes away in mid-task is unreachable, never ok', async () => {
    // The cable is pulled when the effect has begun.
    const onLine = (line: string): void => {
      if (line.includes('"type":"step-started"')) void lab.setCable(node, 'down');
    };
    try {
      const run = await playTasks('- { name: long, shell: { cmd: "sleep 90" } }', {}, ['--reconnect-timeout', '10'], {
        onLine,
      });
      expect(run.exitCode).to.equal(4);
      expect(run.summary[0]?.state).to.equal('unreachable');
    } finally {
      await lab.setCable(node, 'up');
    }
  });
});

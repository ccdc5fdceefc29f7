import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { encryptVault } from '../../engine/language/encryption/ansible-vault.ts';
import { runbookCommand, runCli } from '../support/cli.ts';

describe('runbook play', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-play-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const playbook = async (tasks: string, hosts = 'localhost'): Promise<string> => {
    const path = join(folder, 'site.yaml');
    await writeFile(path, `- name: Test\n  hosts: ${hosts}\n  tasks:\n${tasks}`);
    return path;
  };

  it('names the playbook that is not there, exit code 5', async () => {
    const { exitCode, stdout, stderr } = await runCli(['play', join(folder, 'nowhere.yaml'), '--no-journal']);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
    expect(stderr).to.include('nowhere.yaml').and.not.to.include('    at ');
  });

  it('asks for an inventory when the playbook needs one, exit code 5', async () => {
    const path = await playbook('    - debug: { message: hi }\n', 'all');
    const { exitCode, stderr } = await runCli(['play', path, '--no-journal']);
    expect(exitCode).to.equal(5);
    expect(stderr).to.include('there is no inventory').and.to.include('-i');
  });

  it('runs, and tells it in plain lines when nobody watches', async () => {
    const path = await playbook('    - name: Speak\n      debug: { message: "{{ word }}" }\n');
    const { exitCode, stdout, stderr } = await runCli(['play', path, '-e', 'word=1.10', '--no-journal']);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout)
      .to.include('TASK Speak\nok: [localhost] 1.10\n')
      .and.to.match(/exit 0: done\n$/);
  });

  it('changes nothing with --check and says so with exit code 3', async () => {
    const target = join(folder, 'made');
    const path = await playbook(`    - file: { path: ${target}, state: directory }\n`);
    const { exitCode, stdout } = await runCli(['play', path, '--check', '--diff', '--no-journal']);
    expect(exitCode).to.equal(3);
    expect(stdout).to.include('would change: [localhost]').and.to.include('would-change=1');
    expect(await readdir(folder)).to.deep.equal(['site.yaml']);
  });

  it('takes no secret for a pattern of hosts: the asterisks of one would fit them all', async () => {
    const password = join(folder, 'password');
    await writeFile(password, 'x\n');
    const vault = JSON.stringify((await encryptVault('a', 'x')).trim());
    const prompt = '  vars_prompt: [{ name: target, prompt: Where, default: a }]\n';
    for (const [hosts, more, expected] of [
      ['["{{ target }}", b]', prompt, 'hosts cannot be a secret'],
      [`!vault ${vault}`, '', 'hosts must be a host pattern, not a secret'],
      ['a', `  become_user: !vault ${vault}\n`, 'become_user must be a text, not a secret'],
    ]) {
      const path = await playbook(`    - debug: { message: hi }\n${more}`, hosts);
      const args = ['-i', 'a,b,', '--vault-password-file', password, '--no-journal'];
      const { exitCode, stdout, stderr } = await runCli(['play', path, ...args]);
      expect({ exitCode, stdout }, stderr).to.deep.equal({ exitCode: 5, stdout: '' });
      expect(stderr).to.contain(expected);
    }
  });

  it('says where a run cannot be recorded, before anything is contacted', async () => {
    const path = await playbook('    - debug: { message: hi }\n');
    await writeFile(join(folder, '.runbook'), '');
    const { exitCode, stdout, stderr } = await runCli(['play', path], { cwd: folder });
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
    expect(stderr).to.match(
      /^runbook: the record of the run cannot be kept in \.runbook\/runs\/.*no folder\n {2}hint: .*--no-journal\n$/,
    );
  });

  it('takes more hosts than Node takes listeners for a leak', async () => {
    const path = await playbook('    - shell: { cmd: sleep 1 }\n', 'all');
    const inventory = join(folder, 'hosts.ini');
    await writeFile(inventory, 'h[01:12] ansible_connection=local\n');
    const { exitCode, stderr } = await runCli(['play', path, '-i', inventory, '--no-journal']);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
  });

  it('refuses tags that no task has: --skip-tags with a typo would run what it should not', async () => {
    const path = await playbook('    - debug: { message: hi }\n      tags: [loud]\n');
    const { exitCode, stdout, stderr } = await runCli(['play', path, '-t', 'lod,loud', '--skip-tags', 'louder']);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
    expect(stderr).to.equal(
      [
        'error: --tags lod: no task has this tag\n  hint: did you mean "loud"?\n',
        'error: --skip-tags louder: no task has this tag\n  hint: did you mean "loud"?\n',
      ].join('\n'),
    );
  });

  it('streams events as JSON and nothing else', async () => {
    const path = await playbook('    - debug: { message: hi }\n');
    const { stdout, stderr } = await runCli(['play', path, '--output', 'ndjson', '--no-journal']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StampedEvent);
    expect(events.at(0)).to.include({ type: 'run-started', v: 1, seq: 0 });
    expect(events.at(-1)).to.include({ type: 'run-ended', exitCode: 0 });
    expect(stderr).to.equal('');
  });

  it('lists hosts and tasks without running any', async () => {
    const path = await playbook('    - name: Speak\n      fail: { message: no }\n      tags: [loud]\n', 'all');
    const { exitCode, stdout } = await runCli(['play', path, '-i', 'n1,n2,', '--list-hosts', '--list-tasks']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(`PLAY Test\n  2 hosts\n    n1\n    n2\n  1 task\n    Speak  fail  ${path}:4:7  [loud]\n`);
  });

  it('finishes the task in flight at the first interrupt, and ends with 130', async () => {
    const path = await playbook(
      '    - name: Sleep\n      command: { cmd: sleep 1 }\n    - name: Never\n      command: { cmd: touch never }\n',
    );
    const run = await interrupt(['play', path, '--output', 'plain', '--no-journal'], ['TASK Sleep']);
    expect(run.exitCode).to.equal(130);
    expect(run.stdout)
      .to.include('finishing tasks in flight; press Ctrl-C again to abort them')
      .and.to.include('changed: [localhost]')
      .and.not.to.include('TASK Never');
  });

  it('aborts the task in flight at the second', async () => {
    const path = await playbook('    - name: Sleep\n      command: { cmd: sleep 30 }\n');
    const run = await interrupt(['play', path, '--output', 'plain', '--no-journal'], ['TASK Sleep', 'finishing tasks']);
    expect(run.exitCode).to.equal(130);
    expect(run.stdout)
      .to.include('aborting tasks in flight')
      .and.to.match(/failed: \[localhost\].*interrupted/);
  });

  it('survives a reader that goes away', async () => {
    const path = await playbook('    - command: { cmd: touch done }\n');
    const child = spawn(runbookCommand[0], [runbookCommand[1], 'play', path], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
  });

  /** Runs it and sends an interrupt when each of these texts has been printed. */
  async function interrupt(args: string[], texts: string[]): Promise<{ exitCode: number | null; stdout: string }> {
    const child = spawn(runbookCommand[0], [runbookCommand[1], ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      while (texts[0] !== undefined && stdout.includes(texts[0])) {
        texts.shift();
        child.kill('SIGINT');
      }
    });
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { exitCode, stdout };
  }
});

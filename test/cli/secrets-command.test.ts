import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { encryptVault } from '../../engine/language/encryption/ansible-vault.ts';
import { type CliRun, runCli } from '../support/cli.ts';

describe('runbook secrets', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runbook-secrets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string): string => join(folder, name);
  const secrets = (args: readonly string[], input = ''): Promise<CliRun> =>
    runCli(['secrets', ...args], { cwd: folder, env: { HOME: folder, XDG_CONFIG_HOME: file('config') }, input });

  it('makes a key, encrypts with it and shows what it encrypted, without any other option', async () => {
    const made = await secrets(['keygen', 'config/runbook/identity']);
    expect(made.stdout).to.match(/^age1[a-z0-9]+\n$/);
    expect(statSync(file('config/runbook/identity')).mode & 0o777).to.equal(0o600);
    writeFileSync(file('secrets.yaml'), 'password: hunter2\n');
    const encrypted = await secrets(['encrypt', 'secrets.yaml']);
    expect(encrypted.stderr).to.equal('secrets.yaml.age is written; secrets.yaml is still there in clear\n');
    expect(readFileSync(file('secrets.yaml.age'), 'utf8')).to.match(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    const shown = await secrets(['view', 'secrets.yaml.age']);
    expect([shown.stdout, shown.exitCode]).to.deep.equal(['password: hunter2\n', 0]);
  });

  it('encrypts standard input for others', async () => {
    const { stdout: recipient } = await secrets(['keygen', 'other']);
    const { stdout } = await secrets(['encrypt', '-', '-r', recipient.trim()], 'hunter2');
    writeFileSync(file('x.age'), stdout);
    expect((await secrets(['view', 'x.age', '--identity', 'other'])).stdout).to.equal('hunter2\n');
    const refused = await secrets(['view', 'x.age']);
    expect(refused.stderr).to.equal(
      'runbook: cannot read x.age: it is encrypted with age, and there is no identity to open it\n' +
        '  hint: name the file with your secret key: --identity FILE\n',
    );
    expect(refused.exitCode).to.equal(5);
  });

  it('shows what Ansible Vault encrypted', async () => {
    writeFileSync(file('vault.yml'), await encryptVault('a: 1\n', 'secret'));
    writeFileSync(file('password'), 'secret\n');
    expect((await secrets(['view', 'vault.yml', '--vault-password-file', 'password'])).stdout).to.equal('a: 1\n');
  });

  it('overwrites nothing, and says for whom it cannot encrypt', async () => {
    writeFileSync(file('a'), 'x');
    writeFileSync(file('a.age'), 'precious');
    const { stdout: recipient } = await secrets(['keygen', 'key']);
    expect((await secrets(['keygen', 'key'])).stderr).to.contain('it is there already, and is not overwritten');
    expect((await secrets(['encrypt', 'a', '-r', recipient.trim()])).stderr).to.contain('is not overwritten');
    expect(readFileSync(file('a.age'), 'utf8')).to.equal('precious');
    expect((await secrets(['encrypt', 'a'])).stderr).to.contain('runbook secrets keygen');
    expect((await secrets(['encrypt', 'a', '-r', 'age1nobody'])).stderr).to.contain('"age1nobody" is no recipient');
  });

  it('writes what the age tool reads', async function () {
    try {
      execFileSync('age', ['--version'], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    const { stdout: recipient } = await secrets(['keygen', 'key']);
    const { stdout } = await secrets(['encrypt', '-', '-r', recipient.trim()], 'hunter2');
    expect(execFileSync('age', ['-d', '-i', file('key')], { input: stdout, encoding: 'utf8' })).to.equal('hunter2');
  });
});

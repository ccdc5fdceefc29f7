import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../support/cli.ts';
import { localHosts, writeFiles } from '../support/play.ts';

/** `runbook plan` and `runbook apply`, as a user types them. */

const site = `
- name: Web servers
  hosts: web
  vars: { port: 8080, dir: "{{ playbook_dir }}/on-{{ inventory_hostname }}" }
  tasks:
    - name: A folder for it
      file: { path: "{{ dir }}", state: directory }
    - name: Write the configuration
      copy: { dest: "{{ dir }}/conf", content: "port={{ port }}\\nname={{ inventory_hostname }}\\n" }
      notify: Restart
    - name: Only where there is a second disk
      debug: { message: it has }
      when: inventory_hostname == 'h9'
    - name: Ask for the version
      shell: { cmd: echo 1.7 }
      register: version
    - name: Write the version
      copy: { dest: "{{ dir }}/version", content: "{{ version.stdout }}" }
  handlers:
    - name: Restart
      shell: { cmd: "echo restarted >> {{ dir }}/log" }
`;

describe('runbook plan and apply', function () {
  // Each starts runbook several times.
  this.timeout(120_000);
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-plan-'));
    await writeFiles(folder, { 'site.yaml': site, 'hosts.ini': localHosts(1) });
  });
  afterEach(() => rm(folder, { recursive: true }));
  const runbook = (...args: string[]) => runCli(args, { cwd: folder });
  const plan = (...args: string[]) => runbook('plan', 'site.yaml', '-i', 'hosts.ini', '-o', 'p.yaml', ...args);

  it('write a plan that people can read, and do it; exit codes 3 and 0', async () => {
    const made = await plan();
    expect(made.exitCode, made.stderr).to.equal(3);
    expect(made.stdout).to.include('1 of 1 host would change: 4 tasks, 1 task may run.\n');
    expect(made.stdout).to.include('Do it:  runbook apply p.yaml\n');
    expect((await stat(join(folder, 'p.yaml'))).mode & 0o777).to.equal(0o600);
    const text = (await readFile(join(folder, 'p.yaml'), 'utf8'))
      .replaceAll(folder, 'DIR')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\d{8}T\d{6}Z-\w{4}/g, 'RUN')
      .replace(/(made TIME by ).*( from)/, '$1SOMEBODY$2')
      .replace(/^( {2}by: ).*/m, '$1SOMEBODY')
      .replace(/\b[0-9a-f]{40}\b/g, 'DIGEST')
      .replace(/\b[0-9a-f]{16}( [0-9a-f]{16})*/g, 'DIGESTS')
      .replace(/key: "?[0-9a-f]{12}"?$/m, 'key: KEY')
      .replace(/(engine: ).*/, '$1VERSION');
    const golden = new URL('../fixtures/plan.golden.yaml', import.meta.url);
    if (process.env.UPDATE_GOLDEN) await writeFile(golden, text);
    expect(text).to.equal(await readFile(golden, 'utf8'));

    const done = await runbook('apply', 'p.yaml');
    expect(done.exitCode, done.stdout + done.stderr).to.equal(0);
    expect(await readFile(join(folder, 'on-h1/conf'), 'utf8')).to.equal('port=8080\nname=h1\n');
  });

  it('refuse a playbook that has changed, naming it, exit code 5', async () => {
    await plan();
    await writeFile(join(folder, 'site.yaml'), site.replace('8080', '9090'));
    const { exitCode, stderr, stdout } = await runbook('apply', 'p.yaml');
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
    expect(stderr).to.include('p.yaml is a plan of something else than there is now:\n  site.yaml changed');
  });

  it('keep what -e says in the plan, but no secret; that is given again', async () => {
    const tasks = site.replace('port={{ port }}', 'port={{ port }} {{ api_token }}');
    await writeFile(join(folder, 'site.yaml'), tasks);
    await plan('-e', 'port=1234', '-e', 'api_token=POISON-5512');
    const text = await readFile(join(folder, 'p.yaml'), 'utf8');
    expect(text).to.include('port: "1234"').and.not.include('POISON');
    const missing = await runbook('apply', 'p.yaml');
    expect(missing.exitCode).to.equal(5);
    expect(missing.stderr).to.include('give api_token once more').and.include('-e api_token=');
    const other = await runbook('apply', 'p.yaml', '-e', 'port=1', '-e', 'api_token=POISON-5512');
    expect(other.stderr).to.include('-e port: the variables of a plan are settled');
    const wrong = await runbook('apply', 'p.yaml', '-e', 'api_token=POISON-5513');
    expect(wrong.stderr).to.include('-e api_token is another').and.not.include('POISON');
    const right = await runbook('apply', 'p.yaml', '-e', 'api_token=POISON-5512');
    expect(right.exitCode, right.stdout + right.stderr).to.equal(0);
    expect(await readFile(join(folder, 'on-h1/conf'), 'utf8')).to.include('port=1234 POISON-5512');
    const runs = await readdir(join(folder, '.runbook/runs'), { recursive: true, withFileTypes: true });
    const kept = runs.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.path, entry.name), 'utf8'));
    expect(kept).to.not.be.empty;
    for (const file of await Promise.all(kept)) expect(file).to.not.include('POISON');
  });

  it('take nothing that changes what is done: no inventory, no --check', async () => {
    await plan();
    for (const option of [['-i', 'hosts.ini'], ['--check']]) {
      const { exitCode, stderr } = await runbook('apply', 'p.yaml', ...option);
      expect(exitCode).to.equal(5);
      expect(stderr).to.include('unknown option');
    }
  });

  it('say that nothing is to be done, exit code 0', async () => {
    await writeFile(join(folder, 'site.yaml'), '- hosts: web\n  tasks: [{ debug: { message: hi } }]\n');
    const made = await plan();
    expect(made.exitCode).to.equal(0);
    expect(made.stdout).to.include('0 of 1 host would change: 0 tasks.');
    expect((await runbook('apply', 'p.yaml')).exitCode).to.equal(0);
  });

  it('need the name of a file', async () => {
    const { exitCode, stderr } = await runbook('plan', 'site.yaml', '-i', 'hosts.ini');
    expect(exitCode).to.equal(5);
    expect(stderr).to.include('-o, --out <file>');
  });
});

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { encryptVault } from '../../engine/language/encryption/ansible-vault.ts';
import type { AuditDocument } from '../../engine/report/audit/json.ts';
import type { PageData } from '../../engine/report/html/page-data.ts';
import { runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { play, writeFiles } from '../support/play.ts';
import { expectSarif } from '../support/sarif-schema.ts';

/** What a host can be in an audit: each is so because of its name. */
const kinds = ['differs', 'unknown', 'failed', 'unreachable'] as const;

const site = {
  'play.yaml': `- name: Nodes
  hosts: all
  gather_facts: false
  tasks:
    - name: Folder
      file: { path: DIR/made, state: directory }
      when: inventory_hostname == "differs"
    - name: Riddle
      riddle: {}
      when: inventory_hostname == "unknown"
    - name: Verdict
      fail: { message: "broken on {{ inventory_hostname }}" }
      when: inventory_hostname == "failed"
    - name: Call
      file: { path: /, state: directory }
      when: inventory_hostname == "unreachable"
`,
  'modules/riddle.ts': `import { defineModule, probe, sh, unknown } from 'runbook';
export default defineModule({
  name: 'riddle', summary: 'Nobody knows', schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`true\`, () => 0),
  diff: () => unknown('nobody knows'),
  *apply() {},
});
`,
};

describe('runbook audit', () => {
  describe('ends, as --check does, with', () => {
    for (let set = 0; set < 2 ** kinds.length; set++) {
      const present = kinds.filter((_, i) => (set & (2 ** i)) > 0);
      const code = expectedCode(present);
      it(`${code} where hosts are ${['ok', ...present].join(', ')}`, () =>
        withTemporaryFolder(async (folder) => {
          const files = { 'play.yaml': site['play.yaml'].replaceAll('DIR', folder), ...rest(['ok', ...present]) };
          const run = await play(folder, files, { isCheckMode: true, isDiff: true, connection: { timeoutMs: 2000 } });
          expect(run.exitCode).to.equal(code);
          expect(await readdir(folder)).not.to.include('made');
        }));
    }
  });

  it('says what differs, in text, JSON, JUnit and SARIF, changes nothing and writes a page', () =>
    inFolder(kinds, async (folder, audit) => {
      const text = await audit('--report', 'drift.html');
      expect({ exitCode: text.exitCode, stderr: text.stderr }).to.deep.equal({ exitCode: 2, stderr: '' });
      expect(text.stdout).to.include(`TASK Folder  play.yaml:5:7\n  differs      differs: exists false → true\n`);
      expect(text.stdout).to.include('  unknown      unknown: nobody knows\n');
      expect(text.stdout).to.include('  failed       failed: broken on failed\n');
      expect(text.stdout).to.match(/ {2}unreachable {2}unreachable: cannot /);
      expect(text.stdout).to.match(
        /1 would change, 1 unknown, 1 failed, 1 unreachable in .*, exit 2: a host failed\n$/,
      );

      const json = await audit('--output', 'json');
      const document = JSON.parse(json.stdout) as AuditDocument;
      expect([json.exitCode, document.exitCode, json.stderr]).to.deep.equal([2, 2, '']);
      expect(document.findings.map(({ kind }) => kind)).to.deep.equal([
        'differs',
        'differs',
        'unknown',
        'failed',
        'unreachable',
      ]);
      expect((await audit('--output', 'junit')).stdout).to.include('<testsuite name="differs"');
      expectSarif((await audit('--output', 'sarif')).stdout);

      const data = await pageDataOf(join(folder, 'drift.html'));
      expect(data.hosts.map(({ name, standing }) => `${name} ${standing}`)).to.deep.equal([
        ...['differs changed', 'unknown unknown', 'failed failed', 'unreachable unreachable'],
      ]);
      expect(await readdir(folder)).to.deep.equal(['drift.html', 'hosts.ini', 'modules', 'play.yaml']);
    })).timeout(120_000);

  it('finds that the page cannot be written before anything is asked or contacted', () =>
    inFolder(['differs'], async (folder, audit) => {
      for (const path of ['no/such/page.html', '.']) {
        const { exitCode, stdout, stderr } = await audit('--report', path, '--ask-become-pass');
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
        expect(stderr).to.match(/^runbook: the report cannot be written to .*\n {2}hint: name a file in a folder/);
      }
      expect(await readdir(folder)).to.deep.equal(['hosts.ini', 'modules', 'play.yaml']);
    })).timeout(60_000);

  it('tells a page that could not be written in the end, and keeps the exit code of the run', () =>
    inFolder(['differs'], async (folder, audit) => {
      await mkdir(join(folder, 'pages'));
      const yaml = `- hosts: all\n  gather_facts: false\n  tasks:\n    - command: { cmd: rm -r ${folder}/pages, reads: true }\n`;
      await writeFile(join(folder, 'play.yaml'), yaml);
      const { exitCode, stderr } = await audit('--report', 'pages/drift.html');
      expect(exitCode).to.equal(0);
      expect(stderr).to.equal('runbook: the report cannot be written to pages/drift.html: there is no such file\n');
    })).timeout(60_000);

  it('writes the page of a run that changes hosts, too', () =>
    inFolder(['differs'], async (folder) => {
      const args = ['play', 'play.yaml', '-i', 'hosts.ini', '--no-journal', '--report', 'run.html'];
      expect((await runCli(args, { cwd: folder })).exitCode).to.equal(0);
      const { run, hosts } = await pageDataOf(join(folder, 'run.html'));
      expect([run.isCheckMode, hosts[0]?.standing]).to.deep.equal([false, 'changed']);
    })).timeout(60_000);

  it('shows no secret and nothing of a task under no_log, in whatever form', () =>
    inFolder(['differs'], async (folder, audit) => {
      const vault = JSON.stringify((await encryptVault('s3cr3t-of-vault', 'x')).trim());
      await writeFile(join(folder, 'password'), 'x\n');
      await writeFile(
        join(folder, 'play.yaml'),
        `- hosts: all
  gather_facts: false
  vars: { password: !vault ${vault} }
  tasks:
    - name: Failing
      command: { cmd: sh -c 'echo the password is s3cr3t-of-vault >&2; exit 1', reads: true }
      ignore_errors: true
    - name: Open
      copy: { dest: ${folder}/open, content: "one\\npassword={{ password }}\\n" }
    - name: Closed
      no_log: true
      copy: { dest: ${folder}/closed, content: "one\\nkept-quiet\\n" }
`,
      );
      const outputs = ['plain', 'json', 'sarif'];
      for (const output of outputs) {
        const { exitCode, stdout, stderr } = await audit(
          '--output',
          output,
          '--report',
          'p.html',
          '--vault-password-file',
          'password',
        );
        expect(exitCode, stderr).to.equal(3);
        const said = stdout + stderr + (await readFile(join(folder, 'p.html'), 'utf8'));
        expect(said).to.include('the password is ********').and.include('(hidden by no_log)');
        expect(said).not.to.match(/s3cr3t-of-vault|kept-quiet/);
      }
    })).timeout(120_000);

  it('takes the options of a run, but none that would make it change or leave out something', async () => {
    for (const option of ['--check', '--diff', '--list-tasks']) {
      expect((await runCli(['audit', 'play.yaml', option])).exitCode, option).to.equal(5);
    }
    const { stdout } = await runCli(['audit', '--help']);
    for (const option of ['--limit', '--tags', '--forks', '--ask-become-pass', '--report'])
      expect(stdout).to.include(option);
  }).timeout(60_000);
});

/** docs/exit-codes.md: a failure, then an unreachable host, then a difference. */
function expectedCode(present: readonly string[]): number {
  if (present.includes('failed')) return 2;
  if (present.includes('unreachable')) return 4;
  return present.length > 0 ? 3 : 0;
}

/** The module, and an inventory of these hosts. */
function rest(hosts: readonly string[]) {
  const lines = hosts.map((host) =>
    // Nothing listens on port 1.
    host === 'unreachable' ? `${host} ansible_host=127.0.0.1 ansible_port=1` : `${host} ansible_connection=local`,
  );
  return { 'modules/riddle.ts': site['modules/riddle.ts'], 'hosts.ini': `${lines.join('\n')}\n` };
}

type Audit = (...args: string[]) => ReturnType<typeof runCli>;

function inFolder(hosts: readonly string[], body: (folder: string, audit: Audit) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    await writeFiles(folder, { 'play.yaml': site['play.yaml'].replaceAll('DIR', folder), ...rest(hosts) });
    const fixed = ['audit', 'play.yaml', '-i', 'hosts.ini', '--no-journal'];
    await body(folder, (...args) => runCli([...fixed, ...args], { cwd: folder }));
  });
}

async function pageDataOf(path: string): Promise<PageData> {
  const html = await readFile(path, 'utf8');
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '') as PageData;
}

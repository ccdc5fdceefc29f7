import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { lockHolders } from '../../modules/lib/apt-locks.ts';
import packageModule from '../../modules/package.ts';
import { whyNotDebianRoot } from '../support/accounts.ts';
import { applyLocally, checkLocally, diffOf, output, predicted, runLocally, stepsOf } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

// As apt of Debian 12 answers.
const installed = output('package=jq|installed|install|1.6-2.1|1.6-2.1\nage=60\n');
const missing = output(
  'package=jq||||1.6-2.1\nage=60\n==plan\nInst libjq1 (1.6-2.1 Debian:12/stable [amd64])\nInst jq (1.6-2.1 Debian:12/stable [amd64])\n',
);
const nowhere = output('package=nope||||\nage=7300\n==plan\nE: Unable to locate package nope\n');
const older = output(
  'package=jq|installed|install|1.5|1.6-2.1\nage=60\n==plan\nInst jq [1.5] (1.6-2.1 Debian:12 [amd64])\n',
);
const held = output(
  'package=jq|installed|hold|1.5|1.6-2.1\nage=60\n==plan\nInst jq [1.5] (1.6-2.1 Debian:12 [amd64])\n',
);
const conflict = output(
  'package=containerd.io||||1.7\nage=60\n==plan\nRemv docker.io [20.10]\nInst containerd.io (1.7 Docker:1 [amd64])\n',
);
const resource = 'package:jq';

describe('package', () => {
  it('is satisfied where the version fits', async () => {
    for (const args of [{}, { state: 'latest' }, { version: '1.6-2.1' }, { version: '1.6-*' }, { hold: false }]) {
      expect(await diffOf(packageModule, { name: 'jq', ...args }, installed), JSON.stringify(args)).to.deep.equal([]);
    }
  });

  it('tells what apt would install, with what it needs besides', async () => {
    expect(await diffOf(packageModule, { name: 'jq' }, missing)).to.deep.equal([
      { path: 'jq', before: null, after: '1.6-2.1', resource },
      { path: 'libjq1', before: null, after: '1.6-2.1', resource: 'package:libjq1' },
    ]);
    expect(await diffOf(packageModule, { name: 'jq', state: 'latest' }, older)).to.deep.equal([
      { path: 'jq', before: '1.5', after: '1.6-2.1', resource },
    ]);
  });

  it('fails for what no source has, in check mode as in a run', async () => {
    expect(await failureOf(diffOf(packageModule, { name: 'nope' }, nowhere))).to.equal(
      'apt cannot install nope; update_cache: true fetches the lists first\nUnable to locate package nope',
    );
    // The lists are older than an hour: what they lack, new ones may have.
    const diff = await diffOf(packageModule, { name: 'nope', update_cache: true }, nowhere);
    expect(diff).to.deep.equal([
      { path: 'package lists', before: '2 h old', after: 'fetched' },
      { path: 'nope', before: null, after: 'what the sources have', resource: 'package:nope' },
    ]);
    const source = predicted({ 'file:/etc/apt/sources.list.d/docker.list': { exists: true } });
    expect(await diffOf(packageModule, { name: 'nope' }, nowhere, { predicted: source })).to.have.property('unknown');
  });

  it('removes nothing that nobody named', async () => {
    const args = { name: 'containerd.io' };
    expect(await failureOf(diffOf(packageModule, args, conflict))).to.equal(
      'apt would remove docker.io with it; allow_removals: true accepts that',
    );
    expect(await diffOf(packageModule, { ...args, allow_removals: true }, conflict)).to.deep.include({
      path: 'docker.io',
      before: '20.10',
      after: null,
      resource: 'package:docker.io',
    });
  });

  it('leaves a package on hold alone unless it is told what becomes of the hold', async () => {
    const args = { name: 'jq', version: '1.6-*' };
    expect(await failureOf(diffOf(packageModule, args, held))).to.contain('jq is on hold');
    expect(await diffOf(packageModule, { ...args, hold: true }, held)).to.have.length(1);
    const steps = await stepsOf(packageModule, { ...args, hold: true }, held);
    const texts = steps.flatMap((step) => (step.kind === 'exec' ? [step.script.text] : [step.kind]));
    expect(texts[0]).to.equal('wait');
    expect(texts[1]).to.contain('--allow-downgrades --allow-change-held-packages').and.contain("install 'jq=1.6-*'");
    expect(texts[2]).to.equal('apt-mark hold jq');
  });

  it('knows in check mode what earlier tasks would install', async () => {
    const later = predicted({ [resource]: { jq: '1.6-2.1', hold: true } });
    expect(await diffOf(packageModule, { name: 'jq', hold: true }, missing, { predicted: later })).to.deep.equal([]);
    const gone = predicted({ [resource]: { jq: null } });
    expect(await diffOf(packageModule, { name: 'jq', state: 'absent' }, installed, { predicted: gone })).to.deep.equal(
      [],
    );
  });

  it('says what it cannot do', async () => {
    expect(await failureOf(diffOf(packageModule, { name: 'jq' }, output('none=1\n')))).to.contain(
      'this host has no apt',
    );
    expect(mistakesOf(packageModule, { name: 'jq', names: ['curl'] })).to.have.length(1);
    expect(mistakesOf(packageModule, { names: ['jq'], version: '1' })).to.have.length(1);
    expect(mistakesOf(packageModule, { name: 'jq', state: 'absent', hold: true })).to.have.length(1);
    expect(mistakesOf(packageModule, { name: '-y' })).to.have.length(1);
  });

  describe('on this machine', function () {
    // apt reads the lists of all packages each time.
    this.timeout(600_000);
    const name = 'hello';
    let wasMade = false;
    const isThere = (): boolean =>
      execFileSync('sh', ['-c', `dpkg -s ${name} 2>/dev/null | grep -c ' ok installed' || :`], {
        encoding: 'utf8',
      }).trim() === '1';
    before(function () {
      // Minutes on a small machine: RUNBOOK_TEST_APT=1 asks for it.
      if (whyNotDebianRoot() !== undefined || process.env.RUNBOOK_TEST_APT === undefined || isThere()) this.skip();
      const candidate = execFileSync('sh', ['-c', `apt-cache policy ${name} | grep Candidate || :`], {
        encoding: 'utf8',
      });
      // Without lists, or without a network, nothing can be installed.
      if (!/Candidate: \d/.test(candidate)) this.skip();
    });
    after(() => {
      if (wasMade) execFileSync('sh', ['-c', `apt-mark unhold ${name}; apt-get -y -q purge ${name} || :`]);
    });

    it('installs, holds, removes, and then has nothing to do', async () => {
      const args = { name, hold: true, recommends: false };
      const { diff } = await checkLocally(packageModule, args);
      expect(isThere()).to.equal(false);
      wasMade = true;
      const made = await applyLocally(packageModule, args);
      expect(made.changes).to.deep.equal(diff);
      expect(isThere()).to.equal(true);
      expect(execFileSync('apt-mark', ['showhold'], { encoding: 'utf8' }).split('\n')).to.include(name);
      expect((await checkLocally(packageModule, { name, state: 'latest', hold: true })).diff).to.deep.equal([]);
      const gone = { name, state: 'absent', hold: false };
      const removal = await checkLocally(packageModule, gone);
      expect(removal.implied.map(({ resource: file }) => file)).to.include('file:/usr/bin/hello');
      await applyLocally(packageModule, gone);
      expect(isThere()).to.equal(false);
      expect((await checkLocally(packageModule, gone)).diff).to.deep.equal([]);
    });

    it('fails for a package that no source has', async () => {
      const work = checkLocally(packageModule, { name: 'runbook-no-such-package' });
      expect(await failureOf(work)).to.contain('Unable to locate package');
    });
  });

  it('sees who holds a lock of dpkg', async function () {
    if (whyNotDebianRoot() !== undefined) this.skip();
    const probe = lockHolders();
    const script =
      'import fcntl,sys; f=open("/var/lib/dpkg/lock-frontend","w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()';
    const holder = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(holder.stdout, 'data');
      const [who = ''] = probe.parse(await runLocally(probe.script));
      expect(who).to.match(new RegExp(`\\(process ${holder.pid}\\) holds /var/lib/dpkg/lock-frontend$`));
    } finally {
      holder.stdin.end();
      await once(holder, 'exit');
    }
    expect(probe.parse(await runLocally(probe.script))).to.deep.equal([]);
  });
});

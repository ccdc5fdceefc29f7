import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import group from '../../modules/group.ts';
import { whyNotDebianRoot } from '../support/accounts.ts';
import { applyLocally, checkLocally, diffOf, output, predicted } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

const there = output('group=staff:x:50:ann,bob\ntools=1\n');
const missing = output('tools=1\n');

describe('group', () => {
  it('is satisfied where the group is there, with its gid', async () => {
    expect(await diffOf(group, { name: 'staff' }, there)).to.deep.equal([]);
    expect(await diffOf(group, { name: 'staff', gid: 50 }, there)).to.deep.equal([]);
    expect(await diffOf(group, { name: 'staff', state: 'absent' }, missing)).to.deep.equal([]);
  });

  it('tells what it would make, change and remove, under the name that later tasks ask for', async () => {
    const resource = 'group:staff';
    expect(await diffOf(group, { name: 'staff', gid: 60 }, missing)).to.deep.equal([
      { path: 'exists', before: false, after: true, resource },
      { path: 'gid', before: null, after: 60, resource },
    ]);
    expect(await diffOf(group, { name: 'staff', gid: 60 }, there)).to.deep.equal([
      { path: 'gid', before: 50, after: 60, resource },
    ]);
    expect(await diffOf(group, { name: 'staff', state: 'absent' }, there)).to.deep.equal([
      { path: 'exists', before: true, after: false, resource },
    ]);
  });

  it('says why not: a gid that is taken, a primary group, a host without the tools', async () => {
    const taken = output('holder=games\ntools=1\n');
    expect(await failureOf(diffOf(group, { name: 'staff', gid: 60 }, taken))).to.equal(
      'the gid 60 is that of the group games',
    );
    const primary = output('group=staff:x:50:\nprimary=ann\ntools=1\n');
    const absent = { name: 'staff', state: 'absent' };
    expect(await failureOf(diffOf(group, absent, primary))).to.contain('the primary group of ann');
    expect(
      await diffOf(group, absent, primary, { predicted: predicted({ 'user:ann': { exists: false } }) }),
    ).to.have.length(1);
    expect(await failureOf(diffOf(group, { name: 'staff' }, output('')))).to.contain('no groupadd');
    expect(mistakesOf(group, { name: 'staff', state: 'absent', gid: 3 })).to.have.length(1);
    expect(mistakesOf(group, { name: '-r' })).to.have.length(1);
  });

  it('is unknown where a pending package may bring it', async () => {
    const later = predicted({ 'package:docker.io': { 'docker.io': '20.10' } });
    expect(await diffOf(group, { name: 'docker' }, missing, { predicted: later })).to.deep.equal({
      unknown: 'package docker.io is pending: whether it provides group docker is not known',
    });
  });

  describe('on this machine', function () {
    const name = `runbook-g${process.pid}`;
    before(function () {
      if (whyNotDebianRoot() !== undefined) this.skip();
    });
    after(() => {
      if (whyNotDebianRoot() === undefined) execFileSync('sh', ['-c', `groupdel ${name} 2>/dev/null || :`]);
    });

    it('makes, changes and removes a group, and then has nothing to do', async () => {
      const free = Number(
        execFileSync('sh', ['-c', 'n=47000; while getent group $n >/dev/null; do n=$((n+1)); done; echo $n']),
      );
      const made = await applyLocally(group, { name, gid: free });
      expect(made.values).to.deep.equal({ exists: true, gid: free, members: [] });
      const wanted = { name, gid: free + 1 };
      expect((await applyLocally(group, wanted)).changes.map(({ path }) => path)).to.deep.equal(['gid']);
      expect((await checkLocally(group, wanted)).diff).to.deep.equal([]);
      expect((await applyLocally(group, { name, state: 'absent' })).values).to.include({ exists: false });
      expect((await checkLocally(group, { name, state: 'absent' })).diff).to.deep.equal([]);
    });
  });
});

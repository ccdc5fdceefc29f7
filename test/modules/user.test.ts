import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import user from '../../modules/user.ts';
import { whyNotDebianRoot } from '../support/accounts.ts';
import { applyLocally, checkLocally, diffOf, output, predicted, stepsOf } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

const hash = '$6$salt$abcdefgh';
const digest = createHash('sha256').update(hash).digest('hex');
const account = `user=ann:x:1001:1001:Ann:/home/ann:/bin/sh
id=uid=1001(ann) gid=1001(ann) groups=1001(ann),27(sudo),29(audio)
homes=/home
home=1
tools=1
`;
const there = output(account);
const missing = output('homes=/home\ntools=1\n');
const resource = 'user:ann';

describe('user', () => {
  for (const args of [
    {},
    { uid: 1001, group: 'ann', shell: '/bin/sh', home: '/home/ann', comment: 'Ann' },
    { groups: ['audio', 'sudo'] },
    { groups: ['sudo'], append: true },
  ]) {
    it(`is satisfied by ${JSON.stringify(args)}`, async () => {
      expect(await diffOf(user, { name: 'ann', ...args }, there)).to.deep.equal([]);
    });
  }

  it('tells what differs, groups as a whole', async () => {
    const diff = await diffOf(user, { name: 'ann', uid: 7, groups: ['sudo'], shell: '/bin/bash' }, there);
    expect(diff).to.deep.equal([
      { path: 'uid', before: 1001, after: 7, resource },
      { path: 'groups', before: ['sudo', 'audio'], after: ['sudo'], resource },
      { path: 'shell', before: '/bin/sh', after: '/bin/bash', resource },
    ]);
  });

  it('tells the home of a new user, for the tasks that need it', async () => {
    expect(await diffOf(user, { name: 'ann' }, missing)).to.deep.equal([
      { path: 'exists', before: false, after: true, resource },
      { path: 'exists', before: false, after: true, resource: 'file:/home/ann' },
      { path: 'type', before: null, after: 'directory', resource: 'file:/home/ann' },
      { path: 'owner', before: null, after: 'ann', resource: 'file:/home/ann' },
      { path: 'mode', before: null, after: null, resource: 'file:/home/ann' },
    ]);
    expect(await diffOf(user, { name: 'ann', create_home: false }, missing)).to.have.length(1);
  });

  describe('where a user has a group of the same name', () => {
    const group = 'group:ann';
    const alone = output(`${account}usergroups=1\nnamesake=1001:\n`);
    const names = async (...asked: Parameters<typeof diffOf>): Promise<unknown[]> => {
      const diff = await diffOf(...asked);
      return 'unknown' in diff ? [diff] : diff.map((change) => [change.resource, change.after]);
    };

    it('has it made with the user, and not where another group is wanted', async () => {
      const none = output('homes=/home\ntools=1\nusergroups=1\n');
      const args = { name: 'ann', create_home: false };
      expect(await names(user, args, none)).to.deep.equal([
        [resource, true],
        [group, true],
      ]);
      expect(await names(user, { ...args, group: 'staff' }, none)).to.deep.equal([
        [resource, true],
        [resource, 'staff'],
      ]);
    });

    it('has it go with the user, but for one that others are in', async () => {
      const args = { name: 'ann', state: 'absent' } as const;
      expect(await names(user, args, alone)).to.deep.equal([
        [resource, false],
        [group, false],
      ]);
      for (const line of ['namesake=1001:bob', 'namesake=1001:\nshared=bob', 'namesake=7:']) {
        expect(await names(user, args, output(`${account}usergroups=1\n${line}\n`)), line).to.have.length(1);
      }
      const made = predicted({ [resource]: { exists: true }, [group]: { exists: true } });
      const none = output('homes=/home\ntools=1\nusergroups=1\n');
      expect(await names(user, args, none, { predicted: made })).to.have.length(2);
    });

    it('fails where there is such a group already, as useradd does', async () => {
      const taken = output('homes=/home\ntools=1\nusergroups=1\nnamesake=7:\n');
      expect(await failureOf(diffOf(user, { name: 'ann' }, taken))).to.contain('say "group: ann"');
      expect(await diffOf(user, { name: 'ann', group: 'ann' }, taken)).to.not.be.empty;
      const gone = predicted({ [resource]: { exists: false }, [group]: { exists: false } });
      expect(await diffOf(user, { name: 'ann' }, alone, { predicted: gone })).to.not.be.empty;
    });
  });

  it('knows of groups, homes and numbers what earlier tasks would make of them', async () => {
    const groupless = predicted({ 'group:audio': { exists: false } });
    expect(await diffOf(user, { name: 'ann', groups: ['sudo'] }, there, { predicted: groupless })).to.deep.equal([]);
    const left = predicted({ [resource]: { exists: false }, 'file:/home/ann': { exists: false } });
    expect(await diffOf(user, { name: 'ann' }, there, { predicted: left })).to.have.length(5);
    const other = predicted({ 'user:bob': { exists: true, uid: 7 } });
    expect(await failureOf(diffOf(user, { name: 'ann', uid: 7 }, there, { predicted: other }))).to.contain(
      'of the user bob',
    );
    const moved = predicted({ 'user:bob': { uid: 8 } });
    const taken = output(`${account}holder=bob\n`);
    expect(await diffOf(user, { name: 'ann', uid: 7 }, taken, { predicted: moved })).to.have.length(1);
  });

  it('compares a password by the digest of its hash, and has it travel on standard input only', async () => {
    const args = { name: 'ann', password: new Secret(hash) };
    expect(await diffOf(user, args, output(`${account}password=${digest}\n`))).to.deep.equal([]);
    const [step, ...others] = await stepsOf(user, args, output(`${account}password=${'0'.repeat(64)}\n`));
    expect(others).to.deep.equal([]);
    if (step?.kind !== 'exec') throw new Error('no exec');
    expect(step.script.text).to.equal('PATH=$PATH:/usr/sbin:/sbin; chpasswd -e');
    expect(step.stdin instanceof Secret && step.stdin.reveal()).to.equal(`ann:${hash}\n`);
  });

  it('says why not: a uid that is taken, a group that is not there, a host without the tools', async () => {
    const taken = output(`${account}holder=bob\n`);
    expect(await failureOf(diffOf(user, { name: 'ann', uid: 7 }, taken))).to.equal('the uid 7 is that of the user bob');
    const groupless = output('homes=/home\nnogroup=docker\ntools=1\n');
    const args = { name: 'ann', groups: ['docker'] };
    expect(await failureOf(diffOf(user, args, groupless))).to.contain('the group docker does not exist on this host');
    const made = predicted({ 'group:docker': { exists: true } });
    expect(await diffOf(user, args, groupless, { predicted: made })).to.not.have.property('unknown');
    expect(await failureOf(diffOf(user, { name: 'ann' }, output('homes=/home\n')))).to.contain('no useradd');
    expect(mistakesOf(user, { name: 'root', state: 'absent' })).to.deep.equal(['root cannot be removed']);
    expect(mistakesOf(user, { name: 'ann', append: true })).to.have.length(1);
    expect(mistakesOf(user, { name: 'ann', comment: 'a:b' })).to.have.length(1);
  });

  it('knows groups of directories, whose names have blanks and brackets in them, and those that have none', async () => {
    const id = 'id=uid=1001(ann) gid=1001(domain users) groups=1001(domain users),27(sudo),3(Lab 7 (EU), old),4711';
    const domain = output(account.replace(/^id=.*$/m, id));
    const args = { name: 'ann', group: 'domain', groups: ['sudo'] };
    expect(await diffOf(user, args, domain)).to.deep.equal([
      { path: 'group', before: 'domain users', after: 'domain', resource },
      { path: 'groups', before: ['sudo', 'Lab 7 (EU), old', '4711'], after: ['sudo'], resource },
    ]);
  });

  it('knows in check mode what earlier tasks would do to the user', async () => {
    const made = predicted({ [resource]: { exists: true, shell: '/bin/bash' } });
    expect(await diffOf(user, { name: 'ann', shell: '/bin/bash' }, missing, { predicted: made })).to.deep.equal([]);
    expect(await diffOf(user, { name: 'ann', uid: 7 }, missing, { predicted: made })).to.have.property('unknown');
    const gone = predicted({ [resource]: { exists: false } });
    expect(await diffOf(user, { name: 'ann', state: 'absent' }, there, { predicted: gone })).to.deep.equal([]);
    expect(await diffOf(user, { name: 'ann' }, there, { predicted: gone })).to.have.length(1);
    const packaged = predicted({ 'package:ann-server': { 'ann-server': '1' } });
    expect(await diffOf(user, { name: 'ann' }, missing, { predicted: packaged })).to.have.property('unknown');
  });

  describe('on this machine', function () {
    this.timeout(20_000);
    const name = `runbook-u${process.pid}`;
    before(function () {
      if (whyNotDebianRoot() !== undefined) this.skip();
    });
    after(() => {
      if (whyNotDebianRoot() === undefined) execFileSync('sh', ['-c', `userdel -r ${name} 2>/dev/null || :`]);
    });

    it('makes, changes and removes a user, and then has nothing to do', async () => {
      const first = {
        name,
        groups: ['audio', 'video'],
        shell: '/bin/sh',
        password: new Secret(hash),
        comment: 'A test',
      };
      const made = await applyLocally(user, first);
      expect(made.values).to.deep.include({ exists: true, group: name, groups: ['audio', 'video'], shell: '/bin/sh' });
      expect(existsSync(`/home/${name}`)).to.equal(true);
      expect(execFileSync('sh', ['-c', `getent shadow ${name}`], { encoding: 'utf8' })).to.contain(hash);
      expect((await checkLocally(user, first)).diff).to.deep.equal([]);

      const second = { name, groups: ['games'], append: true, shell: '/bin/bash', password: '!' };
      const changed = await applyLocally(user, second);
      expect(changed.changes.map(({ path }) => path)).to.deep.equal(['groups', 'shell', 'password']);
      expect([...(changed.values.groups as string[])].sort()).to.deep.equal(['audio', 'games', 'video']);
      expect((await applyLocally(user, { name, groups: [] })).values.groups).to.deep.equal([]);

      const gone = { name, state: 'absent', remove_home: true };
      expect((await applyLocally(user, gone)).values).to.include({ exists: false, uid: null });
      expect(existsSync(`/home/${name}`)).to.equal(false);
      expect((await checkLocally(user, gone)).diff).to.deep.equal([]);
    });
  });
});

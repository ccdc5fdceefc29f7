import { expect } from 'chai';
import { printedFor } from './rig.ts';

/** What is read of a folder is held beside Ansible's answer; here is what we say about it. */
describe('folders of inventories', () => {
  it('files that end in .ini or .cfg are left out, as in Ansible, and are named', async () => {
    expect(await printedFor({ 'inv/a.ini': 'h\n', 'inv/b.cfg': 'h\n', 'inv/c': 'h\n' }, ['inv'])).to.equal(
      `warning: inv/a.ini is not read: in a folder, Ansible leaves out what ends in .ini or .cfg
  hint: name it without the ending

warning: inv/b.cfg is not read: in a folder, Ansible leaves out what ends in .ini or .cfg
  hint: name it without the ending`,
    );
  });

  it('the mistakes of all files are reported together', async () => {
    const printed = await printedFor({ 'inv/a': 'h x\n', 'inv/b/c.yml': 'web: [h]\n' }, ['inv']);
    expect(printed.split('\n').filter((line) => line.includes('error:'))).to.deep.equal([
      `inv/a:1:3: error: after a host's name come variables as key=value, not "x"`,
      'inv/b/c.yml:1:6: error: the group "web" is a map with hosts, children and vars, not a list',
    ]);
  });

  it('a folder without hosts is a mistake', async () => {
    expect(await printedFor({ 'inv/a.yml': '', 'inv/group_vars/all.yml': 'x: 1' }, ['inv'])).to.equal(
      'error: the inventory inv has no hosts',
    );
  });
});

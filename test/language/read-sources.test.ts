import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSources } from '../../engine/language/load/read-sources.ts';
import { moduleFolders } from '../../engine/language/load/role-folders.ts';
import { writeFiles } from '../support/play.ts';

describe('reading what a playbook names', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-sources-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('finds every file on the disk, also through links, and none that nothing names', async () => {
    await writeFiles(folder, {
      'play.yaml':
        '- hosts: all\n  roles: [linked]\n  vars_files: [v.yaml]\n  tasks: [{include_tasks: "os/{{ x }}.yaml"}]\n',
      'v.yaml': 'a: 1\n',
      'os/a.yaml': '- import_tasks: ../t.yaml\n',
      'os/b.yaml': '[]\n',
      'os/c.txt': '',
      't.yaml': '[]\n',
      'other.yaml': '[]\n',
      'elsewhere/tasks/main.yml': '- import_role: second\n',
      'elsewhere/modules/m.ts': '',
      'roles/second/inputs.yaml': 'a: {type: string}\n',
      'roles/unused/tasks/main.yaml': '[]\n',
      'roles/unused/modules/m.ts': '',
    });
    await symlink(join(folder, 'elsewhere'), join(folder, 'roles/linked'));
    const sources = await readSources(join(folder, 'play.yaml'), {});
    const names = [...sources.files.keys()].map((path) => path.slice(folder.length + 1)).sort();
    expect(names).to.deep.equal([
      ...['os/a.yaml', 'os/b.yaml', 'play.yaml', 'roles/linked/tasks/main.yml', 'roles/second/inputs.yaml'],
      ...['t.yaml', 'v.yaml'],
    ]);
    expect(sources.roles.map((role) => role.name)).to.deep.equal(['linked', 'second']);
    expect(moduleFolders(sources.look, sources.roles)).to.deep.equal([join(folder, 'roles/linked/modules')]);
  });

  it('reads each file once', async () => {
    const read: string[] = [];
    const texts: Record<string, string> = {
      'p.yaml':
        '- import_playbook: q.yaml\n- import_playbook: q.yaml\n- hosts: all\n  tasks: [{import_tasks: t.yaml}]\n',
      'q.yaml': '- hosts: all\n  tasks: [{import_tasks: t.yaml}]\n- import_playbook: p.yaml\n',
      't.yaml': '- import_tasks: t.yaml\n',
    };
    const readFile = async (path: string): Promise<string> => {
      read.push(path);
      return texts[path] ?? '';
    };
    await readSources('p.yaml', { readFile, listFolder: async () => [] });
    expect(read).to.deep.equal(['p.yaml', 'q.yaml', 't.yaml']);
  });
});

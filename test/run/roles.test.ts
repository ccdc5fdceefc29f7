import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { play } from '../support/play.ts';

const greet = `
import { defineAction } from 'runbook';
export default defineAction({
  name: 'greet',
  summary: 'Greets',
  schema: { type: 'object', additionalProperties: false, required: ['who'], properties: { who: { type: 'string' } } },
  run: async ({ who }) => ({ message: 'hello ' + who }),
});
`;

describe('a role', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-roles-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('brings its templates, files and modules, before those of the same name beside the playbook', async () => {
    const run = await play(folder, {
      'hosts.ini': 'h1 ansible_connection=local\n',
      'play.yaml': '- hosts: all\n  roles: [{role: web, vars: {out: "{{ playbook_dir }}/out"}}]\n',
      'templates/site': 'of the playbook',
      'roles/web/defaults/main.yaml': 'port: 80\n',
      'roles/web/templates/site': 'port {{ port }}\n',
      'roles/web/files/site': 'a file\n',
      'roles/web/modules/greet.ts': greet,
      'roles/web/tasks/main.yaml': `
- file-template: {src: site, dest: "{{ out }}.template"}
- copy: {src: site, dest: "{{ out }}.copy"}
- greet: {who: "{{ port }}"}
`,
    });
    expect(run.exitCode).to.equal(0);
    expect(await readFile(join(folder, 'out.template'), 'utf8')).to.equal('port 80\n');
    expect(await readFile(join(folder, 'out.copy'), 'utf8')).to.equal('a file\n');
    expect(run.said('greet')).to.contain('hello 80');
  });

  it('runs the handler of the role that was notified, not one of the same name', async () => {
    const run = await play(folder, {
      'hosts.ini': 'h1 ansible_connection=local\n',
      'play.yaml': '- hosts: all\n  roles: [web, db]\n  handlers: [{name: restart, debug: {message: "play"}}]\n',
      'roles/web/tasks/main.yaml': '- {shell: {cmd: "true"}, notify: restart}\n',
      'roles/web/handlers/main.yaml': '- {name: restart, debug: {message: "web"}}\n',
      'roles/db/tasks/main.yaml': '- debug: {message: nothing}\n',
      'roles/db/handlers/main.yaml': '- {name: restart, debug: {message: "db"}}\n',
    });
    expect(run.ends.filter((end) => end.includes('restart'))).to.deep.equal(['h1: web : restart: ok']);
  });
});

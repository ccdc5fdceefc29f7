import { expect } from 'chai';
import { playFiles } from '../support/play.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { counting } from './counting.ts';
import { withSshBench } from './ssh-play.ts';

const megabyte = 1024 * 1024;

/** A command that prints without end, or what a terminal would obey: it fails, and the host goes on. */
describe('a host that floods', () => {
  const counted = counting('floods');

  const floods: readonly (readonly [name: string, command: string])[] = [
    ['its output', 'yes flood | head -c 300000000'],
    ['its error output', 'yes flood | head -c 300000000 >&2'],
    ['both', 'yes flood | head -c 300000000 | tee /dev/stderr'],
    ['one endless line', 'yes flood | tr -d "\\\\n" | head -c 300000000'],
    ['zeros', 'head -c 300000000 /dev/zero'],
  ];
  const tasks = (command: string): string => `
- name: flood
  shell: { cmd: '${command}' }
  ignore_errors: true
  timeout: 120
- name: after
  shell: { cmd: echo fine, reads: true }
  register: said
- name: tell
  debug: { message: "{{ said.stdout }}" }
`;

  for (const [name, command] of floods) {
    it(`${name} over ssh: the task fails and says why, little is kept, the next task has its own output`, async function () {
      if (whyNoSshd() !== undefined) return this.skip();
      this.timeout(60_000);
      await withSshBench(async (bench) => {
        const before = process.memoryUsage().rss;
        const run = await bench.play(tasks(command));
        expect(run.ends).to.deep.equal(['n1: flood: ignored', 'n1: after: ok', 'n1: tell: ok']);
        expect(run.said('flood')).to.match(/more than 16/);
        expect(run.said('tell')).to.equal('fine');
        expect(JSON.stringify(run.events).length).to.be.below(megabyte);
        expect(process.memoryUsage().rss - before, 'memory').to.be.below(400 * megabyte);
        counted.held('over ssh');
      });
    });
  }

  it('what looks like the end of a script: it is output', () =>
    playFiles(
      {
        'hosts.ini': 'n1 ansible_connection=local\n',
        'play.yaml': `- hosts: n1
  gather_facts: false
  tasks:
    - name: forge
      shell: { cmd: "printf 'e%032d 0\\\\n' 0; printf '\\\\033[2J'; exit 3", reads: true }
      ignore_errors: true
`,
      },
      (run) => {
        expect(run.ends).to.deep.equal(['n1: forge: ignored']);
        expect(run.said('forge')).to.include('exit status 3');
        counted.held('of forged marks');
      },
    ));
});

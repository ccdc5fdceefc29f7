import { expect } from 'chai';
import { playFiles } from '../../support/play.ts';

/** A module of a user's own whose probe does not answer as it should. */
const module = (name: string, script: string): string => `
import { defineModule, probe, sh } from 'runbook';
export default defineModule({
  name: '${name}', summary: 'Asks a bad question',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`${script}\`, ({ stdout }) => stdout), diff: () => [], *apply() {},
});`;

/** Between two tasks with nothing wrong about them, which have nothing to do either. */
const playbook = (task: string): string => `
- hosts: h1
  tasks:
    - { name: before, file: { path: DIR, state: directory } }
    - { name: bad, ${task}, ignore_errors: true }
    - { name: after, file: { path: DIR, state: directory } }
    - { name: last, file: { path: DIR, state: directory } }
`;

describe('a probe that is asked with those of other tasks', function () {
  this.timeout(120_000);

  it('and hangs costs its own task', () =>
    playFiles(
      { 'play.yaml': playbook('hang: {}, timeout: 2'), 'modules/hang.ts': module('hang', 'echo so far; sleep 3600') },
      (run) => {
        expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
        expect(run.said('bad')).to.match(/did not end within 2.0 s; it was killed.*so far/s);
      },
    ));

  it('and prints without end costs its own task', () =>
    playFiles({ 'play.yaml': playbook('flood: {}'), 'modules/flood.ts': module('flood', 'yes') }, (run) => {
      expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
      expect(run.said('bad')).to.match(/printed more than 16 MiB/);
    }));

  it('and is no shell script costs its own task', () =>
    playFiles(
      {
        'play.yaml': playbook('broken: {}'),
        'modules/broken.ts': module('broken', 'if then').replace(
          '({ stdout }) => stdout',
          '({ rc, stderr }) => { if (rc !== 0) throw new Error(stderr); }',
        ),
      },
      (run) => {
        expect(run.ends).to.deep.equal(['h1: before: ok', 'h1: bad: ignored', 'h1: after: ok', 'h1: last: ok']);
        expect(run.said('bad')).to.match(/syntax error|unexpected/i);
      },
    ));
});

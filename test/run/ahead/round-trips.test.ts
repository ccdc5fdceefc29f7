import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { createChunkProxy } from '../../support/chunk-proxy.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { play } from '../../support/play.ts';
import { startSshd, whyNoSshd } from '../../support/sshd.ts';

/** So many tasks, each of which has a file of its own. */
const copies = (count: number): string =>
  Array.from({ length: count }, (_, i) => `    - copy: { dest: DIR/${i}, content: "text ${i}" }\n`).join('');

describe('round trips to a host over ssh', function () {
  this.timeout(60_000);
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  /** How often a play waits for its host once it is logged in, after it was played before and `between` was done. */
  async function turnsOf(
    tasks: string,
    between: (folder: string) => Promise<void> = async () => {},
    isBatched = true,
  ): Promise<number> {
    await using sshd = await startSshd({});
    await using proxy = await createChunkProxy(sshd.port, 20);
    return await withTemporaryFolder(async (folder) => {
      const place = (text: string): string => text.replaceAll('DIR', folder);
      const files = {
        'play.yaml': place(`- hosts: n1\n  tasks:\n${tasks}`),
        'hosts.ini': `n1 ansible_host=127.0.0.1 ansible_port=${proxy.port} ansible_user=${sshd.user} ansible_ssh_private_key_file=${sshd.keyFile}\n`,
      };
      const once = await play(folder, files, { hostKeyChecking: 'off', isBatched });
      expect(once.exitCode, JSON.stringify(once.events.at(-1))).to.equal(0);
      await between(folder);
      let before = 0;
      const onEvent = ({ type }: StampedEvent): void => {
        if (type === 'host-connected') before = proxy.turns;
      };
      expect((await play(folder, files, { hostKeyChecking: 'off', isBatched, onEvent })).exitCode).to.equal(0);
      return proxy.turns - before;
    });
  }

  let ofOne = 0;
  before(async () => {
    ofOne = await turnsOf(copies(1));
  });

  it('are three and a farewell for one task: a channel, a shell in it, and the task', () => {
    expect(ofOne).to.equal(4);
  });

  it('are as many for 20 tasks as for one', async () => {
    expect(await turnsOf(copies(20))).to.equal(ofOne);
    expect(await turnsOf(copies(20), undefined, false)).to.equal(ofOne + 19);
  });

  it('are as many for a loop as for one of its turns', async () => {
    const loop = '    - copy: { dest: "DIR/{{ item }}", content: x }\n      loop: [a, b, c, d, e]\n';
    expect(await turnsOf(loop)).to.equal(ofOne);
  });

  it('are one more for the facts: what needs none is asked with them', async () => {
    const reader = '    - copy: { dest: DIR/os, content: "{{ facts.os.id }}" }\n';
    expect(await turnsOf(`${reader}${copies(10)}`)).to.equal(ofOne + 1);
    expect(await turnsOf(`${copies(10)}${reader}`)).to.equal(ofOne + 1);
  });

  it('are one more for a change, and one to tidy up: what it came to is asked along with it, and the tasks after it', async () => {
    const remove =
      (...names: number[]) =>
      async (folder: string): Promise<void> => {
        for (const name of names) await rm(join(folder, String(name)));
      };
    expect(await turnsOf(copies(20), remove(10))).to.equal(ofOne + 1 + 1);
    expect(await turnsOf(copies(20), remove(10, 15))).to.equal(ofOne + 2 + 1);
    // One by one, each change is told and looked at again by itself.
    expect(await turnsOf(copies(20), remove(10, 15), false)).to.equal(ofOne + 19 + 2 * 2 + 1);
  });
});

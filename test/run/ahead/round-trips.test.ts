import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../../engine/base/clock.ts';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { createChunkProxy } from '../../support/chunk-proxy.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { play } from '../../support/play.ts';
import { inventoryLine, startSshd, whyNoSshd } from '../../support/sshd.ts';
import { pathToSudo } from '../../support/sudo.ts';

/** So many tasks, each of which has a file of its own, and other keywords. */
const copies = (count: number, keywords: (number: number) => string = () => ''): string =>
  Array.from(
    { length: count },
    (_, i) => `    - { copy: { dest: DIR/${i}, content: "text ${i}" }${keywords(i)} }\n`,
  ).join('');

const asRoot = ', become: true';
/** Not nobody: that is whom another test becomes, and a user of this machine is held by one run at a time. */
const asAnother = `${asRoot}, become_user: daemon`;

describe('round trips to a host over ssh', function () {
  this.timeout(60_000);
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  /**
   * How often a play waits for its host once it is logged in, after it was played before and `between` was done. Before each
   * task `passMs` go by.
   */
  async function turnsOf(
    tasks: string,
    between: (folder: string) => Promise<void> = async () => {},
    isBatched = true,
    others: Readonly<Record<string, string>> = {},
    passMs = 0,
  ): Promise<number> {
    return await withTemporaryFolder(async (folder) => {
      // For whomever a task becomes.
      await chmod(folder, 0o777);
      const env = { RUNBOOK_HOST_FOLDER: join(folder, 'effects') };
      await using sshd = await startSshd({ env, path: pathToSudo });
      await using proxy = await createChunkProxy(sshd.port, 20);
      const place = (text: string): string => text.replaceAll('DIR', folder);
      const files = {
        'play.yaml': place(`- hosts: n1\n  tasks:\n${tasks}`),
        ...Object.fromEntries(Object.entries(others).map(([name, text]) => [name, place(text)])),
        'hosts.ini': `${inventoryLine('n1', { ...sshd, port: proxy.port })}\n`,
      };
      const once = await play(folder, files, { hostKeyChecking: 'off', isBatched });
      expect(once.exitCode, JSON.stringify(once.events.at(-1))).to.equal(0);
      await between(folder);
      let before = 0;
      let passedMs = 0;
      const onEvent = ({ type }: StampedEvent): void => {
        if (type === 'host-connected') before = proxy.turns;
        if (type === 'task-started') passedMs += passMs;
      };
      const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
      expect((await play(folder, files, { hostKeyChecking: 'off', isBatched, onEvent, clock })).exitCode).to.equal(0);
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

  it('are as many where some of the tasks become the user that one is already', async () => {
    expect(await turnsOf(copies(20, (i) => (i % 2 === 0 ? '' : asRoot)))).to.equal(ofOne);
  });

  it('are as many for another user: he is become in the turn in which his shell is told what to ask', async () => {
    expect(await turnsOf(copies(1, () => asAnother))).to.equal(ofOne);
    expect(await turnsOf(copies(20, () => asAnother))).to.equal(ofOne);
  });

  it('are three more for a second user, however often he and the first one take turns', async () => {
    expect(await turnsOf(copies(20, (i) => (i % 2 === 0 ? '' : asAnother)))).to.equal(ofOne + 3);
  });

  it('are as many for tasks of files that are included, in blocks and loops, too', async () => {
    const more = `- { name: x, copy: { dest: 'DIR/{{ default item "none" }}', content: x } }\n`;
    const include = (keywords: string): string => `    - { include_tasks: more.yaml${keywords} }\n`;
    const inBlock = `    - when: is_wanted\n      vars: { is_wanted: true }\n      block:\n    ${include(', when: is_wanted')}`;
    const tasks = `${include('')}${inBlock}${include(', loop: [a, b, c]')}${copies(3)}`;
    expect(await turnsOf(tasks, undefined, true, { 'more.yaml': more })).to.equal(ofOne);
  });

  it('are one more for the facts: what needs none is asked with them', async () => {
    const reader = '    - copy: { dest: DIR/os, content: "{{ facts.os.id }}" }\n';
    expect(await turnsOf(`${reader}${copies(10)}`)).to.equal(ofOne + 1);
    expect(await turnsOf(`${copies(10)}${reader}`)).to.equal(ofOne + 1);
  });

  it('are one more for facts that were asked for so long ago that nothing is to be decided by them', async () => {
    const tasks = `${copies(1)}    - debug: { message: "{{ facts.os.id }}" }\n`;
    expect(await turnsOf(tasks)).to.equal(ofOne);
    expect(await turnsOf(tasks, undefined, true, {}, 31_000)).to.equal(ofOne + 1);
  });

  it('are as many for tasks that take their time: what is asked too long ago is asked together again', async () => {
    // A minute goes by before each of the 20; after ten of them the answers are too old.
    expect(await turnsOf(copies(20), undefined, true, {}, 60_000)).to.equal(ofOne + 1);
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

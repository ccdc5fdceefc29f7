import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diff } from '../../engine/module/contract.ts';
import sysctl from '../../modules/sysctl.ts';
import { applyLocally, diffOf, output, predicted, stepsOf, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

const file = '/etc/sysctl.d/99-runbook.conf';

function answer(head: string, text?: string): ReturnType<typeof output> {
  const described =
    text === undefined
      ? `real=${file}\ntype=\n`
      : `real=${file}\ntype=file\nmode=644\nuid=0\ngid=0\nsize=1\nowner=root\ngroup=root\nsha256=0\ncontent:\n${Buffer.from(text).toString('base64')}\n`;
  return output(`${head}==file\n${described}`);
}

function changesOf(diff: Diff): Record<string, unknown> {
  if ('unknown' in diff) return { unknown: diff.unknown };
  return Object.fromEntries(diff.map((c) => [`${c.resource ?? ''} ${c.path}`, [c.before, c.after]]));
}

const forward = { 'net.ipv4.ip_forward': 1 };

describe('sysctl', () => {
  describe('compares what a host answered', () => {
    const cases: {
      name: string;
      values: Record<string, unknown>;
      recorded: ReturnType<typeof output>;
      changes: Record<string, unknown>;
    }[] = [
      {
        name: 'everything as it must be',
        values: forward,
        recorded: answer('live=net/ipv4/ip_forward=1 \n', 'net.ipv4.ip_forward=1\n'),
        changes: {},
      },
      {
        name: 'another value now, and no file',
        values: forward,
        recorded: answer('live=net/ipv4/ip_forward=0 \n'),
        changes: {
          'sysctl:net/ipv4/ip_forward net.ipv4.ip_forward': ['0', '1'],
          [`file:${file} exists`]: [false, true],
          [`file:${file} content`]: [null, 'net.ipv4.ip_forward = 1\n'],
        },
      },
      {
        name: 'right now, but not after a reboot',
        values: forward,
        recorded: answer(
          'live=net/ipv4/ip_forward=1 \n',
          '# ours\nnet.ipv4.ip_forward = 0\nvm.swappiness = 10\nnet/ipv4/ip_forward = 2\n',
        ),
        changes: {
          [`file:${file} content`]: [
            '# ours\nnet.ipv4.ip_forward = 0\nvm.swappiness = 10\nnet/ipv4/ip_forward = 2\n',
            '# ours\nnet.ipv4.ip_forward = 1\nvm.swappiness = 10\n',
          ],
        },
      },
      {
        name: 'white space does not matter',
        values: { 'net.ipv4.tcp_rmem': '4096 87380  6291456' },
        recorded: answer('live=net/ipv4/tcp_rmem=4096 87380   6291456 \n', 'net.ipv4.tcp_rmem=4096\t87380\t6291456\n'),
        changes: {},
      },
      {
        name: 'names with dots in them',
        values: { 'net/ipv4/conf/eth0.100/forwarding': 1 },
        recorded: answer('live=net/ipv4/conf/eth0.100/forwarding=1\n', 'net.ipv4.conf.eth0/100.forwarding = 1\n'),
        changes: {},
      },
    ];
    for (const { name, values, recorded, changes } of cases) {
      it(name, async () => {
        expect(changesOf(await diffOf(sysctl, { values }, recorded))).to.deep.equal(changes);
      });
    }
  });

  describe('a file that is read later', () => {
    const live = 'live=net/ipv4/ip_forward=1\n';
    const later = 'file=/etc/sysctl.d/99-sysctl.conf\nset=/etc/sysctl.d/99-sysctl.conf:net.ipv4.ip_forward=0\n';

    it('and wins at boot is named', async () => {
      expect(await failureOf(diffOf(sysctl, { values: forward }, answer(live + later)))).to.equal(
        `/etc/sysctl.d/99-sysctl.conf is read after ${file} at boot and sets net.ipv4.ip_forward = 0, not 1; change it there, or give a "file" whose name sorts later`,
      );
    });

    it('is no matter when it says the same, is a comment, or comes earlier', async () => {
      const same = later.replace('=0', '=1');
      const comment = later.replace('net.', '#net.');
      const earlier = 'file=/usr/lib/sysctl.d/50-x.conf\nset=/usr/lib/sysctl.d/50-x.conf:net.ipv4.ip_forward = 0\n';
      for (const head of [same, comment, earlier]) {
        const diff = await diffOf(sysctl, { values: forward }, answer(live + head, 'net.ipv4.ip_forward = 1\n'));
        expect(diff).to.deep.equal([]);
      }
    });

    it('is no matter when a file of its name in a folder before it hides it', async () => {
      const hidden =
        'file=/etc/sysctl.d/99-z.conf\nfile=/usr/lib/sysctl.d/99-z.conf\nset=/usr/lib/sysctl.d/99-z.conf:net.ipv4.ip_forward=0\n';
      const diff = await diffOf(sysctl, { values: forward }, answer(live + hidden, 'net.ipv4.ip_forward = 1\n'));
      expect(diff).to.deep.equal([]);
    });

    it('is no matter when the last of all says the wanted value', async () => {
      const twice = `${later}file=/run/sysctl.d/99-zz.conf\nset=/run/sysctl.d/99-zz.conf:net.ipv4.ip_forward = 1\n`;
      const diff = await diffOf(sysctl, { values: forward }, answer(live + twice, 'net.ipv4.ip_forward = 1\n'));
      expect(diff).to.deep.equal([]);
    });

    it('is no matter when an earlier task of a check removes it', async () => {
      const context = { predicted: predicted({ 'file:/etc/sysctl.d/99-sysctl.conf': { exists: false } }) };
      const diff = await diffOf(
        sysctl,
        { values: forward },
        answer(live + later, 'net.ipv4.ip_forward = 1\n'),
        context,
      );
      expect(diff).to.deep.equal([]);
    });

    it('is /etc/sysctl.conf on a host without systemd', async () => {
      const head = `${live}set=/etc/sysctl.conf:net.ipv4.ip_forward=0\n`;
      expect(await failureOf(diffOf(sysctl, { values: forward }, answer(head)))).to.match(
        /^\/etc\/sysctl\.conf is read after/,
      );
    });
  });

  describe('a parameter that the kernel does not have', () => {
    const values = { 'net.bridge.bridge-nf-call-iptables': 1 };

    it('is an error that names the module which brings it', async () => {
      expect(await failureOf(diffOf(sysctl, { values }, answer('')))).to.equal(
        "this host's kernel has no parameter net.bridge.bridge-nf-call-iptables; the kernel module br_netfilter brings it, load that first",
      );
    });

    it('is pending when an earlier task of a check loads that module', async () => {
      const context = { predicted: predicted({ 'kernel-module:br_netfilter': { loaded: true } }) };
      const diff = changesOf(await diffOf(sysctl, { values }, answer(''), context));
      expect(diff).to.have.property('sysctl:net/bridge/bridge-nf-call-iptables net.bridge.bridge-nf-call-iptables');
    });

    it('is only written with ignore_missing', async () => {
      const diff = changesOf(await diffOf(sysctl, { values, ignore_missing: true }, answer('')));
      expect(Object.keys(diff)).to.deep.equal([`file:${file} exists`, `file:${file} content`]);
    });

    it('is unknown after a command that was not run', async () => {
      const context = { predicted: predicted({ command: { command: 'modprobe br_netfilter' } }) };
      expect(await diffOf(sysctl, { values }, answer(''), context)).to.have.property('unknown');
    });
  });

  it('is known in check mode when an earlier task set it', async () => {
    const context = { predicted: predicted({ 'sysctl:net/ipv4/ip_forward': { 'net.ipv4.ip_forward': '1' } }) };
    const recorded = answer('live=net/ipv4/ip_forward=0\n', 'net.ipv4.ip_forward = 1\n');
    expect(await diffOf(sysctl, { values: forward }, recorded, context)).to.deep.equal([]);
  });

  it('sets what differs, and then writes the file', async () => {
    const recorded = answer('live=net/ipv4/ip_forward=0\nlive=vm/swappiness=10\n');
    const steps = await stepsOf(sysctl, { values: { ...forward, 'vm.swappiness': 10 } }, recorded);
    expect(steps.map((step) => step.kind)).to.deep.equal(['exec', 'put']);
    expect(steps[0]).to.have.property('purpose', 'setting net.ipv4.ip_forward');
    expect(steps[0]).to.have.nested.property('script.text').that.includes('sysctl -w net/ipv4/ip_forward=1');
  });

  it('judges its arguments', () => {
    expect(mistakesOf(sysctl, { values: { forward: 1 } })).to.deep.equal([
      '"forward" is no name of a kernel parameter',
    ]);
    expect(mistakesOf(sysctl, { values: { 'a.b': '1\n2' } })).to.have.length(1);
    expect(mistakesOf(sysctl, { values: forward, file: '/etc/sysctl.d/x' })).to.deep.equal([
      '"file" must end in .conf, or it is not read at boot',
    ]);
    expect(mistakesOf(sysctl, { values: {} })).to.have.length(1);
  });

  it('reads this machine, and keeps its lines in a file', async () => {
    const live = (await readFile('/proc/sys/kernel/ostype', 'utf8')).trim();
    await withTemporaryFolder(async (folder) => {
      const args = { values: { 'kernel.ostype': live }, file: join(folder, '99-test.conf') };
      expect((await applyLocally(sysctl, args)).changes.map((c) => c.path)).to.deep.equal(['exists', 'content']);
      expect(await readFile(args.file, 'utf8')).to.equal(`kernel.ostype = ${live}\n`);
      const second = await applyLocally(sysctl, args);
      expect(second.changes).to.deep.equal([]);
      expect(second.values).to.deep.equal({ values: { 'kernel.ostype': live } });
    });
  });
});

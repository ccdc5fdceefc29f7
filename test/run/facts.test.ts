import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { sh } from '../../engine/base/sh.ts';
import { type Facts, factsSchema } from '../../engine/language/facts-schema.ts';
import { createValidator } from '../../engine/module/arguments.ts';
import { factsProbe } from '../../engine/run/facts.ts';
import { output, runLocally, withTemporaryFolder } from '../support/module-rig.ts';

const validator = createValidator();

/** The facts in a recorded answer. They are as their schema says, or this throws. */
async function recorded(name: string): Promise<Facts> {
  const text = await readFile(new URL(`../fixtures/facts/${name}.txt`, import.meta.url), 'utf8');
  return checked(factsProbe.parse(output(text)));
}

function checked(facts: Facts): Facts {
  const mistakes = validator.check(factsSchema, structuredClone(facts) as unknown as Record<string, unknown>);
  expect(mistakes).to.deep.equal([]);
  return facts;
}

describe('facts', () => {
  it('of a Kubernetes node with Debian 12 and containerd', async () => {
    const none = { installed: false, version: '', running: false, socket: '' };
    expect(await recorded('debian-12')).to.deep.equal({
      hostname: 'node-1',
      fqdn: 'node-1.example.org',
      os: {
        id: 'debian',
        version: '12',
        name: 'Debian GNU/Linux 12 (bookworm)',
        family: 'debian',
        codename: 'bookworm',
      },
      machine: 'x86_64',
      arch: 'amd64',
      kernel: '6.1.0-18-amd64',
      cgroup_version: 2,
      service_manager: 'systemd',
      systemd_version: 252,
      cpus: 4,
      memory_mb: 7939,
      swap_mb: 0,
      addresses: {
        default_ipv4: '10.20.0.11',
        default_ipv6: '2001:db8:20::11',
        default_interface: 'ens3',
        ipv4: ['10.20.0.11', '10.20.0.250', '10.30.0.1'],
        ipv6: ['2001:db8:20::11'],
        interfaces: {
          ens3: {
            ipv4: ['10.20.0.11/24', '10.20.0.250/32'],
            ipv6: ['2001:db8:20::11/64', 'fe80::5054:ff:fe12:3456/64'],
          },
          'br-lan': { ipv4: ['10.30.0.1/24'], ipv6: [] },
        },
      },
      mounts: [
        { path: '/', device: '/dev/vda1', fstype: 'ext4', size_bytes: 20910297088, free_bytes: 14668025856 },
        { path: '/boot/efi', device: '/dev/vda15', fstype: 'vfat', size_bytes: 129718272, free_bytes: 117594112 },
        { path: '/mnt/nas', device: 'nas:/export', fstype: 'nfs4', size_bytes: 0, free_bytes: 0 },
        { path: '/srv/my files', device: '/dev/vdc1', fstype: 'xfs', size_bytes: 1024000000, free_bytes: 0 },
        {
          path: '/var/lib/containerd',
          device: '/dev/mapper/data-containerd',
          fstype: 'xfs',
          size_bytes: 107321753600,
          free_bytes: 98105753600,
        },
      ],
      container_runtimes: {
        docker: none,
        containerd: {
          installed: true,
          version: '1.6.20~ds1',
          running: true,
          socket: '/run/containerd/containerd.sock',
        },
        crio: none,
      },
      kubelet: {
        installed: true,
        version: '1.28.4',
        running: true,
        runtime_endpoint: 'unix:///run/containerd/containerd.sock',
        node_name: 'worker-1.example.org',
      },
    });
  });

  it('of Ubuntu 22.04 with Docker, a kubelet that is stopped and a point-to-point link', async () => {
    const facts = await recorded('ubuntu-22.04');
    expect(facts.os).to.deep.include({ id: 'ubuntu', version: '22.04', family: 'debian', codename: 'jammy' });
    expect(facts).to.deep.include({ arch: 'arm64', swap_mb: 2048, fqdn: 'Web-7' });
    expect(facts.addresses).to.deep.include({ default_ipv6: '', ipv4: ['192.0.2.20', '10.99.0.2'] });
    expect(facts.container_runtimes.docker).to.deep.equal({
      installed: true,
      version: '24.0.7',
      running: true,
      socket: '/run/docker.sock',
    });
    expect(facts.container_runtimes.containerd.version).to.equal('1.6.26');
    expect(facts.kubelet).to.deep.equal({
      installed: true,
      version: '1.23.17',
      running: false,
      runtime_endpoint: '',
      node_name: 'web-7',
    });
  });

  it('of Alpine 3.19 with busybox, OpenRC and Podman under the name of Docker', async () => {
    const facts = await recorded('alpine-3.19');
    expect(facts).to.deep.include({ arch: 'arm', service_manager: 'openrc', systemd_version: 0, fqdn: 'edge.lan' });
    expect(facts.os).to.deep.equal({
      id: 'alpine',
      version: '3.19.0',
      name: 'Alpine Linux v3.19',
      family: 'alpine',
      codename: '',
    });
    expect(facts.addresses).to.deep.include({ default_interface: 'eth0', default_ipv6: '', ipv6: ['fd00::15'] });
    expect(facts.mounts.map((m) => `${m.path} ${m.size_bytes}`)).to.deep.equal(['/ 3072000000', '/tmp 255303680']);
    expect(facts.container_runtimes.docker.installed).to.equal(false);
    expect(facts.container_runtimes.containerd).to.deep.include({ version: '2.0.4', running: true });
    expect(facts.kubelet).to.deep.include({ installed: false, node_name: '' });
  });

  it('of Rocky 9 with CRI-O, IPv6 alone and the endpoint in the kubelet’s configuration file', async () => {
    const facts = await recorded('rocky-9');
    expect(facts).to.deep.include({ hostname: 'cp1.example.net', fqdn: 'cp1.example.net' });
    expect(facts.os).to.deep.include({ id: 'rocky', family: 'rhel', version: '9.3' });
    expect(facts.addresses).to.deep.include({ default_ipv4: '', default_interface: 'enp1s0', ipv4: [] });
    expect(facts.container_runtimes.crio).to.deep.equal({
      installed: true,
      version: '1.28.2',
      running: true,
      socket: '/run/crio/crio.sock',
    });
    expect(facts.kubelet.runtime_endpoint).to.equal('unix:///var/run/crio/crio.sock');
  });

  const families: readonly (readonly [id: string, like: string, family: string])[] = [
    ['rhel', 'fedora', 'rhel'],
    ['amzn', 'centos rhel fedora', 'rhel'],
    ['linuxmint', 'ubuntu debian', 'debian'],
    ['opensuse-leap', 'suse opensuse', 'suse'],
    ['flatcar', 'coreos', 'flatcar'],
    ['constructor', '', 'constructor'],
  ];
  for (const [id, like, family] of families) {
    it(`count ${id} as ${family}`, () => {
      const { os } = factsProbe.parse(output(`##facts:os\nID=${id}\nID_LIKE="${like}"\n`));
      expect(os.family).to.equal(family);
    });
  }

  it('of an answer with nothing in it are stand-ins', () => {
    const facts = checked(factsProbe.parse(output('')));
    expect(facts.os).to.deep.include({ id: 'unknown', family: 'unknown' });
    expect(facts).to.deep.include({ cgroup_version: 1, cpus: 1, memory_mb: 0, mounts: [] });
  });

  it('are as their schema says whatever a host answers', () => {
    const names = ['uname', 'hosts', 'os', 'cpus', 'memory', 'addresses', 'route4', 'mounts', 'df', 'docker', 'flags'];
    const line = fc.oneof(fc.string(), fc.constantFrom('2: __proto__ inet 1.2.3.4/8', 'a b c', 'x 1 2 3 - /p'));
    const section = fc.tuple(fc.constantFrom(...names), fc.array(line));
    fc.assert(
      fc.property(fc.array(section), (sections) => {
        const text = sections.map(([name, lines]) => [`##facts:${name}`, ...lines].join('\n')).join('\n');
        checked(factsProbe.parse(output(text)));
      }),
    );
  });

  it('of this machine make sense', async () => {
    const facts = checked(factsProbe.parse(await runLocally(factsProbe.script)));
    const uname = (flag: string): string => execFileSync('uname', [flag], { encoding: 'utf8' }).trim();
    expect([facts.hostname, facts.machine, facts.kernel]).to.deep.equal([uname('-n'), uname('-m'), uname('-r')]);
    expect(facts.cpus).to.be.greaterThan(0);
    expect(facts.memory_mb).to.be.greaterThan(0);
    expect(facts.os.id).to.not.equal('unknown');
    const root = facts.mounts.find((mount) => mount.path === '/');
    expect(root?.size_bytes).to.be.greaterThan(root?.free_bytes ?? 0);
  });

  it('ask the binaries of runtimes for their version and nothing else', () =>
    withTemporaryFolder(async (folder) => {
      const answers = {
        dockerd: 'Docker version 24.0.7, build 311b9ff',
        containerd: 'containerd github.com/containerd/containerd v1.7.13 7c3aca7a610df76212171d200ca3811ff6096eb8',
        kubelet: 'Kubernetes v1.28.4',
      };
      const log = join(folder, 'calls');
      for (const [name, answer] of Object.entries(answers)) {
        await writeFile(join(folder, name), `#!/bin/sh\necho "${name} $*" >>'${log}'\necho '${answer}'\n`);
        await chmod(join(folder, name), 0o755);
      }
      const script = sh`PATH=${folder}:"$PATH" exec sh -c ${factsProbe.script.text}`;
      const facts = factsProbe.parse(await runLocally(script));
      expect(facts.container_runtimes.docker.version).to.equal('24.0.7');
      expect(facts.container_runtimes.containerd.version).to.equal('1.7.13');
      expect(facts.kubelet.version).to.equal('1.28.4');
      const calls = await readFile(log, 'utf8');
      expect(calls.trim().split('\n')).to.deep.equal(Object.keys(answers).map((name) => `${name} --version`));
    }));

  it('come from a host that has busybox alone', async function () {
    const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
    if (busybox === undefined) return this.skip();
    await withTemporaryFolder(async (folder) => {
      const bin = join(folder, 'bin');
      await mkdir(bin);
      execFileSync(busybox, ['--install', '-s', bin]);
      const text = factsProbe.script.text.replace(/^PATH=.*$/m, '');
      const alone = factsProbe.parse(await runLocally(sh`PATH=${bin} exec ${busybox} sh -c ${text}`));
      const whole = factsProbe.parse(await runLocally(factsProbe.script));
      const steady = ({ hostname, os, arch, kernel, cgroup_version, memory_mb, addresses }: Facts) => ({
        ...{ hostname, os, arch, kernel, cgroup_version, memory_mb, addresses },
      });
      expect(steady(alone)).to.deep.equal(steady(whole));
      expect(alone.mounts.map((mount) => mount.path)).to.deep.equal(whole.mounts.map((mount) => mount.path));
    });
  });
});

import type { ArgumentsSchema, FromSchema } from '../module/schema.ts';

const text = (description: string) => ({ type: 'string', description }) as const;
const integer = (description: string) => ({ type: 'integer', description }) as const;
const yesNo = (description: string) => ({ type: 'boolean', description }) as const;
const texts = (description: string) => ({ type: 'array', items: { type: 'string' }, description }) as const;

/**
 * What `facts` has, as one JSON Schema: the source of the type {@link Facts}, of docs/facts.md and of what the static check
 * knows. Every fact is always there: what a host lacks has a stand-in (`''`, 0, false, an empty list), so that a condition
 * can ask for it without asking first whether it exists.
 */
export const factsSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'hostname',
    'fqdn',
    'os',
    'machine',
    'arch',
    'kernel',
    'cgroup_version',
    'service_manager',
    'systemd_version',
    'cpus',
    'memory_mb',
    'swap_mb',
    'addresses',
    'mounts',
    'container_runtimes',
    'kubelet',
  ],
  properties: {
    hostname: text(
      'The name that the host has for itself (`uname -n`); inventory_hostname is the one that you gave it.',
    ),
    fqdn: text(
      'The name with its domain, from `uname -n` or /etc/hosts. The hostname where neither has a domain: DNS is not asked.',
    ),
    os: {
      type: 'object',
      description: 'The distribution, from os-release(5).',
      additionalProperties: false,
      required: ['id', 'version', 'name', 'family', 'codename'],
      properties: {
        id: text('`debian`, `ubuntu`, `rocky`, `alpine`; `unknown` without os-release.'),
        version: text(
          '`12`, `22.04`, `9.3`; a text, so compare it with versionAtLeast(). Empty for a rolling release.',
        ),
        name: text('The name for people: `Debian GNU/Linux 12 (bookworm)`.'),
        family: text(
          '`debian`, `rhel`, `suse`, `arch` or `alpine` for these and what is made from them; else the `id`.',
        ),
        codename: text('`bookworm`, `jammy`; empty where releases have none.'),
      },
    },
    machine: text('As `uname -m` says it: `x86_64`, `aarch64`.'),
    arch: text('As releases are named: `amd64`, `arm64`, `arm`; else as `machine`.'),
    kernel: text('The release of the running kernel: `6.1.0-18-amd64`.'),
    cgroup_version: {
      type: 'integer',
      enum: [1, 2],
      description: '2 where /sys/fs/cgroup is a cgroup2 file system, else 1 (hybrid hosts too).',
    },
    service_manager: {
      type: 'string',
      enum: ['systemd', 'openrc', 'other'],
      description: 'What runs the services. A host on which systemd is installed but did not boot it is `other`.',
    },
    systemd_version: integer('The installed systemd, 0 where there is none.'),
    cpus: integer('Processors that are online.'),
    memory_mb: integer('Physical memory, in MiB.'),
    swap_mb: integer('Swap in use or ready for it, in MiB; 0 where swap is off.'),
    addresses: {
      type: 'object',
      description:
        'IP addresses, without loopback and without the interfaces of containers (docker0, br-…, veth…, cni…, flannel…, cali…, cilium…, kube-ipvs0 and the like). Empty where the host has no `ip`.',
      additionalProperties: false,
      required: ['default_ipv4', 'default_ipv6', 'default_interface', 'ipv4', 'ipv6', 'interfaces'],
      properties: {
        default_ipv4: text('The address that the IPv4 default route sends from; empty without such a route.'),
        default_ipv6: text('The same for IPv6.'),
        default_interface: text('The interface of the default route, IPv4 before IPv6; empty without one.'),
        ipv4: texts('All IPv4 addresses.'),
        ipv6: texts('All IPv6 addresses but the link-local ones.'),
        interfaces: {
          type: 'object',
          description: 'What each interface has, by its name. An interface without an address is not listed.',
          additionalProperties: {
            type: 'object',
            additionalProperties: false,
            required: ['ipv4', 'ipv6'],
            properties: {
              ipv4: texts('With the length of the prefix: `192.0.2.7/24`.'),
              ipv6: texts('With the length of the prefix, link-local ones too.'),
            },
          },
        },
      },
    },
    mounts: {
      type: 'array',
      description:
        'Mounted file systems, sorted by path, without those of the kernel, of containers, pods and snaps, and under /run and /dev.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['path', 'device', 'fstype', 'size_bytes', 'free_bytes'],
        properties: {
          path: text('Where it is mounted.'),
          device: text('`/dev/sda1`, `server:/export`, or the type again for what has no device.'),
          fstype: text('`ext4`, `xfs`, `nfs4`.'),
          size_bytes: integer(
            '0 for a network file system: it is not asked, because one whose server is gone never answers.',
          ),
          free_bytes: integer('What a user other than root can still fill; 0 where `size_bytes` is.'),
        },
      },
    },
    container_runtimes: {
      type: 'object',
      description:
        'Container runtimes. Their binaries are asked, never their daemons: a daemon that hangs holds nothing up.',
      additionalProperties: false,
      required: ['docker', 'containerd', 'crio'],
      properties: {
        docker: {
          type: 'object',
          description:
            'Docker Engine, or its client where only that is installed. Podman under its name is not counted.',
          additionalProperties: false,
          required: ['installed', 'version', 'running', 'socket'],
          properties: {
            installed: yesNo('A binary in PATH says its version.'),
            version: text('`24.0.7`; empty when not installed.'),
            running: yesNo('Its service is active. Without systemd: a process of that name exists.'),
            socket: text('The path of its socket, empty when there is none.'),
          },
        },
        containerd: {
          type: 'object',
          description: 'containerd, Docker’s own one included.',
          additionalProperties: false,
          required: ['installed', 'version', 'running', 'socket'],
          properties: {
            installed: yesNo('A binary in PATH says its version.'),
            version: text('`1.7.13`, without the v; empty when not installed.'),
            running: yesNo('Its service is active. Without systemd: a process of that name exists.'),
            socket: text('The path of its socket, empty when there is none.'),
          },
        },
        crio: {
          type: 'object',
          description: 'CRI-O.',
          additionalProperties: false,
          required: ['installed', 'version', 'running', 'socket'],
          properties: {
            installed: yesNo('A binary in PATH says its version.'),
            version: text('`1.28.2`; empty when not installed.'),
            running: yesNo('Its service is active. Without systemd: a process of that name exists.'),
            socket: text('The path of its socket, empty when there is none.'),
          },
        },
      },
    },
    kubelet: {
      type: 'object',
      description: 'The kubelet, as its binary and its flags tell it.',
      additionalProperties: false,
      required: ['installed', 'version', 'running', 'runtime_endpoint', 'node_name'],
      properties: {
        installed: yesNo('A binary in PATH says its version.'),
        version: text('`1.28.4`, without the v; empty when not installed.'),
        running: yesNo('Its service is active. Without systemd: a process of that name exists.'),
        runtime_endpoint: text(
          'The CRI socket: `unix:///run/containerd/containerd.sock`. From the flags of the running kubelet, else from kubeadm-flags.env, /etc/default/kubelet, /etc/sysconfig/kubelet and config.yaml, as far as whoever asks may read them; empty when none says it.',
        ),
        node_name: text('`--hostname-override`, else the hostname in lower case; empty when not installed.'),
      },
    },
  },
} as const satisfies ArgumentsSchema;

/** What is known of a host without being told: {@link factsSchema} as a type. */
export type Facts = FromSchema<typeof factsSchema>;

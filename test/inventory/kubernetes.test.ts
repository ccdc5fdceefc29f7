import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Inventory } from '../../engine/inventory/inventory.ts';
import { readNodes } from '../../engine/inventory/kubernetes-nodes.ts';
import { matchHosts } from '../../engine/inventory/patterns.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { createFakeKubeApi, type FakeNode, kubeconfigFor } from '../support/fake-kube-api.ts';
import { folderWith, mistakesOf, variablesOf } from './rig.ts';

/** What `kubectl get nodes -o json` says of three nodes, cut down to what is read of it and a little more. */
const nodes: readonly FakeNode[] = [
  {
    metadata: {
      name: 'cp-1',
      labels: {
        'kubernetes.io/hostname': 'cp-1',
        'node-role.kubernetes.io/control-plane': '',
        'node-role.kubernetes.io/master': '',
        'topology.kubernetes.io/zone': 'eu-1a',
      },
    },
    spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
        { type: 'Hostname', address: 'cp-1' },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: {
        kubeletVersion: 'v1.33.1',
        containerRuntimeVersion: 'containerd://1.7.27',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        kernelVersion: '6.1.0-37-amd64',
      },
    },
  },
  {
    metadata: {
      name: 'worker-1',
      labels: { 'topology.kubernetes.io/zone': 'eu-1b', 'node.kubernetes.io/instance-type': 'm5.large', gpu: '' },
    },
    spec: { unschedulable: true },
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
      conditions: [{ type: 'Ready', status: 'Unknown' }],
      nodeInfo: { kubeletVersion: 'v1.32.0', containerRuntimeVersion: 'docker://24.0.9' },
    },
  },
  { metadata: { name: 'edge', labels: { 'node-role.kubernetes.io/ingress': 'yes' } } },
];

describe('nodes of a cluster', () => {
  const read = (options: Partial<Parameters<typeof readNodes>[1]> = {}) => {
    const found = readNodes({ items: nodes }, { address: 'InternalIP', groupLabels: [], ...options });
    return Object.fromEntries((found ?? []).map((node) => [node.name, node]));
  };
  const groupsOf = (name: string, groupLabels: readonly string[] = []): string =>
    (read({ groupLabels })[name]?.groups ?? []).map((group) => group.name).join(' ');

  it('are in groups by role and zone; one without a role is a worker', () => {
    expect(groupsOf('cp-1')).to.equal('control_plane zone_eu_1a');
    expect(groupsOf('worker-1')).to.equal('worker zone_eu_1b');
    expect(groupsOf('edge')).to.equal('role_ingress worker');
  });

  it('are in groups by those labels that are named', () => {
    const labels = ['node.kubernetes.io/instance-type', 'gpu'];
    expect(groupsOf('worker-1', labels)).to.equal(
      'worker zone_eu_1b label_node_kubernetes_io_instance_type_m5_large label_gpu',
    );
    expect(groupsOf('cp-1', labels)).to.equal('control_plane zone_eu_1a');
  });

  it('say what they are', () => {
    expect(read()['cp-1']?.variables).to.deep.equal({
      ansible_host: '10.0.0.1',
      kube_node_name: 'cp-1',
      zone: 'eu-1a',
      kubernetes: {
        node: 'cp-1',
        ready: true,
        schedulable: true,
        roles: ['control-plane'],
        labels: nodes[0]?.metadata.labels,
        taints: [{ key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' }],
        addresses: [
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: 'fd00::1' },
          { type: 'Hostname', address: 'cp-1' },
        ],
        kubelet_version: 'v1.33.1',
        container_runtime: 'containerd://1.7.27',
        os_image: 'Debian GNU/Linux 12 (bookworm)',
        kernel_version: '6.1.0-37-amd64',
      },
    });
    expect(read()['worker-1']?.variables.kubernetes).to.include({ ready: 'unknown', schedulable: false });
  });

  it('are reached by the address that is asked for', () => {
    expect(read({ address: 'Hostname' })['cp-1']?.variables.ansible_host).to.equal('cp-1');
    expect(read({ address: 'name' })['cp-1']?.variables).not.to.have.property('ansible_host');
    expect(read({ address: 'ExternalIP' })['cp-1']?.missingAddress).to.deep.equal([
      'InternalIP',
      'InternalIP',
      'Hostname',
    ]);
    expect(read({ address: 'name' }).edge).not.to.have.property('missingAddress');
  });

  it('are read from nothing but a list of nodes', () => {
    for (const answer of [undefined, null, 1, 'text', [], {}, { items: {} }, { items: [{}] }, { items: [null] }]) {
      expect(readNodes(answer, { address: 'InternalIP', groupLabels: [] })).to.equal(undefined);
    }
  });
});

describe('a kubernetes source', () => {
  const mistakes: Record<string, readonly [string, string]> = {
    'without a source': ['context: prod', 'the source is missing'],
    'with another source': ['source: openstack', 'the only source is "kubernetes"'],
    'with an unknown key': ['source: kubernetes\ncontxt: prod', 'a kubernetes source has no "contxt"'],
    'with an unknown address': ['source: kubernetes\naddress: internalIP', 'address is one of InternalIP'],
    'with a context that is no text': ['source: kubernetes\ncontext: 1', 'context is a text, not the number 1'],
    'with labels that are no list': ['source: kubernetes\ngroup_labels: zone', 'group_labels is a list of labels'],
    'with a NUL': ['source: kubernetes\nselector: "a\\0b"', 'selector has a NUL in it'],
    'that is a list': ['- a', 'a source of hosts is a map'],
    'that is empty': ['', 'a source of hosts is a map'],
    'with all of it wrong at once': ['sorce: x\ncontext: []', 'context is a text'],
  };
  for (const [title, [text, expected]] of Object.entries(mistakes)) {
    it(`${title}: ${expected}`, async () => {
      await using folder = await folderWith({ 'c.kubernetes.yaml': text });
      const printed = await mistakesOf(() => loadInventory({ sources: [join(folder.path, 'c.kubernetes.yaml')] }));
      expect(printed)
        .to.contain(expected)
        .and.to.match(/c\.kubernetes\.yaml:\d+:\d+: error/);
    });
  }

  it('says what is missing when there is no kubectl', async () => {
    await using folder = await folderWith({ 'c.kubernetes.yml': 'source: kubernetes\n' });
    const printed = await withPath(folder.path, () =>
      mistakesOf(() => loadInventory({ sources: [join(folder.path, 'c.kubernetes.yml')] })),
    );
    expect(printed).to.contain('kubectl is not on the PATH');
  });

  const stand: Record<string, readonly [string, string]> = {
    'does not end': ['exec sleep 60', 'kubectl get nodes did not end within 0.3 s'],
    'prints no JSON': ['echo hello', 'kubectl get nodes printed no list of nodes'],
    fails: [
      'echo "You must be logged in" >&2; exit 1',
      'kubectl get nodes ended with status 1:\nYou must be logged in',
    ],
  };
  for (const [title, [script, expected]] of Object.entries(stand)) {
    it(`says so when kubectl ${title}`, async () => {
      await using folder = await folderWith({ 'c.kubernetes.yaml': 'source: kubernetes\n' });
      await mkdir(join(folder.path, 'bin'));
      await writeFile(join(folder.path, 'bin/kubectl'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
      await chmod(join(folder.path, 'bin/kubectl'), 0o755);
      const sources = [join(folder.path, 'c.kubernetes.yaml')];
      const printed = await withPath(join(folder.path, 'bin'), () =>
        mistakesOf(() => loadInventory({ sources, programDeadlineMs: 300 })),
      );
      expect(printed).to.contain(expected);
    });
  }
});

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const title = 'a kubernetes source with the real kubectl';

(hasKubectl ? describe : describe.skip)(hasKubectl ? title : `${title} (skipped: no kubectl on the PATH)`, function () {
  this.timeout(60_000);

  const load = async (
    text: string,
    files: Record<string, string> = {},
  ): Promise<{ inventory: Inventory; warnings: string[]; requests: readonly string[] }> => {
    await using api = await createFakeKubeApi(nodes);
    await using folder = await folderWith({ 'c.kubernetes.yaml': text, 'kube/config': api.kubeconfig, ...files });
    const { inventory, diagnostics } = await loadInventory({ sources: [join(folder.path, 'c.kubernetes.yaml')] });
    return { inventory, warnings: diagnostics.map((d) => `${d.message}; ${d.hint ?? ''}`), requests: api.requests };
  };
  const names = (inventory: Inventory, pattern: string): string =>
    matchHosts(inventory, pattern)
      .map((host) => host.name)
      .join(' ');

  it('makes hosts and groups of the nodes; its variables are those of a group, and files beside it win', async () => {
    const text = `source: kubernetes
kubeconfig: kube/config
context: test
group_labels: [gpu]
vars:
  ansible_user: admin
  greeting: hello {{ ansible_user }}
`;
    const { inventory, warnings } = await load(text, { 'host_vars/cp-1.yaml': 'ansible_user: root\n' });
    expect(names(inventory, 'nodes')).to.equal('cp-1 worker-1 edge');
    expect(names(inventory, 'control_plane')).to.equal('cp-1');
    expect(names(inventory, 'worker:&zone_eu_1b')).to.equal('worker-1');
    expect(names(inventory, 'label_gpu,role_ingress')).to.equal('worker-1 edge');
    expect(variablesOf(inventory.hosts.get('cp-1'))).to.include({ ansible_host: '10.0.0.1', ansible_user: 'root' });
    expect(variablesOf(inventory.hosts.get('worker-1'))).to.include({ ansible_user: 'admin', greeting: 'hello admin' });
    expect(warnings).to.deep.equal([
      'the node "edge" has no InternalIP: it is reached by its name; it has no address at all',
    ]);
  });

  it('asks for the nodes of a selector only, and puts them into the group that it names', async () => {
    const { inventory, requests } = await load(
      'source: kubernetes\nkubeconfig: kube/config\nselector: topology.kubernetes.io/zone=eu-1b\ngroup: prod\n',
    );
    expect(names(inventory, 'prod')).to.equal('worker-1');
    expect(inventory.hosts.size).to.equal(1);
    expect(requests.join('\n')).to.contain('labelSelector=topology.kubernetes.io%2Fzone%3Deu-1b');
  });

  it('says when no node matches', async () => {
    expect(await mistakesOf(() => load('source: kubernetes\nkubeconfig: kube/config\nselector: nope=1\n'))).to.match(
      /the inventory .*c\.kubernetes\.yaml has no hosts/,
    );
  });

  it('says what kubectl says of a context that is not there, and of a cluster that does not answer', async () => {
    expect(await mistakesOf(() => load('source: kubernetes\nkubeconfig: kube/config\ncontext: nope\n')))
      .to.contain('context was not found for specified context: nope')
      .and.to.contain('hint: kubectl config get-contexts lists the contexts that there are');
    // Port 1 of loopback: nobody listens there.
    const dead = { 'kube/dead': kubeconfigFor('http://127.0.0.1:1') };
    expect(await mistakesOf(() => load('source: kubernetes\nkubeconfig: kube/dead\n', dead)))
      .to.match(/status 1:\nThe connection to the server 127.0.0.1:1 was refused/)
      .and.to.contain('hint: try it by hand: kubectl get nodes --kubeconfig=');
  });

  it('takes nothing that a cluster says for a template', async () => {
    const odd = {
      ...nodes[0],
      metadata: { name: 'odd' },
      spec: { taints: [{ key: '{{ ansible_host }}', effect: 'x' }] },
    };
    await using api = await createFakeKubeApi([odd]);
    await using folder = await folderWith({
      'c.kubernetes.yaml': 'source: kubernetes\nkubeconfig: k\n',
      k: api.kubeconfig,
    });
    const { inventory } = await loadInventory({ sources: [join(folder.path, 'c.kubernetes.yaml')] });
    const { kubernetes } = variablesOf(inventory.hosts.get('odd')) as { kubernetes: { taints: { key: string }[] } };
    expect(kubernetes.taints[0]?.key).to.equal('{{ ansible_host }}');
  });
});

/** With another PATH, which a program that is looked up sees. */
async function withPath<T>(path: string, act: () => Promise<T>): Promise<T> {
  const before = process.env.PATH;
  process.env.PATH = path;
  try {
    return await act();
  } finally {
    process.env.PATH = before;
  }
}

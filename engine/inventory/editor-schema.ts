import { computable, type EditorSchema, has, ref } from '../language/editor-schema/parts.ts';
import type { MapFile } from '../language/editor-schema.ts';
import { type ConnectionProperty, connectionNames } from './connection-names.ts';
import { addressTypes } from './kubernetes-nodes.ts';

const anyText = { type: ['string', 'number'] };

/** What each connection variable says, and the values that it takes. */
const connectionVariables: Readonly<
  Record<ConnectionProperty, { readonly summary: string; readonly takes: EditorSchema }>
> = {
  host: { summary: 'The address to connect to; the name of the host unless it is set.', takes: anyText },
  port: {
    summary: 'The port of sshd.',
    takes: { type: ['integer', 'string'], minimum: 1, maximum: 65_535, pattern: '^[0-9]+$' },
  },
  user: { summary: 'The user to log in as.', takes: anyText },
  password: { summary: 'The password to log in with.', takes: anyText },
  privateKeyFile: {
    summary: 'The key to log in with: a path on this machine.',
    takes: { type: 'string', minLength: 1 },
  },
  privateKeyPassphrase: { summary: 'The passphrase of the key.', takes: anyText },
  connection: {
    summary: 'How the host is reached: over ssh, or local, on this machine itself.',
    takes: { enum: ['ssh', 'local', 'smart'] },
  },
  timeout: {
    summary: 'Seconds to wait for a connection.',
    takes: { type: ['number', 'string'], exclusiveMinimum: 0, pattern: '^[0-9.]+$' },
  },
  sshArgs: {
    summary: 'Options of ssh, such as -o ProxyJump=bastion; those of ansible_ssh_common_args add to them.',
    takes: { type: 'string' },
  },
  sshCommonArgs: { summary: 'Options of ssh, such as -o ProxyJump=bastion.', takes: { type: 'string' } },
  sshExtraArgs: { summary: 'Further options of ssh.', takes: { type: 'string' } },
  become: {
    summary: 'Whether tasks become another user on the host.',
    takes: { type: ['boolean', 'string', 'integer'] },
  },
  becomeUser: { summary: 'The user to become; root unless it is set.', takes: anyText },
  becomeMethod: { summary: 'How to become another user.', takes: { enum: ['sudo', 'su', 'doas'] } },
  becomePassword: { summary: 'The password for becoming another user.', takes: anyText },
};

/**
 * How inventories in YAML are known: a cluster by `source: kubernetes`; groups by the one called `all`, or by having nothing
 * but groups, one of them with hosts or children.
 */
export function inventoryFiles(): readonly MapFile[] {
  const isMap = { type: ['object', 'null'] };
  const members = { type: ['object', 'string', 'null'] };
  const isGroup = { anyOf: [has('hosts'), has('children')], properties: { hosts: members, children: members } };
  const hasGroup = { additionalProperties: isMap, not: { additionalProperties: { not: isGroup } } };
  const hasAll = { ...has('all'), properties: { all: isMap } };
  return [
    { when: { ...has('source'), properties: { source: { const: 'kubernetes' } } }, then: ref('kubernetes-source') },
    { when: { type: 'object', anyOf: [hasAll, hasGroup] }, then: ref('inventory') },
  ];
}

/** The definitions of YAML inventories for the editor's schema: `inventory` and `kubernetes-source` are whole files. */
export function inventoryDefinitions(): Readonly<Record<string, EditorSchema>> {
  return {
    inventory: {
      description: 'An inventory: groups by name, each with hosts, children and vars.',
      type: 'object',
      properties: { all: ref('group') },
      additionalProperties: ref('group'),
    },
    'kubernetes-source': kubernetesSource(),
    group: {
      title: 'group',
      description: 'A group of hosts.',
      type: ['object', 'null'],
      properties: {
        hosts: {
          description:
            'The hosts of the group, by name, each with its variables. Ranges such as node[01:20] stand for many.',
          type: ['object', 'string', 'null'],
          additionalProperties: ref('host-variables'),
        },
        children: {
          description: 'Groups whose hosts belong to this group too.',
          type: ['object', 'string', 'null'],
          additionalProperties: ref('group'),
        },
        vars: ref('host-variables'),
      },
      additionalProperties: false,
    },
    'host-variables': {
      description: 'Variables. Those that begin with ansible_ say how a host is reached.',
      type: ['object', 'null'],
      properties: Object.fromEntries(connectionProperties()),
    },
  };
}

function kubernetesSource(): EditorSchema {
  const text = (description: string): EditorSchema => ({ description, type: 'string', minLength: 1 });
  return {
    description: 'The nodes of a cluster as hosts, listed by kubectl.',
    type: 'object',
    properties: {
      source: { description: 'What lists the hosts.', const: 'kubernetes' },
      kubeconfig: text(
        'The path of a kubeconfig, from the folder of this file; what kubectl takes by itself unless set.',
      ),
      context: text('A context of the kubeconfig.'),
      selector: text('A label selector, as kubectl get -l takes it: only the nodes that it selects.'),
      address: {
        description: 'Which address of a node is connected to. InternalIP unless it is set.',
        enum: addressTypes,
      },
      group: text('The group that all nodes are in; nodes unless it is set.'),
      group_labels: {
        description: 'Labels whose values become groups.',
        type: 'array',
        items: { type: 'string' },
      },
      vars: ref('host-variables'),
    },
    additionalProperties: false,
  };
}

function connectionProperties(): (readonly [string, EditorSchema])[] {
  return (Object.keys(connectionNames) as ConnectionProperty[]).flatMap((property) => {
    const [name = '', ...others] = connectionNames[property];
    const { summary, takes } = connectionVariables[property];
    const schema = computable([takes], { title: name, description: summary });
    const alias = { ...computable([takes], { title: name, description: summary }), doNotSuggest: true };
    return [[name, schema] as const, ...others.map((other) => [other, alias] as const)];
  });
}

import { hostname, userInfo } from 'node:os';
import { createKubeCluster, hasKubectl, type KubeCluster } from '../../support/kube-cluster.ts';
import type { DocSection, Setting } from '../section.ts';

let cluster: KubeCluster | undefined;

async function setup(): Promise<Setting> {
  const made = await createKubeCluster();
  cluster = made;
  const server = /"server":"([^"]+)"/.exec(made.kubeconfig)?.[1] ?? '';
  return {
    names: { API: server, 'ops@controller-1': `${userInfo().username}@${hostname()}` },
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: prod, cluster: { server: '@API@' } }]
users: [{ name: ops, user: {} }]
contexts: [{ name: prod, context: { cluster: prod, user: ops } }]
current-context: prod
`;

/** A playbook that works on drained nodes. */
function upgrade(task: string): string {
  return `- hosts: nodes
  gather_facts: false
  serial: { window: 3 }
  tasks:
    - name: Work on an empty node
      lease:
        name: Drained
        kubectl-drain: { node: '{{ inventory_hostname }}', kubeconfig: kubeconfig, delete_emptydir_data: true, timeout: 60 }
        delegate_to: localhost
      block:
        - name: Upgrade the kubelet
          shell: { cmd: '${task}', chdir: '{{ playbook_dir }}' }
`;
}

/** The first lines of a text that look so. */
const lines =
  (pattern: RegExp, count: number) =>
  (text: string): string =>
    text
      .split('\n')
      .filter((line) => pattern.test(line))
      .slice(0, count)
      .join('\n');

/** The text of the first event of a wait. */
function firstWait(text: string): string {
  const events = text
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as { type: string }] : []));
  const wait = events.find((event) => event.type === 'host-task-progress') as
    | { host: string; text: string }
    | undefined;
  return `${wait?.host}: ${wait?.text}`;
}

const section: DocSection = {
  title: 'Leases: what is taken is given back',
  whyNot: () => (hasKubectl ? undefined : 'there is no kubectl'),
  setup,
  files: {
    kubeconfig,
    'hosts.ini': '[nodes]\nnode-1\nnode-2\nnode-3\n[nodes:vars]\nansible_connection=local\n',
    'upgrade.yaml': upgrade('echo upgrading'),
    'broken.yaml': upgrade('echo "no space left on device" >&2; exit 1'),
    'release.yaml': `- hosts: node-1
  gather_facts: false
  tasks:
    - lease:
        name: Out of the pool
        out-of-pool: { pool: '{{ playbook_dir }}/pool' }
        delegate_to: localhost
      block:
        - name: Release
          shell: { cmd: sleep 30 }
`,
    'pool/README': 'A file HOST.out keeps a host out of the pool.\n',
    'modules/out-of-pool.ts': `import { defineLease, exec, failure, probe, sh } from 'runbook';

const holderOf = (file: string) => exec(sh\`cat \${file} 2>/dev/null\`, { okCodes: 'any', purpose: 'looking who has it out' });

export default defineLease({
  name: 'out-of-pool',
  summary: 'Keeps a host out of the pool of the load balancer',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['pool'],
    properties: { pool: { type: 'string', description: 'The folder that the load balancer reads.' } },
  },
  probe: ({ pool }) => probe(sh\`ls \${pool}\`, ({ stdout }) => stdout.split('\\n')),
  diff: (files, { pool }) => [{ path: pool, before: files, after: 'without the host' }],
  // Pure, and written to the journal before anything is done: what giving it back will need, whoever does it.
  grant: ({ args, host, runId, who }) => ({ file: \`\${args.pool}/\${host}.out\`, holder: \`\${runId} \${who}\` }),
  // May be called again with the same grant: what is ours already is taken.
  *acquire({ grant }) {
    const { stdout } = yield holderOf(grant.file);
    if (stdout.trim() === grant.holder) return;
    if (stdout !== '') throw failure(\`taken out by \${stdout.trim()}\`);
    // With -C two who come at the same time do not both succeed.
    yield exec(sh\`set -C; printf '%s\\\\n' \${grant.holder} > \${grant.file}\`, { purpose: 'taking the host out' });
  },
  renewEveryMs: 60_000,
  *renew({ grant }) {
    const { stdout } = yield holderOf(grant.file);
    if (stdout.trim() !== grant.holder) return { lost: \`it is now taken out by \${stdout.trim() || 'nobody'}\` };
  },
  // Ok too when only a part was taken, or nothing.
  *release({ grant }) {
    const { stdout } = yield holderOf(grant.file);
    if (stdout.trim() === grant.holder) yield exec(sh\`rm \${grant.file}\`, { purpose: 'putting the host back' });
  },
});
`,
  },
  steady: [
    [/web-6c9f7d5b8-\w{5}/g, 'web-6c9f7d5b8-k2x8p'],
    [/ and \d more pods?/g, ' and 1 more pod'],
  ],
  parts: [
    `A lease is held around a block and given back on every way out: a drained node, a host that is out of the pool. It is taken
just before the first effect under the block, so a node on which nothing is to be done is never drained. What giving it back
needs (the **grant**) is written to the journal, synced to disk, before anything is taken. So whatever ends the run (a
failure, Ctrl-C, the budget, \`kill -9\`), the run that is resumed or \`runbook leases release\` gives it back.

\`kubectl-drain\` holds a Kubernetes node. The first Ctrl-C ends a drain within seconds, and the node is uncordoned again;
while it drains, it says which pod it waits for and what holds that pod:`,
    { file: 'upgrade.yaml' },
    { act: () => cluster?.setFaults({ blockedBudgets: ['default/web'] }).then(() => undefined) },
    {
      run: 'runbook play upgrade.yaml -i hosts.ini --limit node-1 --output ndjson',
      onLine: (line) => {
        if (line.includes('"host-task-progress"')) void cluster?.setFaults({});
      },
      select: firstWait,
    },
    `A host that fails after something under the lease changed it keeps the lease: a half-changed node stays out of service
(\`on_failure: release\` or \`keep\` says otherwise). The recap and \`runbook leases\` name it:`,
    { run: 'runbook play broken.yaml -i hosts.ini --limit node-1', status: 2 },
    { run: 'runbook leases' },
    `The node says so itself, for whoever looks at it without us: which run, who, since when, and whether the node took pods
before. Every change of it carries the version that it was decided on, so a cordon of a human is never taken for ours: a
node that was cordoned before the run stays cordoned after it.`,
    {
      run: `kubectl --kubeconfig kubeconfig get node node-1 -o 'jsonpath={.metadata.annotations.runbook\\.io/drain}'`,
    },
    'When the node is in order, the next run takes it over; or it is given back as it is:',
    { run: 'runbook leases release --host node-1' },
    {
      run: 'kubectl --kubeconfig kubeconfig get nodes -o custom-columns=NAME:.metadata.name,UNSCHEDULABLE:.spec.unschedulable',
    },
    `### One run at a time

\`kubectl-drain\` also takes the **maintenance lock** of the cluster, the Lease \`kube-system/runbook-node-maintenance\`. One run
holds it, for as many nodes as it has in hand, and it is free with the last one. Another run waits, at most \`timeout\`, saying
for whom, and then fails without having touched a node. When a run dies, its lock can be taken over five minutes after it was
last renewed, and the run that does so says it. A node that is kept cordoned does not keep the lock: it is out of service,
the cluster is not. \`maintenance_lock: false\` does without it.

Where there is [kured](https://kured.dev), its lock (the annotation of its DaemonSet) is waited for, too, and held in kured's
own format: it reboots no node meanwhile. \`kured: off\` leaves it alone. What the user of the kubeconfig may not do is said
before a node is touched, in check mode as well:`,
    { act: () => cluster?.setFaults({ forbidden: ['leases'] }).then(() => undefined) },
    {
      run: 'runbook play upgrade.yaml -i hosts.ini --limit node-2 --check',
      status: 2,
      select: lines(/^failed: .*maintenance lock|^ {4}hint: .*kubeconfig needs/, 2),
    },
    { act: () => cluster?.setFaults({}).then(() => undefined) },
    `### Writing a lease

A lease is a module like any other: a file in \`modules/\` beside the playbook. All that follows \`grant\` may be run more than
once with the same grant, so each says what is to be so, and not what is to be done:`,
    { file: 'modules/out-of-pool.ts' },
    `- \`grant\` is pure. It goes to the journal as it is: nothing secret may be in it (a \`Secret\` in it is refused). The arguments
  are passed again to whatever follows; where a secret is in them, they are rendered again.
- \`acquire\` fails with \`failure(…)\`; then \`release\` gives back what it took so far (\`isUndo\` is true). To wait, it yields
  \`pause(ms, { waitingFor, sinceMs, deadlineMs })\` between two tries. A text that it returns is shown: whom it took over from.
- \`renew\` runs beside the tasks, over a connection of its own. \`{ lost }\` says that somebody else has it: then no further step
  under the lease is started on that host, and its task fails with the reason. When it fails, it is told and tried again.
- \`keep\`, where there is one, gives back what must not be held without a run when a host failed and its lease is kept.
- \`release\` gives back only what is its own. \`{ lost }\` says that there was nothing to give back.

Killed with \`kill -9\` in the midst of it, the run leaves the host out of the pool, and it is not lost:`,
    {
      run: 'runbook play release.yaml -i hosts.ini --output ndjson',
      status: null,
      onLine: (line, kill) => {
        if (line.includes('"step-started"') && line.includes('sleep 30')) kill('SIGKILL');
      },
      select: () => 'Killed',
    },
    { run: 'ls pool' },
    { run: 'runbook leases' },
    { run: 'runbook leases release --all' },
    { run: 'ls pool' },
    `While a run is at work its leases are its own: they are listed, and not released. \`--output json\` gives both lists to
programs. \`runbook leases\` ends with 0; \`release\` with 0 when all was given back (also where somebody else has it by now),
with 2 when something could not be, with 5 where there is no such run, or its playbook cannot be loaded any more.`,
  ],
};

export default section;

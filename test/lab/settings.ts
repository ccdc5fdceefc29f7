import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root; every path the lab writes for others is relative to it. */
export const repoDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What may be thrown away at any time: the root file system and the archives made from it. */
export const cacheDir = '/var/cache/runbook-lab';

/** What belongs to the lab that is running now: keys, process ids, the nodes' disks. */
export const stateDir = process.env.RUNBOOK_LAB_DIR ?? '/var/lib/runbook-lab';

/** The bridge that joins the nodes and this machine. All traffic of the lab stays on it or on loopback. */
export const bridge = { name: 'br-lab', address: '10.88.0.1', prefixLength: 24 } as const;

/** Where the stand-in API server listens. */
export const apiPort = 6443;

/** Where the release archives are served. */
export const artifactPort = 8080;

/** What the nodes' kubelet says it is; 1.23 is the last one that speaks to Docker by itself. */
export const kubeletVersion = process.env.LAB_KUBELET_VERSION ?? '1.23.17';

/** Paths inside the state directory. */
export const paths = {
  state: join(stateDir, 'lab.json'),
  key: join(stateDir, 'id_ed25519'),
  knownHosts: join(stateDir, 'known_hosts'),
  kubeconfig: join(stateDir, 'kubeconfig'),
  servicesLog: join(stateDir, 'services.log'),
  nodes: join(stateDir, 'nodes'),
  inventory: join(repoDir, 'inventories', 'lab.ini'),
} as const;

/** The user with a password and sudo, for tests of `become`. */
export const opsUser = { name: 'ops', password: 'lab-sudo-pass' } as const;

/** Where the lab keeps its own files inside a node; not part of what a real node has. */
export const nodeLabDir = '/opt/runbook-lab';

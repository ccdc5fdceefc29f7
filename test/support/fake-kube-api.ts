import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A stand-in for the API server of a cluster, on loopback: it answers what `kubectl get nodes` asks, and nothing else. Label
 * selectors of the form `key=value` and `key` are understood.
 */
export async function createFakeKubeApi(nodes: readonly FakeNode[]) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://api');
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    const body = answer(url, nodes);
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    /** A kubeconfig with one context, `test`. */
    kubeconfig: kubeconfigFor(`http://127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** As much of a Node object as anybody here reads. */
export interface FakeNode {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: object;
  readonly status?: object;
}

/** A kubeconfig for a server without authentication. */
export function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

function answer({ pathname, searchParams }: URL, nodes: readonly FakeNode[]): object | undefined {
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] };
  if (pathname === '/api/v1') {
    const resource = { name: 'nodes', singularName: 'node', namespaced: false, kind: 'Node', verbs: ['get', 'list'] };
    return { kind: 'APIResourceList', groupVersion: 'v1', resources: [resource] };
  }
  if (pathname !== '/api/v1/nodes') return undefined;
  const items = nodes.filter((node) => isSelected(node, searchParams.get('labelSelector') ?? ''));
  return { kind: 'NodeList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: items.map(asObject) };
}

function isSelected({ metadata: { labels = {} } }: FakeNode, selector: string): boolean {
  return selector.split(',').every((part) => {
    const [key = '', value] = part.split('=');
    return key === '' || (value === undefined ? key in labels : labels[key] === value);
  });
}

function asObject(node: FakeNode): object {
  return { kind: 'Node', apiVersion: 'v1', ...node };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answer, inVersion, selected } from './api/actions.ts';
import { ApiError } from './api/api-error.ts';
import { runControllers } from './api/controllers.ts';
import { discovery, serverVersion } from './api/discovery.ts';
import { type Faults, noFaults, type Write } from './api/faults.ts';
import { type JsonObject, timestamp } from './api/objects.ts';
import { type ApiRequest, objectBody, parseBody, parseRequest } from './api/request.ts';
import { seed } from './api/seed.ts';
import { isSelected } from './api/selectors.ts';
import { type Change, Store } from './api/store.ts';
import { table } from './api/table.ts';
import { kubeletVersion } from './settings.ts';

/** The stand-in kubelet's name for itself; its writes are not in the log that tests read. */
export const kubeletUserAgent = 'kubelet-stand-in';

/**
 * A stand-in for the Kubernetes API server, for machines where there is none to install. It knows as much as
 * cordon, drain, annotate, label, wait and get need, and answers them as the real one does; it knows no users and
 * no admission. Under /lab/ tests set faults and read what was written.
 */
export function createApiServer(nodeCount: number): Server {
  const store = new Store();
  let faults: Faults = noFaults;
  let writes: Write[] = [];
  seed(store, nodeCount);
  setInterval(() => runControllers(store, faults), 500).unref();

  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
      send(response, 500, new ApiError(500, 'InternalError', String(error)).status());
    });
  });
  return server;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://api');
    if (url.pathname.startsWith('/lab/'))
      return control(request.method ?? 'GET', url.pathname, body.toString(), response);
    const { code, body: answerBody } = safely(() => respond(request, response, url, body));
    const isOwn = (request.headers['user-agent'] ?? '').startsWith(kubeletUserAgent);
    // A question about rights is a POST, but it writes nothing.
    const isReview = url.pathname.startsWith('/apis/authorization.k8s.io/');
    if (request.method !== 'GET' && !isOwn && !isReview) {
      writes.push({
        time: timestamp(),
        method: request.method ?? '',
        path: `${url.pathname}${url.search}`,
        body: body.toString(),
        code,
      });
    }
    if (answerBody !== undefined) send(response, code, answerBody);
  }

  function respond(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): Reply {
    if (url.pathname === '/version') return { code: 200, body: serverVersion(kubeletVersion) };
    if (['/healthz', '/livez', '/readyz'].includes(url.pathname)) return { code: 200, body: { status: 'ok' } };
    const found = request.method === 'GET' ? discovery(url.pathname) : undefined;
    if (found !== undefined) return { code: 200, body: found };
    if (url.pathname.endsWith('/selfsubjectaccessreviews')) return { code: 201, body: review(body) };

    const parsed = parseRequest(request, url, body);
    if (parsed === undefined) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    if (parsed.method === 'GET' && ['true', '1'].includes(parsed.query.get('watch') ?? '')) {
      watch(response, parsed);
      return { code: 200 };
    }
    return answer(store, parsed, faults);
  }

  /** May one? Everything but what the faults forbid. */
  function review(body: Buffer): JsonObject {
    const wanted = objectBody(parseBody(body));
    const attributes = JSON.stringify(wanted.spec ?? {});
    const isForbidden = /"resource":"nodes"/.test(attributes) && /"verb":"(patch|update)"/.test(attributes);
    return { ...wanted, status: { allowed: !(isForbidden && faults.forbidNodePatch.includes('*')) } };
  }

  function watch(response: ServerResponse, request: ApiRequest): void {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const write = (type: string, object: JsonObject): void => {
      response.write(`${JSON.stringify({ type, object })}\n`);
    };
    const isTable = request.accept.includes('as=Table');
    const shown = (object: Parameters<typeof inVersion>[0]): JsonObject =>
      isTable ? table(request.resource.plural, [object], true, store.version) : inVersion(object, request);
    const tell = ({ type, plural, object }: Change): void => {
      if (plural !== request.resource.plural || !isSelected(object, request.query)) return;
      if (request.namespace !== undefined && object.metadata.namespace !== request.namespace) return;
      write(type, shown(object));
    };
    const version = Number(request.query.get('resourceVersion') ?? '0');
    if (version > 0) for (const change of store.since(version)) tell(change);
    else for (const object of selected(store, request)) write('ADDED', shown(object));
    const stop = store.listen(tell);
    response.on('close', stop);
    const seconds = Number(request.query.get('timeoutSeconds') ?? 300);
    setTimeout(() => response.end(), seconds * 1000).unref();
  }

  function control(method: string, path: string, body: string, response: ServerResponse): void {
    if (path === '/lab/faults') {
      // Tests of this repository write it; fields that they leave out are off.
      if (method === 'PUT') faults = { ...noFaults, ...(JSON.parse(body) as Partial<Faults>) };
      runControllers(store, faults);
      send(response, 200, { ...faults });
    } else if (path === '/lab/writes') {
      if (method === 'DELETE') writes = [];
      send(response, 200, { items: writes.map((write) => ({ ...write })) });
    } else if (path === '/lab/reset' && method === 'POST') {
      faults = noFaults;
      writes = [];
      store.clear();
      seed(store, nodeCount);
      send(response, 200, {});
    } else {
      send(response, 404, { message: 'known: /lab/faults, /lab/writes, /lab/reset' });
    }
  }
}

interface Reply {
  readonly code: number;
  /** Missing when the response is written as a stream. */
  readonly body?: JsonObject;
}

function safely(respond: () => Reply): Reply {
  try {
    return respond();
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, body: error.status() };
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Without an encoding a request gives buffers.
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, code: number, body: JsonObject): void {
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

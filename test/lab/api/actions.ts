import { ApiError } from './api-error.ts';
import { spendDisruption, updateBudgets } from './budgets.ts';
import { isStuck } from './controllers.ts';
import type { Faults } from './faults.ts';
import { at, type Json, type JsonObject, type KubeObject, timestamp } from './objects.ts';
import { applyPatch } from './patch.ts';
import { type ApiRequest, objectBody } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { isSelected } from './selectors.ts';
import type { Store } from './store.ts';
import { table } from './table.ts';

/** An answer with its HTTP status. */
export interface Answer {
  readonly code: number;
  readonly body: JsonObject;
}

/** Answers a request for stored objects, watches aside. */
export function answer(store: Store, request: ApiRequest, faults: Faults): Answer {
  const { plural } = request.resource;
  if (faults.forbidden.includes(plural)) {
    const message = `${plural} is forbidden: User "lab" cannot ${request.method.toLowerCase()} resource "${plural}"`;
    throw new ApiError(403, 'Forbidden', message, { kind: plural });
  }
  switch (request.method) {
    case 'GET':
      return { code: 200, body: request.name === undefined ? listObjects(store, request) : getObject(store, request) };
    case 'POST':
      return request.subresource === 'eviction' ? evict(store, request, faults) : create(store, request);
    case 'PUT':
    case 'PATCH':
      return { code: 200, body: change(store, request, faults) };
    case 'DELETE':
      return { code: 200, body: remove(store, request, faults) };
    default:
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
}

/** The objects that a list or a watch is about. */
export function selected(store: Store, { resource, namespace, name, query }: ApiRequest): KubeObject[] {
  const all = store.list(resource.plural, namespace).filter((object) => isSelected(object, query));
  return name === undefined ? all : all.filter(({ metadata }) => metadata.name === name);
}

/** An object in the version that was asked for; the fields that the lab has are the same in all of them. */
export function inVersion(object: KubeObject, { resource, version }: ApiRequest): JsonObject {
  // An object of the store is JSON; its interface only lacks the index signature.
  return { ...object, apiVersion: apiVersionOf(resource.group, version) } as unknown as JsonObject;
}

function listObjects(store: Store, request: ApiRequest): JsonObject {
  const objects = selected(store, request);
  if (wantsTable(request)) return asTable(store, request, objects);
  const { kind, group } = request.resource;
  return {
    kind: `${kind}List`,
    apiVersion: apiVersionOf(group, request.version),
    metadata: { resourceVersion: store.version },
    items: objects.map((object) => inVersion(object, request)),
  };
}

function getObject(store: Store, request: ApiRequest): JsonObject {
  const object = target(store, request);
  return wantsTable(request) ? asTable(store, request, [object]) : inVersion(object, request);
}

function create(store: Store, request: ApiRequest): Answer {
  const { resource, namespace } = request;
  // The store keeps whatever it is given; a test that posts nonsense gets nonsense back.
  const object = objectBody(request.body) as unknown as KubeObject;
  const metadata = namespace === undefined ? object.metadata : { ...object.metadata, namespace };
  if (isDryRun(request)) return { code: 201, body: inVersion(object, request) };
  const created = store.create(resource, { ...object, kind: resource.kind, metadata });
  return { code: 201, body: inVersion(created, request) };
}

function change(store: Store, request: ApiRequest, faults: Faults): JsonObject {
  const { resource, subresource, body, contentType } = request;
  const present = target(store, request);
  const { name } = present.metadata;
  const isForbidden = faults.forbidNodePatch.some((node) => node === '*' || node === name);
  if (resource.plural === 'nodes' && subresource === undefined && isForbidden) {
    const message = `nodes "${name}" is forbidden: User "lab" cannot patch resource "nodes" in API group "" at the cluster scope`;
    throw new ApiError(403, 'Forbidden', message, { name, kind: 'nodes' });
  }
  const before = inVersion(present, request);
  // A patched object keeps the shape that it had.
  const wanted = (request.method === 'PUT'
    ? objectBody(body)
    : applyPatch(contentType, before, body ?? null)) as unknown as KubeObject;
  const isStatus = subresource === 'status';
  const after = { ...present, ...(isStatus ? {} : wanted), metadata: wanted.metadata, status: wanted.status ?? {} };
  // The main resource leaves the status alone and the status subresource everything else.
  const kept = isStatus ? { ...present, status: after.status } : { ...after, status: present.status ?? {} };
  const merged = { ...kept, metadata: { ...wanted.metadata, uid: present.metadata.uid ?? '' } };
  if (isDryRun(request)) return inVersion(merged, request);
  const stored = store.replace(resource.plural, merged);
  updateBudgets(store, faults.blockedBudgets);
  return inVersion(stored, request);
}

function remove(store: Store, request: ApiRequest, faults: Faults): JsonObject {
  const object = target(store, request);
  if (isDryRun(request)) return success(200);
  if (request.resource.plural !== 'pods') {
    store.remove(request.resource.plural, object);
    return success(200);
  }
  deletePod(store, object, gracePeriod(request.body) ?? gracePeriod(undefined, request.query), faults);
  return inVersion(object, request);
}

function evict(store: Store, request: ApiRequest, faults: Faults): Answer {
  if (faults.evictionError) throw new ApiError(500, 'InternalError', 'Internal error occurred: fault set by the test');
  const pod = target(store, request);
  // A pod on its way out is evicted again without a look at its budget, as the real server does.
  if (pod.metadata.deletionTimestamp !== undefined) return { code: 201, body: success(201) };
  updateBudgets(store, faults.blockedBudgets);
  spendDisruption(store, pod);
  const options = at(request.body, 'deleteOptions');
  if (isDryRun(request) || at(options, 'dryRun') !== undefined) return { code: 201, body: success(201) };
  deletePod(store, pod, gracePeriod(options), faults);
  updateBudgets(store, faults.blockedBudgets);
  return { code: 201, body: success(201) };
}

function deletePod(store: Store, pod: KubeObject, grace: number | undefined, faults: Faults): void {
  const seconds = grace ?? Number(at(pod, 'spec.terminationGracePeriodSeconds') ?? 30);
  if (seconds === 0 && !isStuck(pod, faults)) {
    store.remove('pods', pod);
    return;
  }
  if (pod.metadata.deletionTimestamp !== undefined) return;
  store.replace('pods', {
    ...pod,
    metadata: {
      ...pod.metadata,
      deletionTimestamp: timestamp(seconds * 1000),
      deletionGracePeriodSeconds: seconds,
    },
  });
}

function target(store: Store, { resource, namespace, name }: ApiRequest): KubeObject {
  return store.get(resource.plural, namespace ?? '', name ?? '');
}

function gracePeriod(body: Json | undefined, query?: URLSearchParams): number | undefined {
  const value = at(body, 'gracePeriodSeconds') ?? query?.get('gracePeriodSeconds') ?? undefined;
  return value === undefined ? undefined : Number(value);
}

function isDryRun({ query, body }: ApiRequest): boolean {
  return query.get('dryRun') === 'All' || at(body, 'dryRun') !== undefined;
}

function wantsTable({ accept }: ApiRequest): boolean {
  return accept.includes('as=Table');
}

function asTable(store: Store, { resource, query }: ApiRequest, objects: readonly KubeObject[]): JsonObject {
  return table(resource.plural, objects, query.get('includeObject') === 'Object', store.version);
}

function success(code: number): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code };
}

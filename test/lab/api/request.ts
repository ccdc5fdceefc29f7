import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';
import type { Json, JsonObject } from './objects.ts';
import { readProtobuf } from './protobuf-body.ts';
import { type Resource, resources } from './resources.ts';

/** A request for stored objects, taken apart. */
export interface ApiRequest {
  readonly method: string;
  readonly resource: Resource;
  /** The version asked for; objects are given back in it. */
  readonly version: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly body: Json | undefined;
}

/** Takes the path of a resource apart; undefined when it is none that the stand-in knows. */
export function parseRequest(request: IncomingMessage, url: URL, rawBody: Buffer): ApiRequest | undefined {
  const segments = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const [root, ...rest] = segments;
  const [group, version, ...path] = root === 'api' ? ['', ...rest] : rest;
  if ((root !== 'api' && root !== 'apis') || version === undefined) return undefined;

  const inNamespace = path[0] === 'namespaces' && path.length > 2;
  const [plural, name, subresource] = inNamespace ? path.slice(2) : path;
  const resource = resources.find((candidate) => candidate.plural === plural && candidate.group === group);
  if (resource === undefined || !resource.versions.includes(version)) return undefined;
  return {
    method: request.method ?? 'GET',
    resource,
    version,
    ...(inNamespace && path[1] !== undefined ? { namespace: path[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    query: url.searchParams,
    accept: request.headers.accept ?? '',
    contentType: request.headers['content-type'] ?? '',
    body: parseBody(rawBody),
  };
}

/** The body as an object; an error when it is none. */
export function objectBody(body: Json | undefined): JsonObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, 'BadRequest', 'the body is no JSON object');
  }
  // Not a list, so an object; isArray does not narrow readonly lists.
  return body as JsonObject;
}

/** The body as JSON; undefined when there is none. */
export function parseBody(rawBody: Buffer): Json | undefined {
  if (rawBody.length === 0) return undefined;
  if (rawBody.subarray(0, 4).toString('latin1') === 'k8s\0') return readProtobuf(rawBody.subarray(4));
  try {
    // JSON.parse gives JSON.
    return JSON.parse(rawBody.toString()) as Json;
  } catch {
    throw new ApiError(400, 'BadRequest', 'the body is neither JSON nor a protobuf that the stand-in knows');
  }
}

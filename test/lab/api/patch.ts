import { isDeepStrictEqual } from 'node:util';
import { ApiError } from './api-error.ts';
import type { Json, JsonObject } from './objects.ts';

/** Applies a patch of one of the three kinds that kubectl sends. */
export function applyPatch(contentType: string, target: JsonObject, patch: Json): JsonObject {
  switch (contentType.split(';')[0]) {
    case 'application/merge-patch+json':
      return asObject(merge(target, patch, false));
    case 'application/strategic-merge-patch+json':
      return asObject(merge(target, patch, true));
    case 'application/json-patch+json':
      return asObject(jsonPatch(target, patch));
    default:
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format: ${contentType}`,
      );
  }
}

/** Lists that a strategic patch merges by a key; every other list is replaced, taints included. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  addresses: 'type',
  containers: 'name',
  ownerReferences: 'uid',
};

function merge(target: Json | undefined, patch: Json, strategic: boolean, field = ''): Json {
  if (Array.isArray(patch)) {
    const key = strategic ? mergeKeys[field] : undefined;
    return key === undefined ? patch : mergeList(Array.isArray(target) ? target : [], patch, key);
  }
  if (!isObject(patch)) return patch;
  const result: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    // Directives of a strategic patch ($setElementOrder/x, $retainKeys) order things; nothing here depends on order.
    if (strategic && name.startsWith('$')) continue;
    if (value === null || value === undefined) delete result[name];
    else result[name] = merge(result[name], value, strategic, name);
  }
  return result;
}

function mergeList(target: readonly Json[], patch: readonly Json[], key: string): Json[] {
  const result = [...target];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const index = result.findIndex((present) => isObject(present) && present[key] === item[key]);
    if (item.$patch === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = merge(result[index], item, true);
    else result.push(item);
  }
  return result;
}

function jsonPatch(target: JsonObject, patch: Json): Json {
  if (!Array.isArray(patch)) throw new ApiError(400, 'BadRequest', 'a JSON patch is a list');
  // A copy that may be changed in place.
  const root: { value: Json } = { value: structuredClone(target) as Json };
  for (const operation of patch) {
    if (!isObject(operation) || typeof operation.path !== 'string')
      throw new ApiError(400, 'BadRequest', 'bad operation');
    applyOperation(root, operation.path, operation);
  }
  return root.value;
}

function applyOperation(root: { value: Json }, path: string, operation: JsonObject): void {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  let parent: Json | undefined = root.value;
  for (const key of keys) parent = child(parent, key);
  if (last === undefined || typeof parent !== 'object' || parent === null) throw missing(path);
  const present = child(parent, last);
  if (operation.op === 'test') {
    if (!isDeepStrictEqual(present, operation.value)) {
      throw new ApiError(422, 'Invalid', `the server rejected our request: testing value ${path} failed`);
    }
    return;
  }
  if (operation.op !== 'add' && present === undefined) throw missing(path);
  if (Array.isArray(parent)) {
    // The clone above is ours alone.
    const items = parent as Json[];
    const index = last === '-' ? items.length : Number(last);
    if (operation.op === 'add') items.splice(index, 0, operation.value ?? null);
    else if (operation.op === 'remove') items.splice(index, 1);
    else items[index] = operation.value ?? null;
    return;
  }
  if (operation.op === 'remove') Reflect.deleteProperty(parent, last);
  else Reflect.set(parent, last, operation.value ?? null);
}

function child(parent: Json | undefined, key: string): Json | undefined {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return undefined;
  // Everything in the store came from JSON.
  return Reflect.get(parent, key) as Json | undefined;
}

function missing(path: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request: no value at ${path}`);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: Json): JsonObject {
  if (!isObject(value)) throw new ApiError(400, 'BadRequest', 'the patch does not give an object');
  return value;
}

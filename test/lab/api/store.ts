import { randomUUID } from 'node:crypto';
import { ApiError, notFound } from './api-error.ts';
import { type KubeObject, timestamp } from './objects.ts';
import type { Resource } from './resources.ts';

/** A change that watchers hear of. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: string;
  readonly object: KubeObject;
}

/** The objects, one counter of versions over all of them, and who wants to hear of changes. */
export class Store {
  #objects = new Map<string, KubeObject>();
  #version = 1;
  #history: Change[] = [];
  #listeners = new Set<(change: Change) => void>();

  get version(): string {
    return String(this.#version);
  }

  /** Removes everything; watchers hear of each object. */
  clear(): void {
    for (const [path, object] of [...this.#objects]) this.remove(path.slice(0, path.indexOf('/')), object);
  }

  /** The changes after a version, for a watch that starts where a list ended. */
  since(version: number): Change[] {
    return this.#history.filter(({ object }) => Number(object.metadata.resourceVersion) > version);
  }

  list(plural: string, namespace?: string): KubeObject[] {
    const prefix = namespace === undefined ? `${plural}/` : `${plural}/${namespace}/`;
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([, object]) => object)
      .sort((a, b) => (key(plural, a) < key(plural, b) ? -1 : 1));
  }

  find(plural: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${plural}/${namespace}/${name}`);
  }

  get(plural: string, namespace: string, name: string): KubeObject {
    const object = this.find(plural, namespace, name);
    if (object === undefined) throw notFound(plural, name);
    return object;
  }

  create(resource: Resource, object: KubeObject): KubeObject {
    const { metadata } = object;
    const suffix = randomUUID().slice(0, 5);
    const name = metadata.name ?? `${metadata.generateName ?? 'object-'}${suffix}`;
    const complete = {
      ...object,
      metadata: { ...metadata, name, uid: metadata.uid ?? randomUUID(), creationTimestamp: timestamp() },
    };
    if (this.#objects.has(key(resource.plural, complete))) {
      throw new ApiError(409, 'AlreadyExists', `${resource.plural} "${name}" already exists`, { name });
    }
    return this.#put('ADDED', resource.plural, complete);
  }

  /** Replaces an object; refuses when the caller has an older one in hand than the store. */
  replace(plural: string, object: KubeObject): KubeObject {
    const present = this.#objects.get(key(plural, object));
    if (present === undefined) throw notFound(plural, object.metadata.name);
    const expected = object.metadata.resourceVersion;
    if (expected !== undefined && expected !== '' && expected !== present.metadata.resourceVersion) {
      const message = `Operation cannot be fulfilled on ${plural} "${object.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`;
      throw new ApiError(409, 'Conflict', message, { name: object.metadata.name, kind: plural });
    }
    return this.#put('MODIFIED', plural, object);
  }

  remove(plural: string, object: KubeObject): void {
    if (!this.#objects.delete(key(plural, object))) return;
    this.#version += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    this.#tell({ type: 'DELETED', plural, object: last });
  }

  /** Calls back on every change until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #put(type: 'ADDED' | 'MODIFIED', plural: string, object: KubeObject): KubeObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    this.#objects.set(key(plural, stored), stored);
    this.#tell({ type, plural, object: stored });
    return stored;
  }

  #tell(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > 1000) this.#history.shift();
    for (const listener of this.#listeners) listener(change);
  }
}

function key(plural: string, { metadata }: KubeObject): string {
  return `${plural}/${metadata.namespace ?? ''}/${metadata.name}`;
}

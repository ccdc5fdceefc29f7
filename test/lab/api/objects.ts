/** A JSON value; what goes over the wire and lies in the store. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** What every object of Kubernetes has; the rest of it is looked at where it is needed. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

/** Object metadata, as far as the lab uses it. */
export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller: boolean;
  }[];
}

/** A condition of a node or a pod. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastHeartbeatTime?: string;
  readonly lastTransitionTime?: string;
}

/** Reads a path like `spec.unschedulable`; undefined where something on the way is missing. */
export function at(value: unknown, path: string): Json | undefined {
  let current: unknown = value;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.hasOwn(current, key) ? Reflect.get(current, key) : undefined;
  }
  // Everything in the store came from JSON.
  return current as Json | undefined;
}

/** The string at a path, or an empty one. */
export function text(value: unknown, path: string): string {
  const found = at(value, path);
  return found === undefined || found === null ? '' : String(found);
}

/** The list of objects at a path, or an empty one. */
export function list(value: unknown, path: string): readonly JsonObject[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

/** The conditions of an object. */
export function conditions(object: KubeObject): readonly Condition[] {
  // Conditions have one shape in all kinds that the lab has.
  return list(object, 'status.conditions') as unknown as readonly Condition[];
}

/** Whether the condition is True. */
export function isTrue(object: KubeObject, type: string): boolean {
  return conditions(object).some((condition) => condition.type === type && condition.status === 'True');
}

/** Now, in the precision of the API. */
export function timestamp(offsetMs = 0): string {
  return new Date(Date.now() + offsetMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

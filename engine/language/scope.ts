import { DiagnosticsError } from '../base/diagnostic.ts';
import type { Scope, Value, Variables } from './value.ts';

/** One layer of precedence: compiled variables, or plain data that is never rendered (results and facts of a host). */
export type Layer = Variables | Readonly<Record<string, unknown>>;

/**
 * The variables of layers, later ones over earlier ones. A value is rendered when it is first read, with all of the
 * scope's variables, and kept; a value that needs itself raises a DiagnosticsError with the chain. Making a scope costs
 * next to nothing, whatever the number of its variables: there is one for every task on every host.
 */
export function createScope(layers: readonly Layer[]): Scope {
  const resolver = new Resolver(layers);
  // The empty target has no prototype, so that no name is defined but those of the layers.
  const scope = new Proxy<Record<string, unknown>>(Object.create(null) as Record<string, unknown>, resolver);
  resolver.scope = scope;
  return scope;
}

class Resolver implements ProxyHandler<Record<string, unknown>> {
  /** What values are rendered with: the proxy that this handles. */
  scope: Scope = {};
  readonly #layers: readonly Layer[];
  readonly #known = new Map<string, unknown>();
  readonly #open: { readonly name: string; readonly value: Value }[] = [];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  get(_target: unknown, name: string | symbol): unknown {
    // Handlebars compares the scope with an item of {{#each}} by `!=`, which asks an object for a primitive.
    if (name === Symbol.toPrimitive) return () => 'variables';
    return typeof name === 'string' ? this.#read(name) : undefined;
  }

  has(_target: unknown, name: string | symbol): boolean {
    return typeof name === 'string' && this.#layerOf(name) !== undefined;
  }

  ownKeys(): string[] {
    const names = new Set<string>();
    for (const layer of this.#layers) {
      for (const name of layer instanceof Map ? layer.keys() : Object.keys(layer)) names.add(name as string);
    }
    return [...names];
  }

  getOwnPropertyDescriptor(_target: unknown, name: string | symbol): PropertyDescriptor | undefined {
    if (typeof name !== 'string' || this.#layerOf(name) === undefined) return undefined;
    // A getter: copying a scope's descriptors renders nothing.
    return { configurable: true, enumerable: true, get: () => this.#read(name) };
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  #layerOf(name: string): Layer | undefined {
    return this.#layers.findLast((layer) => (isVariables(layer) ? layer.has(name) : Object.hasOwn(layer, name)));
  }

  #read(name: string): unknown {
    if (this.#known.has(name)) return this.#known.get(name);
    const layer = this.#layerOf(name);
    if (layer === undefined) return undefined;
    const value = isVariables(layer) ? this.#render(name, layer.get(name)) : layer[name];
    this.#known.set(name, value);
    return value;
  }

  #render(name: string, value: Value | undefined): unknown {
    if (value === undefined) return undefined;
    const first = this.#open.findIndex((open) => open.value === value);
    if (first !== -1) {
      const chain = [...this.#open.slice(first).map((open) => open.name), name].map((n) => `"${n}"`).join(' → ');
      throw new DiagnosticsError([
        {
          severity: 'error',
          message: `the variable "${name}" needs its own value: ${chain}`,
          hint: 'a variable of an outer layer under the same name is not visible here: give one of them another name',
          range: value.range,
        },
      ]);
    }
    this.#open.push({ name, value });
    try {
      return value.render(this.scope);
    } finally {
      this.#open.pop();
    }
  }
}

function isVariables(layer: Layer): layer is Variables {
  return layer instanceof Map;
}

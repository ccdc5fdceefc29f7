import { inspect } from 'node:util';

/** A value that must not be shown: printing, inspecting or serialising it gives `********`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it (stdin of a remote process, a key's passphrase). */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '********';
  }

  toJSON(): string {
    return '********';
  }

  [inspect.custom](): string {
    return '********';
  }
}

import { inspect } from 'node:util';

/** What is shown where a secret stands. */
export const hiddenText = '********';

/** Told of secrets, so that it can look for them in what is about to be shown. `isDerived` when one was made of another. */
export type SecretListener = (secret: Secret, isDerived: boolean) => void;

/**
 * A text that must not be shown: printing, inspecting or serialising it gives `********`. What is made of it is a secret
 * too: make it with {@link derive} or {@link within}, and whoever hides the one hides the other.
 */
export class Secret {
  readonly #value: string;
  readonly #listener: SecretListener | undefined;

  /** The listener is told of what is derived from it; of the secret itself whoever makes it tells. */
  constructor(value: string, listener?: SecretListener) {
    this.#value = value;
    this.#listener = listener;
  }

  /** The value itself, for the one place that needs it (stdin of a remote process, a key's passphrase). */
  reveal(): string {
    return this.#value;
  }

  /** Another form of this secret: a part, an encoding. */
  derive(value: string): Secret {
    if (value === this.#value) return this;
    const derived = this.within(value);
    this.#listener?.(derived, true);
    return derived;
  }

  /** A text with this secret in it as it is: whoever looks for the one finds it in the other. */
  within(value: string): Secret {
    if (value === this.#value) return this;
    return new Secret(value, this.#listener);
  }

  toString(): string {
    return hiddenText;
  }

  toJSON(): string {
    return hiddenText;
  }

  [inspect.custom](): string {
    return hiddenText;
  }
}

/** The text of a secret or of a plain text. */
export function revealText(text: string | Secret): string {
  return text instanceof Secret ? text.reveal() : text;
}

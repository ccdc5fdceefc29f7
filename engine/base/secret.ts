import { inspect } from 'node:util';

/** What is shown where a secret stands. */
export const hiddenText = '********';

/** Told of every secret that is made, so that it can look for them in what is about to be shown. */
export type SecretListener = (secret: Secret) => void;

/**
 * A text that must not be shown: printing, inspecting or serialising it gives `********`. What is made of it (a part, an
 * encoding, a text around it) is a secret too: make it with {@link derive}, and whoever hides the one hides the other.
 */
export class Secret {
  readonly #value: string;
  readonly #listener: SecretListener | undefined;

  constructor(value: string, listener?: SecretListener) {
    this.#value = value;
    this.#listener = listener;
    listener?.(this);
  }

  /** The value itself, for the one place that needs it (stdin of a remote process, a key's passphrase). */
  reveal(): string {
    return this.#value;
  }

  /** A secret that was made of this one. */
  derive(value: string): Secret {
    return value === this.#value ? this : new Secret(value, this.#listener);
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

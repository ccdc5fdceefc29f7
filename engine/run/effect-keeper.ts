import { RunbookError } from '../base/errors.ts';
import type { Script } from '../base/sh.ts';
import type { Become, Connection, EffectIdentity, EffectOptions } from '../transport/transport.ts';

/** What a keeper works with. */
export interface KeeperParts {
  readonly connection: Connection;
  /** Other runs are kept off the host while this one changes it. */
  readonly isLockable: boolean;
  readonly warn: (message: string) => void;
}

/** A connection that knows what its host keeps of effects, and has it removed when nobody will ask for it any more. */
export interface EffectKeeper extends Connection {
  /** The ends of these effects are recorded. */
  recorded(ids: readonly string[]): void;
}

/** So many are forgotten at once: each time takes a process on the host. */
const atOnce = 8;

/** Makes a keeper. What is to be forgotten goes along with an effect of the same user, or before the link is closed. */
export function createEffectKeeper({ connection, isLockable, warn }: KeeperParts): EffectKeeper {
  const kept = new Map<string, Become | undefined>();
  const due = new Map<string, { readonly become: Become | undefined; readonly ids: string[] }>();
  let isWarned = false;

  function identityFor(identity: EffectIdentity, become: Become | undefined): EffectIdentity {
    const key = keyOf(become);
    const ids = due.get(key)?.ids ?? [];
    const forget = ids.length >= atOnce ? ids : [];
    if (forget.length > 0) due.delete(key);
    return { ...identity, forget, lock: isLockable ? identity.lock : undefined };
  }

  async function keep<T>({ id }: EffectIdentity, become: Become | undefined, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      kept.set(id, become);
      return result;
    } catch (error) {
      // Of one whose end was not seen somebody may still want to know.
      if (!(error instanceof RunbookError && error.code === 'unreachable')) kept.set(id, become);
      throw error;
    }
  }

  async function effect(script: Script, options: EffectOptions): ReturnType<Connection['effect']> {
    const identity = identityFor(options, options.become);
    const result = await keep(options, options.become, () => connection.effect(script, { ...options, ...identity }));
    if (result.lock === 'unavailable' && !isWarned) {
      isWarned = true;
      warn('the host has no flock, so another run is not kept off it');
    }
    return result;
  }

  async function forgetAll(): Promise<void> {
    for (const { become, ids } of due.values()) await connection.forget(ids, { become, timeoutMs: forgetTimeoutMs });
  }

  return {
    description: connection.description,
    user: connection.user,
    get boot() {
      return connection.boot;
    },
    run: (script, options) => connection.run(script, options),
    effect,
    async put(path, content, options) {
      const identity = identityFor(options.effect, options.become);
      return keep(identity, options.become, () => connection.put(path, content, { ...options, effect: identity }));
    },
    settle: (prefix, options) => connection.settle(prefix, options),
    forget: (ids, options) => connection.forget(ids, options),
    recorded(ids) {
      for (const id of ids) {
        if (!kept.has(id)) continue;
        const become = kept.get(id);
        const key = keyOf(become);
        const entry = due.get(key) ?? { become, ids: [] };
        entry.ids.push(id);
        due.set(key, entry);
        kept.delete(id);
      }
    },
    async [Symbol.asyncDispose]() {
      await forgetAll().catch(() => undefined);
      await connection[Symbol.asyncDispose]();
    },
  };
}

function keyOf(become: Become | undefined): string {
  return become === undefined ? '' : `${become.method}:${become.user}`;
}

/** A host that is slow to forget is left alone: after a week it does so by itself. */
const forgetTimeoutMs = 10_000;

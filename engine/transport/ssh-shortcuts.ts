import type { Writable } from 'node:stream';
import type { Client, ClientChannel, ParsedKey } from 'ssh2';

/** Signs a login; undefined where it cannot. */
export type Sign = (data: Buffer, hash: string | undefined, done: (signature: Buffer | undefined) => void) => void;

/**
 * Spares a login what SSH does not need and ssh2 has no option for; called after `connect`, before anything is answered.
 *
 * The first offer of a key comes signed, where `signerOf` gives a signer, without the question whether the server would
 * take it. The proof of host keys that are not looked at, which costs both sides a signature for each, is not asked for.
 */
export function shortenLogin(client: Client, signerOf: (key: ParsedKey) => Sign | undefined): void {
  const { _protocol: protocol } = insideOf(client);
  const offer = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, signData) => {
    const sign = signData ? undefined : signerOf(key);
    if (!sign) return offer(user, key, algorithm, signData);
    const hash = algorithm === undefined ? undefined : rsaHashes[algorithm];
    offer(user, key, algorithm, (data, done) =>
      sign(data, hash, (signature) => (signature ? done(signature) : offer(user, key, algorithm))),
    );
  };
  const handlers = protocol._handlers;
  const answer = handlers.GLOBAL_REQUEST;
  handlers.GLOBAL_REQUEST = (from, name, wantsReply, data) => {
    if (name !== 'hostkeys-00@openssh.com') answer(from, name, wantsReply, data);
    else if (wantsReply) protocol.requestSuccess();
  };
}

/**
 * Hands the packets into which a channel cuts what is written to the socket all at once: a big file takes a tenth less time
 * than packet by packet.
 */
export function joinPackets(client: Client, channel: ClientChannel): void {
  const { _sock: socket } = insideOf(client);
  const write = channel._write.bind(channel);
  channel._write = (chunk, encoding, done) => {
    socket.cork();
    try {
      write(chunk, encoding, done);
    } finally {
      socket.uncork();
    }
  };
}

const rsaHashes: Readonly<Record<string, string>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ssh-rsa': 'sha1',
};

type SignData = (data: Buffer, done: (signature: Buffer) => void) => void;

/** What ssh2 keeps to itself, in the version that package.json names. */
interface Inside {
  readonly _sock: Writable;
  readonly _protocol: {
    authPK(user: string, key: ParsedKey, algorithm?: string, sign?: SignData): void;
    requestSuccess(): void;
    readonly _handlers: {
      GLOBAL_REQUEST: (from: unknown, name: string, wantsReply: boolean, data: unknown) => void;
    };
  };
}

function insideOf(client: Client): Inside {
  // The types tell only what is public.
  return client as unknown as Inside;
}

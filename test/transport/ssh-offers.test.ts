import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import type { AuthContext, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { Secret } from '../../engine/base/secret.ts';
import { sh } from '../../engine/base/sh.ts';
import { createTransport } from '../../engine/transport/create-transport.ts';
import type { Transport } from '../../engine/transport/transport.ts';
import { type FakeServer, startFakeServer } from '../support/fake-ssh-server.ts';
import { generateKey, startSshd, whyNoSshd } from '../support/sshd.ts';
import { sshOptions, targetOf } from '../support/transports.ts';

/** A host that lets in one key, and what it was offered. */
interface Guarded {
  readonly server: FakeServer;
  /** `KEY asked`: without a signature; `KEY signed`: with one. */
  readonly offers: string[];
}

describe('what a host is offered at a login', () => {
  const open: AsyncDisposable[] = [];
  let agent: ChildProcess | undefined;
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
    agent?.kill();
  });

  /** Hosts of one user with the same keys, who all let in the last of `names`. */
  async function startGuarded(names: readonly string[]): Promise<{ hosts: Guarded[]; home: string }> {
    const hosts: Guarded[] = [];
    const known = new Map<string, string>();
    for (let i = 0; i < 3; i++) {
      const offers: string[] = [];
      const onAuth = (context: AuthContext): void => {
        if (context.method !== 'publickey') return context.reject(['publickey']);
        const name = known.get(context.key.data.toString('base64')) ?? 'unknown key';
        offers.push(`${name} ${context.signature ? 'signed' : 'asked'}`);
        if (name === names.at(-1)) context.accept();
        else context.reject(['publickey']);
      };
      const server = await startFakeServer({ onAuth });
      open.push(server);
      hosts.push({ server, offers });
    }
    const { home } = hosts[0]?.server ?? { home: '' };
    for (const name of names) {
      const path = join(home, '.ssh', name);
      if (name !== 'id_ed25519') generateKey(path, '', name.replace('id_', ''));
      // A file with one public key.
      const key = ssh2.utils.parseKey(readFileSync(`${path}.pub`)) as ParsedKey;
      known.set(key.getPublicSSH().toString('base64'), name);
    }
    return { hosts, home };
  }

  async function logIn(transport: Transport, { server }: Guarded, more: Record<string, string> = {}): Promise<void> {
    const connection = await transport.connect(targetOf(server, { sshOptions: more }));
    await connection[Symbol.asyncDispose]();
  }

  it('a key that comes signed: nobody is asked first whether it would be taken', async () => {
    const { hosts, home } = await startGuarded(['id_ed25519']);
    const transport = createTransport(sshOptions({ ...hosts[0]!.server, home }, { hostKeyChecking: 'off' }));
    await logIn(transport, hosts[0]!);
    assert.deepEqual(hosts[0]!.offers, ['id_ed25519 signed']);
  });

  for (const type of ['rsa', 'ecdsa']) {
    it(`is a key of type ${type}, signed as the host can verify it`, async function () {
      const reason = whyNoSshd();
      if (reason !== undefined) this.skip();
      const sshd = await startSshd();
      open.push(sshd);
      const key = join(sshd.home, 'key');
      generateKey(key, '', type);
      copyFileSync(`${key}.pub`, join(sshd.home, '..', 'authorized_keys'));
      const connection = await createTransport(sshOptions(sshd)).connect(targetOf(sshd, { privateKeyFile: key }));
      open.push(connection);
      assert.equal((await connection.run(sh`echo on`, { timeoutMs: 5000 })).stdout, 'on\n');
    });
  }

  it('first the key that let us in to the hosts before, so that none is refused again', async () => {
    const { hosts, home } = await startGuarded(['id_ed25519', 'id_ecdsa', 'id_rsa']);
    const transport = createTransport(sshOptions({ ...hosts[0]!.server, home }, { hostKeyChecking: 'off' }));
    for (const host of hosts) await logIn(transport, host);
    assert.equal(hosts[0]?.offers.at(-1), 'id_rsa signed');
    assert.isAbove(hosts[0]?.offers.length ?? 0, 1);
    for (const { offers } of hosts.slice(1)) assert.deepEqual(offers, ['id_rsa signed']);
  });

  it('a password after the keys, though it let us in before: a host may want both, or take no password', async () => {
    const seen: string[] = [];
    let hasKey = false;
    const onAuth = (context: AuthContext): void => {
      seen.push(context.method);
      if (context.method === 'publickey') {
        hasKey = true;
        context.reject(['password'], true);
      } else if (context.method === 'password' && hasKey) context.accept();
      else context.reject(['publickey']);
    };
    const server = await startFakeServer({ onAuth });
    open.push(server);
    const transport = createTransport(sshOptions(server, { hostKeyChecking: 'off' }));
    for (let login = 0; login < 2; login++) {
      hasKey = false;
      const connection = await transport.connect(targetOf(server, { password: new Secret('both') }));
      await connection[Symbol.asyncDispose]();
    }
    assert.deepEqual(seen, ['publickey', 'password', 'publickey', 'password']);
  });

  it('of an agent with many keys the same one; until it is known to work, the agent is not asked to sign', async () => {
    const { hosts, home } = await startGuarded(['id_ecdsa', 'id_rsa', 'id_ed25519']);
    const socket = join(home, 'agent');
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
    const environment = { ...process.env, SSH_AUTH_SOCK: socket };
    for (const name of ['id_rsa', 'id_ecdsa', 'id_ed25519'])
      execFileSync('ssh-add', ['-q', join(home, '.ssh', name)], { env: environment });
    const options = { home: '/nonexistent', environment: { SSH_AUTH_SOCK: socket }, hostKeyChecking: 'off' } as const;
    const transport = createTransport(sshOptions(hosts[0]!.server, options));
    for (const host of hosts) await logIn(transport, host);
    const first = ['id_rsa asked', 'id_ecdsa asked', 'id_ed25519 asked', 'id_ed25519 signed'];
    assert.deepEqual(hosts[0]?.offers, first);
    for (const { offers } of hosts.slice(1)) assert.deepEqual(offers, ['id_ed25519 signed']);
  });
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { sh } from '../../engine/base/sh.ts';
import { createTransport } from '../../engine/transport/create-transport.ts';
import type { Connection, Target, Transport } from '../../engine/transport/transport.ts';
import { generateKey, type Sshd, startSshd, whyNoSshd } from '../support/sshd.ts';
import { rejection, sshOptions, targetOf } from '../support/transports.ts';

const quick = { timeoutMs: 5000 };

describe('logins to a real sshd', () => {
  const open: AsyncDisposable[] = [];
  before(function () {
    const reason = whyNoSshd();
    if (reason === undefined) return;
    console.warn(`logins to a real sshd are not tested: ${reason}`);
    this.skip();
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });

  async function start(config: readonly string[] = []): Promise<Sshd> {
    const sshd = await startSshd({ config });
    open.push(sshd);
    return sshd;
  }

  async function connect(transport: Transport, target: Target): Promise<Connection> {
    const connection = await transport.connect(target);
    open.push(connection);
    return connection;
  }

  const port = async (connection: Connection): Promise<number> =>
    Number((await connection.run(sh`echo "$SSH_CONNECTION"`, quick)).stdout.split(' ')[3]);

  it('over an alias of ~/.ssh/config', async () => {
    const sshd = await start();
    const config = `Host node\n HostName 127.0.0.1\n Port ${sshd.port}\n User ${sshd.user}\n`;
    writeFileSync(join(sshd.home, '.ssh', 'config'), config);
    const connection = await connect(createTransport(sshOptions(sshd)), {
      name: 'n',
      connection: 'ssh',
      address: 'node',
    });
    assert.equal(connection.description, `${sshd.user}@node:${sshd.port}`);
    assert.equal(await port(connection), sshd.port);
  });

  for (const type of ['rsa', 'ecdsa', 'ed25519']) {
    it(`with an encrypted ${type} key that has been given`, async () => {
      const sshd = await start();
      const key = join(sshd.home, 'key');
      generateKey(key, 'a phrase', type);
      appendFileSync(join(sshd.home, '..', 'authorized_keys'), readFileSync(`${key}.pub`));
      const target = targetOf(sshd, { privateKeyFile: key, privateKeyPassphrase: new Secret('a phrase') });
      await connect(createTransport(sshOptions(sshd)), target);
    });
  }

  it('knows a host by its RSA key alone, though it has a newer one', async () => {
    const rsa = join((await start()).home, 'rsa_host_key');
    generateKey(rsa, '', 'rsa');
    const both = await start([`HostKey ${rsa}`]);
    const line = readFileSync(`${rsa}.pub`, 'utf8');
    writeFileSync(join(both.home, '.ssh', 'known_hosts'), `[127.0.0.1]:${both.port} ${line}`);
    await connect(createTransport(sshOptions(both)), targetOf(both));
  });

  describe('with an agent', () => {
    let agent: ChildProcess | undefined;
    afterEach(() => agent?.kill());

    async function startAgent(sshd: Sshd, count: number): Promise<string> {
      const socket = join(sshd.home, 'agent');
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      for (let i = 0; i < count; i++) {
        const decoy = join(sshd.home, `decoy${i}`);
        generateKey(decoy);
        execFileSync('ssh-add', ['-q', decoy], { env, stdio: 'ignore' });
      }
      execFileSync('ssh-add', ['-q', sshd.keyFile], { env, stdio: 'ignore' });
      return socket;
    }

    it('that holds the key', async () => {
      const sshd = await start();
      const socket = await startAgent(sshd, 2);
      const options = { userknownhostsfile: join(sshd.home, '.ssh', 'known_hosts') };
      const transport = createTransport(
        sshOptions(sshd, { home: '/nonexistent', environment: { SSH_AUTH_SOCK: socket } }),
      );
      await connect(transport, targetOf(sshd, { sshOptions: options }));
    });

    it('of many keys, where IdentitiesOnly offers the one that is meant, though its file is locked', async () => {
      const sshd = await start(['MaxAuthTries 2']);
      const socket = await startAgent(sshd, 6);
      execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'phrase', '-f', sshd.keyFile]);
      const transport = createTransport(sshOptions(sshd, { environment: { SSH_AUTH_SOCK: socket } }));
      const tooMany = await rejection(transport.connect(targetOf(sshd)));
      assert.match(tooMany.message, /authentication failures|login/i);
      await connect(transport, targetOf(sshd, { sshOptions: { identitiesonly: 'yes' } }));
    });

    it('that is not there', async () => {
      const sshd = await start();
      const transport = createTransport(sshOptions(sshd, { environment: { SSH_AUTH_SOCK: '/nonexistent' } }));
      const stranger = join(sshd.home, 'stranger');
      generateKey(stranger);
      const error = await rejection(transport.connect(targetOf(sshd, { privateKeyFile: stranger })));
      assert.match(error.message, /the login was refused for user .* \(tried: key .*stranger, agent/);
    });
  });

  it('over a chain of bastions: one connection to each, keys verified at every hop, closed with the last user', async () => {
    const [first, second, node] = [await start(), await start(), await start()];
    for (const sshd of [second, node]) {
      appendFileSync(join(sshd.home, '..', 'authorized_keys'), readFileSync(`${first.keyFile}.pub`));
      appendFileSync(join(first.home, '.ssh', 'known_hosts'), readFileSync(join(sshd.home, '.ssh', 'known_hosts')));
    }
    const hop = (sshd: Sshd): string => `${sshd.user}@127.0.0.1:${sshd.port}`;
    const transport = createTransport(sshOptions(first));
    const target = targetOf(node, { sshOptions: { proxyjump: `${hop(first)},${hop(second)}` } });
    const sessions = (): number => {
      const list = execFileSync('ps', ['ax', '-o', 'args']).toString();
      return list.split('\n').filter((line) => /^sshd: .*@notty$/.test(line)).length;
    };
    const before = sessions();
    const connections = await Promise.all(Array.from({ length: 5 }, () => transport.connect(target)));
    for (const connection of connections) assert.equal(await port(connection), node.port);
    // Two bastions and five ends; bastions without a session show another title.
    assert.isAtMost(sessions() - before, 7);
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    const again = await transport.connect(target);
    assert.equal(await port(again), node.port);
    await again[Symbol.asyncDispose]();

    writeFileSync(join(first.home, '.ssh', 'known_hosts'), readFileSync(join(node.home, '.ssh', 'known_hosts')));
    const error = await rejection(createTransport(sshOptions(first)).connect(target));
    assert.equal(error.code, 'host-key');
    assert.include(error.message, `127.0.0.1:${first.port}`);
  });

  it('over a bastion that cannot reach the host, or may not', async () => {
    const sshd = await start();
    const transport = createTransport(sshOptions(sshd));
    const proxyjump = `${sshd.user}@127.0.0.1:${sshd.port}`;
    const refused = await rejection(transport.connect(targetOf(sshd, { port: 1, sshOptions: { proxyjump } })));
    assert.equal(refused.code, 'unreachable');
    assert.match(refused.message, /cannot reach 127\.0\.0\.1:1 over the bastion .*Connection refused/);
    const closed = await start(['AllowTcpForwarding no']);
    const jump = { proxyjump: `${closed.user}@127.0.0.1:${closed.port}` };
    const barred = await rejection(createTransport(sshOptions(closed)).connect(targetOf(closed, { sshOptions: jump })));
    assert.match(barred.message, /over the bastion .*(prohibited|open failed)/);
    assert.match(barred.hint ?? '', /AllowTcpForwarding/);
  });

  it('of many hosts at once', async () => {
    const sshd = await start();
    const transport = createTransport(sshOptions(sshd));
    const connections = await Promise.all(Array.from({ length: 40 }, () => connect(transport, targetOf(sshd))));
    const results = await Promise.all(connections.map((connection, i) => connection.run(sh`echo ${i}`, quick)));
    assert.deepEqual(
      results.map((result) => result.stdout),
      results.map((_, i) => `${i}\n`),
    );
  });

  it('to a host with a single session, where a script that never ends cannot be killed: the error says so', async () => {
    const sshd = await start(['MaxSessions 1']);
    const connection = await connect(createTransport(sshOptions(sshd)), targetOf(sshd));
    const error = await rejection(connection.run(sh`sleep 3.75`, { timeoutMs: 200 }));
    assert.equal(error.code, 'timeout');
    assert.match(error.message, /could not be killed and may still be running/);
  });
});

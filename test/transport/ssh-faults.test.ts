import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { assert } from 'chai';
import type { AuthContext } from 'ssh2';
import { Secret } from '../../engine/base/secret.ts';
import { sh } from '../../engine/base/sh.ts';
import { createTransport, type TransportOptions } from '../../engine/transport/create-transport.ts';
import type { Connection, Target } from '../../engine/transport/transport.ts';
import { type FakeBehaviour, type FakeServer, runForReal, startFakeServer } from '../support/fake-ssh-server.ts';
import { freePort, generateKey, sha256Fingerprint } from '../support/sshd.ts';
import { rejection, someEffect, sshOptions, targetOf } from '../support/transports.ts';

const quick = { timeoutMs: 5000 };

describe('a host that misbehaves', () => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });

  async function start(behaviour: FakeBehaviour = {}): Promise<FakeServer> {
    const server = await startFakeServer({
      onExec: (channel, command) => runForReal(channel, command, spawn),
      ...behaviour,
    });
    open.push(server);
    return server;
  }

  async function connect(
    server: FakeServer,
    target: Partial<Target> = {},
    options: TransportOptions = {},
  ): Promise<Connection> {
    const connection = await createTransport(sshOptions(server, options)).connect(targetOf(server, target));
    open.push(connection);
    return connection;
  }

  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push({
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    });
    return (server.address() as { port: number }).port;
  }

  it('works as long as it behaves', async () => {
    const connection = await connect(await start());
    assert.match(connection.description, /^ops@127\.0\.0\.1:\d+$/);
    assert.deepInclude(await connection.run(sh`echo out; exit 3`, quick), { rc: 3, stdout: 'out\n' });
  });

  it('drops the link in the middle of a script: unreachable, never an exit status', async () => {
    const server = await start({
      onExec: (channel, command, _connection, socket) => {
        runForReal(channel, command, spawn);
        setTimeout(() => socket?.destroy(), 200);
      },
    });
    const connection = await connect(server);
    const error = await rejection(connection.run(sh`sleep 2; echo never seen`, quick));
    assert.equal(error.code, 'unreachable');
    assert.match(error.message, /lost the connection to ops@/);
    assert.match(error.hint ?? '', /may still be running/);
    assert.equal((await rejection(connection.run(sh`:`, quick))).code, 'unreachable');
  });

  it('drops the link in the middle of a transfer: unreachable', async () => {
    const server = await start({
      onExec: (channel, command, _connection, socket) => {
        if (command.includes('wc -c')) setTimeout(() => socket?.destroy(), 30);
        else runForReal(channel, command, spawn);
      },
    });
    const connection = await connect(server);
    const content = { kind: 'bytes', bytes: Buffer.alloc(5_000_000) } as const;
    const error = await rejection(
      connection.put('/tmp/runbook-never', content, { sha256: '0'.repeat(64), timeoutMs: 5000, effect: someEffect() }),
    );
    assert.equal(error.code, 'unreachable');
  });

  it('ends a session at once: its exit status is seen', async () => {
    const server = await start({
      onExec: (channel) => {
        channel.stderr.write('su: user ghost does not exist\n');
        channel.exit(1);
        channel.end();
      },
    });
    const connection = await connect(server);
    const plain = await rejection(connection.run(sh`:`, quick));
    assert.equal(plain.code, 'task-failed');
    assert.match(plain.message, /it exited with status 1/);
    const become = { user: 'ghost', method: 'su' } as const;
    const refused = await rejection(connection.run(sh`:`, { ...quick, become }));
    assert.match(refused.message, /there is no such user on the host \(su: user ghost does not exist\)/);
  });

  it('closes a channel without an exit status: unreachable', async () => {
    const server = await start({ onExec: (channel) => channel.close() });
    const error = await rejection((await connect(server)).run(sh`:`, quick));
    assert.equal(error.code, 'unreachable');
  });

  it('stops answering: the timeout ends the wait, and says that the script may go on', async () => {
    const server = await start({ onExec: () => {} });
    const error = await rejection((await connect(server)).run(sh`:`, { timeoutMs: 200 }));
    assert.equal(error.code, 'timeout');
    assert.match(error.message, /could not be killed and may still be running/);
  });

  it('vanishes without closing the link: the keepalive finds out', async () => {
    const server = await start({ onExec: (_channel, _command, _connection, socket) => void socket?.pause() });
    const options = { sshOptions: { serveraliveinterval: '1', serveralivecountmax: '1' } };
    const error = await rejection((await connect(server, options)).run(sh`sleep 60`, { timeoutMs: 30_000 }));
    assert.equal(error.code, 'unreachable');
    assert.match(error.message, /Keepalive timeout/);
  });

  it('refuses a session at first: it is asked again', async () => {
    const server = await start({ refusedSessions: 3 });
    assert.equal((await (await connect(server)).run(sh`echo on`, quick)).stdout, 'on\n');
    assert.equal(server.sessions(), 4);
  });

  it('refuses sessions for good: unreachable, with the setting to look at', async () => {
    const error = await rejection((await connect(await start({ refusedSessions: 99 }))).run(sh`:`, quick));
    assert.equal(error.code, 'unreachable');
    assert.match(error.message, /refuses another session/);
    assert.match(error.hint ?? '', /MaxSessions/);
  });

  it('does not listen', async () => {
    const server = await start();
    const port = await freePort();
    const error = await rejection(connect(server, { port }));
    assert.equal(error.code, 'unreachable');
    assert.include(error.message, `127.0.0.1:${port} refused the connection`);
  });

  it('has a name that does not exist', async () => {
    const error = await rejection(connect(await start(), { address: 'nonesuch.invalid' }));
    assert.equal(error.code, 'unreachable');
    assert.match(error.message, /the name nonesuch\.invalid (does not exist|cannot be resolved)/);
  });

  for (const [title, greet, message] of [
    ['hangs in the handshake', () => {}, /accepted the connection but did not finish the SSH handshake within 300 ms/],
    ['closes before the handshake', (socket: Socket) => void socket.end(), /closed before the SSH handshake/],
    [
      'speaks another protocol',
      (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /cannot reach .*/,
    ],
  ] as const) {
    it(title, async () => {
      const server = await start();
      const port = await listen(greet);
      const error = await rejection(connect(server, { port, connectTimeoutMs: 300 }));
      assert.equal(error.code, 'unreachable');
      assert.match(error.message, message);
    });
  }

  it('hangs in the login: the timeout says what was tried', async () => {
    const server = await start({ onAuth: () => {} });
    const error = await rejection(connect(server, { connectTimeoutMs: 300 }));
    assert.match(error.message, /the login did not end within 300 ms \(tried: key .*id_ed25519\)/);
  });

  it('tells how far a connect has come, and until when it may take', async () => {
    const server = await start();
    const told: string[] = [];
    const transport = createTransport(sshOptions(server));
    await using connection = await transport.connect(targetOf(server), undefined, ({ text, deadlineMs }) =>
      told.push(`${text.replace(/^connecting to ops@127\.0\.0\.1:\d+ /, '')} ${deadlineMs === undefined}`),
    );
    assert.ok(connection);
    assert.deepEqual(told, [
      '(waiting for its turn: 32 at a time) true',
      '(no answer yet) false',
      '(SSH handshake) false',
      '(authentication) false',
    ]);
  });

  it('has 32 at its door at most, of however many who want to log in, and all of them get in', async () => {
    const waiting: AuthContext[] = [];
    let left = 60;
    const server = await start({
      onAuth: (context) => {
        // Nobody is let in before all have come who would.
        if (waiting.push(context) < Math.min(left, 32)) return;
        left -= waiting.length;
        for (const one of waiting.splice(0)) one.accept();
      },
    });
    const transport = createTransport(sshOptions(server));
    const connections = await Promise.all(Array.from({ length: left }, () => transport.connect(targetOf(server))));
    open.push(...connections);
    assert.equal(server.mostAtTheDoor(), 32);
  });

  it('stops for an AbortSignal while it connects', async () => {
    const server = await start();
    const port = await listen(() => {});
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const transport = createTransport(sshOptions(server));
    const error = await rejection(transport.connect(targetOf(server, { port }), controller.signal));
    assert.equal(error.code, 'interrupted');
  });

  it('offers only key exchanges that are not accepted: the error names them', async () => {
    const server = await start({ algorithms: { kex: ['diffie-hellman-group18-sha512'] } });
    const error = await rejection(connect(server));
    assert.match(
      error.message,
      /no matching key exchange algorithm; the host offers only .*diffie-hellman-group18-sha512/,
    );
  });

  it('refuses the login: the error says what was tried and what could not be', async () => {
    const server = await start({
      onAuth: (context) => context.reject(['publickey', 'password', 'keyboard-interactive']),
    });
    generateKey(join(server.home, '.ssh', 'locked'), 'phrase');
    const config = `Host *\n IdentityFile ~/.ssh/id_ed25519\n IdentityFile ~/.ssh/locked\n IdentityFile ~/.ssh/none\n`;
    writeFileSync(join(server.home, '.ssh', 'config'), config);
    const error = await rejection(connect(server, { password: new Secret('wrong-password') }));
    assert.equal(error.code, 'unreachable');
    assert.match(
      error.message,
      /the login was refused for user ops \(tried: key .*id_ed25519, password, keyboard-interactive; /,
    );
    assert.match(error.message, /locked is encrypted, and no passphrase was given; key .*none does not exist/);
    assert.notInclude(error.message, 'wrong-password');
    assert.deepEqual(server.attempts, ['publickey', 'password', 'keyboard-interactive']);
  });

  it('takes only passwords: keys are not offered twice, the password is', async () => {
    const server = await start({
      onAuth: (context) => {
        if (context.method === 'password' && context.password === 'right') context.accept();
        else context.reject(['password']);
      },
    });
    await connect(server, { password: new Secret('right') });
    assert.deepEqual(server.attempts, ['publickey', 'password']);
  });

  it('asks on the keyboard: the password answers, once', async () => {
    let prompts = 0;
    const server = await start({
      onAuth: (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        prompts++;
        context.prompt([{ prompt: 'Password: ', echo: false }], (answers) =>
          answers[0] === 'right' ? context.accept() : context.reject(),
        );
      },
    });
    await connect(server, { password: new Secret('right') });
    assert.equal(prompts, 1);
  });

  it('cannot be logged in to when there is nothing to try', async () => {
    const server = await start();
    const home = join(server.home, 'empty');
    const known = { userknownhostsfile: join(server.home, '.ssh', 'known_hosts') };
    const error = await rejection(connect(server, { sshOptions: known }, { home }));
    assert.match(error.message, /there is no key file, no agent and no password/);
    const locked = join(server.home, 'locked');
    generateKey(locked, 'phrase');
    const refused = await rejection(
      connect(server, { sshOptions: known, privateKeyFile: locked, privateKeyPassphrase: new Secret('no') }),
    );
    assert.match(refused.message, /locked cannot be decrypted with the passphrase/);
  });

  it('shows an unknown, changed or revoked key: host-key, and nothing is sent to it', async () => {
    const server = await start();
    const file = join(server.home, '.ssh', 'known_hosts');
    const name = `[127.0.0.1]:${server.port}`;
    const other = join(server.home, 'other');
    generateKey(other);
    const otherKey = (await import('node:fs')).readFileSync(`${other}.pub`, 'utf8').trim();
    const shown = sha256Fingerprint(server.hostKey.split(' ')[1] ?? '');
    for (const [lines, message] of [
      ['', 'is not known'],
      [`${name} ${otherKey}`, `${file}:1 has ssh-ed25519 SHA256:`],
      [`@revoked ${name} ${server.hostKey}`, `is revoked in ${file}:1`],
    ] as const) {
      writeFileSync(file, `${lines}\n`);
      const error = await rejection(connect(server));
      assert.equal(error.code, 'host-key');
      assert.include(error.message, message);
      assert.include(error.message, shown);
    }
    assert.deepEqual(server.attempts, []);
  });

  it('is trusted the first time with accept-new, and without a look when off', async () => {
    const server = await start();
    const file = join(server.home, '.ssh', 'known_hosts');
    writeFileSync(file, '');
    const warnings: string[] = [];
    await connect(server, {}, { hostKeyChecking: 'off' });
    await connect(server, {}, { hostKeyChecking: 'accept-new', warn: (message) => warnings.push(message) });
    await connect(server);
    assert.lengthOf(warnings, 1);
    await connect(server, { sshOptions: { stricthostkeychecking: 'no', userknownhostsfile: '/dev/null' } });
  });

  it('is closed while a script runs: unreachable', async () => {
    const connection = await connect(await start());
    const running = rejection(connection.run(sh`sleep 5`, quick));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await connection[Symbol.asyncDispose]();
    assert.equal((await running).code, 'unreachable');
  });
});

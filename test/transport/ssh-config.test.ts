import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { createSshConfig, type HostRequest, type ResolvedHost } from '../../engine/transport/ssh-config.ts';
import { parseSshArgs } from '../../engine/transport/ssh-options.ts';

const home = mkdtempSync(join(tmpdir(), 'runbook-config-'));
after(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, '.ssh', 'config.d'), { recursive: true });

function resolve(text: string, request: Partial<HostRequest> = {}, system = ''): ResolvedHost {
  const files = [join(home, '.ssh', 'config'), join(home, 'system_config')];
  writeFileSync(files[0] ?? '', text);
  writeFileSync(files[1] ?? '', system);
  const environment = { SSH_AUTH_SOCK: '/run/agent', KEYS: '/keys' };
  const config = createSshConfig({
    home,
    localUser: 'me',
    environment,
    configFiles: files,
    hostKeyChecking: undefined,
  });
  return config.resolve({ address: 'node-1', ...request });
}

describe('ssh_config', () => {
  it('has usual values where nothing is said', () => {
    const host = resolve('');
    assert.deepInclude(host, {
      hostname: 'node-1',
      port: 22,
      user: 'me',
      hasOwnIdentities: false,
      identitiesOnly: false,
      agent: '/run/agent',
      hostKeyChecking: 'strict',
      hostKeyName: 'node-1',
      connectTimeoutMs: 20_000,
      keepaliveMs: 15_000,
      keepaliveCount: 3,
    });
    assert.deepEqual(
      host.identityFiles,
      ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
    );
    assert.deepEqual(host.userKnownHostsFiles, [`${home}/.ssh/known_hosts`, `${home}/.ssh/known_hosts2`]);
    assert.deepEqual(host.proxyJump, []);
    assert.deepEqual(host.warnings, []);
  });

  it('takes the first value of an option, in any case, and the user’s file before the system’s', () => {
    const host = resolve(
      'Host node-*\n  hostname 10.0.0.1\n  PORT 2222\nHost *\n  Port 3\n  User ops\n',
      {},
      'Host *\n  User other\n  ConnectTimeout 7\n',
    );
    assert.deepInclude(host, {
      hostname: '10.0.0.1',
      port: 2222,
      user: 'ops',
      connectTimeoutMs: 7000,
      hostKeyName: '[10.0.0.1]:2222',
    });
  });

  it('puts the target before -o options, and these before the files', () => {
    const sshOptions = parseSshArgs('-o Port=5 -o User=option -J jump');
    const host = resolve('Host *\n  Port 1\n  User file\n  ProxyJump none\n', { port: 9, sshOptions });
    assert.deepInclude(host, { port: 9, user: 'option' });
    assert.deepEqual(host.proxyJump, ['jump']);
  });

  it('adds key files up and expands ~, tokens and environment', () => {
    const text =
      'Host node-1\n  HostName %h.example.org\n  User ops\n  IdentityFile ~/.ssh/%r@%h\n  IdentityFile %d/b\n  IdentitiesOnly yes\nHost *\n  IdentityFile ${KEYS}/c\n';
    const host = resolve(text, { privateKeyFile: '~/own' });
    assert.deepEqual(host.identityFiles, [
      `${home}/own`,
      `${home}/.ssh/ops@node-1.example.org`,
      `${home}/b`,
      '/keys/c',
    ]);
    assert.isTrue(host.identitiesOnly);
    assert.isTrue(host.hasOwnIdentities);
  });

  it('reads known_hosts files, alias, checking, keepalive, family and agent', () => {
    const text =
      'Host *\n  UserKnownHostsFile /a ~/b\n  GlobalKnownHostsFile none\n  HostKeyAlias cluster\n  Port 2222\n  StrictHostKeyChecking accept-new\n  ServerAliveInterval 5\n  ServerAliveCountMax 2\n  AddressFamily inet\n  IdentityAgent none\n';
    const host = resolve(text);
    assert.deepEqual(host.userKnownHostsFiles, ['/a', `${home}/b`]);
    assert.deepEqual(host.globalKnownHostsFiles, []);
    assert.deepInclude(host, {
      hostKeyName: 'cluster',
      hostKeyChecking: 'accept-new',
      keepaliveMs: 5000,
      keepaliveCount: 2,
      family: 4,
      agent: undefined,
    });
  });

  it('knows chains of bastions', () => {
    assert.deepEqual(resolve('Host node-1\n  ProxyJump a@b:22,c\n').proxyJump, ['a@b:22', 'c']);
  });

  it('follows Include, relative to ~/.ssh, with wildcards, and goes on in the section that it stands in', () => {
    writeFileSync(join(home, '.ssh', 'config.d', '1'), 'Host node-1\n  User included\n');
    writeFileSync(join(home, '.ssh', 'config.d', '2'), 'Host other\n  User wrong\n  Port 1\n');
    const host = resolve('Include config.d/*\nInclude missing\nPort 77\nHost node-2\n  Port 1\n');
    assert.deepInclude(host, { user: 'included', port: 77 });
  });

  it('reads another file for -F, and none for -F none', () => {
    writeFileSync(join(home, 'mine'), 'Host *\n  User mine\n');
    assert.equal(resolve('Host *\n  User file\n', { sshOptions: parseSshArgs('-F ~/mine') }).user, 'mine');
    assert.equal(resolve('Host *\n  User file\n', { sshOptions: parseSshArgs('-F none') }).user, 'me');
  });

  it('refuses what would lead elsewhere if ignored, and warns of what it ignores', () => {
    assert.throws(
      () => resolve('Host *\n  ProxyCommand ssh -W %h:%p jump\n'),
      /ProxyCommand is not supported \(ssh -W/,
    );
    assert.throws(() => resolve('Host *\n  Port many\n'), /Port must be a whole number, not "many"/);
    assert.match(resolve('Host *\n  CertificateFile x\n').warnings.join(), /certificatefile is ignored/);
    assert.deepEqual(
      resolve('Host *\n  GSSAPIAuthentication yes\n  SendEnv LANG LC_*\n  HashKnownHosts yes\n').warnings,
      [],
    );
  });
});

describe('parseSshArgs', () => {
  const table: readonly (readonly [string, Record<string, string>])[] = [
    ['', {}],
    ['-o Port=22', { port: '22' }],
    ['-oPort=22 -o  User=ops', { port: '22', user: 'ops' }],
    ['-o "Port 22"', { port: '22' }],
    [`-o 'UserKnownHostsFile=/a b'`, { userknownhostsfile: '/a b' }],
    ['-o StrictHostKeyChecking=no -o StrictHostKeyChecking=yes', { stricthostkeychecking: 'no' }],
    [
      '-J ops@jump:2222,b -F /f -i /k -p 5 -l me',
      { proxyjump: 'ops@jump:2222,b', configfile: '/f', identityfile: '/k', port: '5', user: 'me' },
    ],
    ['-C -q -4', { addressfamily: 'inet' }],
    ['-o ProxyCommand="ssh -W %h:%p \\"a b\\""', { proxycommand: 'ssh -W %h:%p "a b"' }],
    ['-i /a\\ b', { identityfile: '/a b' }],
  ];
  for (const [text, expected] of table) {
    it(`reads ${text || 'nothing'}`, () => assert.deepEqual(parseSshArgs(text), expected));
  }

  for (const [text, message] of [
    ['-L 80:x:80', /"-L" is not supported/],
    ['host', /"host" is not supported/],
    ['-o', /"-o" lacks its value/],
    ['-o nonsense', /not of the form Key=Value/],
    ["-o 'Port=22", /the quote ' at character 4 is never closed/],
  ] as const) {
    it(`refuses ${text}`, () => assert.throws(() => parseSshArgs(text), message));
  }
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { createHostKeyVerifier, type HostKeyChecking, type HostKeyQuestion } from '../../engine/transport/host-key.ts';
import { fingerprint, hostKeyName, keyType, parseKnownHosts } from '../../engine/transport/known-hosts.ts';
import { generateKey } from '../support/sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'runbook-known-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(name: string, type = 'ed25519'): { text: string; blob: Buffer; fingerprint: string } {
  const path = join(folder, name);
  generateKey(path, '', type);
  const text = readFileSync(`${path}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
  const printed =
    execFileSync('ssh-keygen', ['-lf', `${path}.pub`])
      .toString()
      .split(' ')[1] ?? '';
  return { text, blob: Buffer.from(text.split(' ')[1] ?? '', 'base64'), fingerprint: printed };
}

const one = makeKey('one');
const two = makeKey('two');
const ecdsa = makeKey('ecdsa', 'ecdsa');

function verdict(lines: string, name: string, key = one.blob): string {
  const result = parseKnownHosts([{ path: 'kh', text: lines }]).verify(name, key);
  return result.kind === 'changed' ? `changed ${result.expected.line}` : result.kind;
}

describe('known_hosts', () => {
  const table: readonly (readonly [title: string, lines: string, name: string, expected: string])[] = [
    ['a plain name', `node-1 ${one.text}`, 'node-1', 'known'],
    ['a name in another case', `Node-1 ${one.text}`, 'NODE-1', 'known'],
    ['a list', `a,node-1,10.0.0.1 ${one.text}`, '10.0.0.1', 'known'],
    ['a comment behind the key', `node-1 ${one.text} root@node-1`, 'node-1', 'known'],
    ['CRLF line ends', `node-1 ${one.text}\r\n`, 'node-1', 'known'],
    ['another host', `node-2 ${one.text}`, 'node-1', 'unknown'],
    ['no line at all', '', 'node-1', 'unknown'],
    ['a wildcard', `*.example.org ${one.text}`, 'a.example.org', 'known'],
    ['a dot that is no wildcard', `*.example.org ${one.text}`, 'aXexampleXorg', 'unknown'],
    ['a question mark', `node-? ${one.text}`, 'node-1', 'known'],
    ['an exception', `*.example.org,!bad.example.org ${one.text}`, 'bad.example.org', 'unknown'],
    ['an exception first', `!bad.example.org,*.example.org ${one.text}`, 'bad.example.org', 'unknown'],
    ['a port', `[node-1]:2222 ${one.text}`, '[node-1]:2222', 'known'],
    ['another port', `[node-1]:2222 ${one.text}`, 'node-1', 'unknown'],
    ['brackets with a wildcard', `[*.example.org]:2222 ${one.text}`, '[a.example.org]:2222', 'known'],
    ['a changed key', `x ${one.text}\nnode-1 ${two.text}`, 'node-1', 'changed 2'],
    ['a changed key, of which one type fits', `node-1 ${ecdsa.text}\nnode-1 ${two.text}`, 'node-1', 'changed 2'],
    ['a key of another type only', `node-1 ${ecdsa.text}`, 'node-1', 'changed 1'],
    ['several keys, one is it', `node-1 ${two.text}\nnode-1 ${one.text}`, 'node-1', 'known'],
    ['a revoked key', `@revoked * ${one.text}\nnode-1 ${one.text}`, 'node-1', 'revoked'],
    ['another revoked key', `@revoked * ${two.text}\nnode-1 ${one.text}`, 'node-1', 'known'],
    ['a certificate authority', `@cert-authority * ${one.text}`, 'node-1', 'unknown'],
    ['an unknown marker', `@other node-1 ${one.text}`, 'node-1', 'unknown'],
    ['nonsense', `node-1\nnode-1 ssh-ed25519\nnode-1 ssh-rsa AAAA\n# node-1 ${one.text}`, 'node-1', 'unknown'],
  ];
  for (const [title, lines, name, expected] of table) {
    it(`${expected}: ${title}`, () => assert.equal(verdict(lines, name), expected));
  }

  it('finds what ssh-keygen -H hashed', () => {
    const path = join(folder, 'hashed');
    writeFileSync(path, `node-1,10.0.0.1 ${one.text}\n[node-2]:2222 ${two.text}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
    const text = readFileSync(path, 'utf8');
    assert.notInclude(text, 'node-1');
    assert.equal(verdict(text, 'node-1'), 'known');
    assert.equal(verdict(text, '10.0.0.1'), 'known');
    assert.equal(verdict(text, '[node-2]:2222', two.blob), 'known');
    assert.equal(verdict(text, 'node-2'), 'unknown');
    assert.match(verdict(text, 'node-1', two.blob), /^changed/);
  });

  it('names the key types of a host, for the order in which they are asked for', () => {
    const known = parseKnownHosts([{ path: 'kh', text: `n ${ecdsa.text}\nn ${one.text}\n@revoked n ${two.text}` }]);
    assert.deepEqual(known.typesOf('n'), ['ecdsa-sha2-nistp256', 'ssh-ed25519']);
  });

  it('writes names, types and fingerprints as OpenSSH does', () => {
    assert.equal(hostKeyName('Node-1', 22), 'node-1');
    assert.equal(hostKeyName('fe80::1', 2222), '[fe80::1]:2222');
    assert.equal(keyType(one.blob), 'ssh-ed25519');
    assert.equal(keyType(Buffer.from([0, 0])), 'unknown');
    assert.equal(fingerprint(one.blob), one.fingerprint);
  });
});

describe('host key checking', () => {
  function question(checking: HostKeyChecking, file: string, more: Partial<HostKeyQuestion> = {}): HostKeyQuestion {
    return {
      name: 'node-1',
      host: 'node-1',
      port: 22,
      target: 'ops@node-1:22',
      checking,
      userFiles: [file],
      globalFiles: [],
      ...more,
    };
  }

  it('strict refuses an unknown key, with its fingerprint and two ways to accept it', () => {
    const error = createHostKeyVerifier(() => {}).verify(question('strict', join(folder, 'none')), one.blob);
    assert.equal(error?.code, 'host-key');
    assert.include(error?.message, `ops@node-1:22 is not known: ssh-ed25519 ${one.fingerprint}`);
    assert.match(error?.hint ?? '', /ssh-keyscan node-1 >> .*none.*--host-key-checking=accept-new/);
  });

  it('a changed key is refused in every mode but off, with both fingerprints and the line', () => {
    const path = join(folder, 'changed');
    writeFileSync(path, `other ${two.text}\nnode-1 ${two.text}\n`);
    for (const mode of ['strict', 'accept-new'] as const) {
      const error = createHostKeyVerifier(() => {}).verify(question(mode, path), one.blob);
      assert.equal(error?.code, 'host-key');
      assert.include(error?.message, `${path}:2`);
      assert.include(error?.message, one.fingerprint);
      assert.include(error?.message, two.fingerprint);
      assert.include(error?.hint, `ssh-keygen -f ${path} -R 'node-1'`);
    }
    assert.isUndefined(createHostKeyVerifier(() => {}).verify(question('off', path), one.blob));
  });

  it('a revoked key is refused', () => {
    const path = join(folder, 'revoked');
    writeFileSync(path, `@revoked * ${one.text}\n`);
    const error = createHostKeyVerifier(() => {}).verify(question('accept-new', path), one.blob);
    assert.include(error?.message, `is revoked in ${path}:1`);
  });

  it('accept-new writes a new key down once, privately, on a line of its own, and holds the host to it', () => {
    const path = join(folder, 'fresh', 'known_hosts');
    const warnings: string[] = [];
    const verifier = createHostKeyVerifier((message) => warnings.push(message));
    const port = { name: '[node-1]:2222', port: 2222 };
    assert.isUndefined(verifier.verify(question('accept-new', path), one.blob));
    assert.isUndefined(verifier.verify(question('accept-new', path), one.blob));
    writeFileSync(path, readFileSync(path, 'utf8').trimEnd());
    assert.isUndefined(verifier.verify(question('accept-new', path, port), two.blob) ?? undefined);
    assert.equal(readFileSync(path, 'utf8'), `node-1 ${one.text}\n[node-1]:2222 ${two.text}\n`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.lengthOf(warnings, 2);
    assert.equal(verifier.verify(question('accept-new', path), two.blob)?.code, 'host-key');
    const next = createHostKeyVerifier(() => {});
    assert.isUndefined(next.verify(question('strict', path), one.blob));
  });

  it("a host's own line counts for its other ports, as with OpenSSH", () => {
    const path = join(folder, 'portless');
    writeFileSync(path, `node-1 ${one.text}\n`);
    const asked = question('strict', path, { name: '[node-1]:2222', port: 2222 });
    assert.isUndefined(createHostKeyVerifier(() => {}).verify(asked, one.blob));
    assert.deepEqual(createHostKeyVerifier(() => {}).typesOf(asked), ['ssh-ed25519']);
  });

  it('mentions certificate authorities that cannot help', () => {
    const path = join(folder, 'authority');
    writeFileSync(path, `@cert-authority * ${two.text}\n`);
    const error = createHostKeyVerifier(() => {}).verify(question('strict', path), one.blob);
    assert.match(error?.message ?? '', /host certificates are not supported/);
  });
});

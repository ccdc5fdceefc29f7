import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Script, sh } from '../../engine/base/sh.ts';
import { largeBytes } from '../../engine/transport/host-digest.ts';
import type { Connection, PutOptions } from '../../engine/transport/transport.ts';
import { describeFile, parseFile } from '../../modules/lib/file-state.ts';
import { type OpenConnection, skipWhereMissing, someEffect, transportsUnderTest } from '../support/transports.ts';

const large = randomBytes(largeBytes);
const sha256 = createHash('sha256').update(large).digest('hex');

for (const transport of transportsUnderTest) {
  describe(`a large file that was put over ${transport.name}`, () => {
    let open: OpenConnection;
    let connection: Connection;
    let folder: string;
    let path: string;
    before(async function () {
      skipWhereMissing(this, transport);
      open = await transport.open();
      connection = open.connection;
    });
    after(() => open?.[Symbol.asyncDispose]());
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'runbook-verified-'));
      path = join(folder, 'file');
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    async function put(bytes: Buffer, options: Partial<PutOptions> = {}): Promise<string> {
      const effect = someEffect();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await connection.put(path, { kind: 'bytes', bytes }, { sha256, timeoutMs: 10_000, effect, ...options });
      return effect.id;
    }

    async function print(text: Script): Promise<string> {
      return (await connection.run(text, { timeoutMs: 10_000 })).stdout;
    }

    const notesOf = async (id: string): Promise<string> => {
      const folder = await print(sh`printf %s "$RUNBOOK_EFFECTS"`);
      const notes = readdirSync(folder).filter((name) => name.startsWith(id) && name.endsWith('.sum'));
      return notes.map((name) => join(folder, name)).join(' ');
    };

    /** The digest of the file, or `noted` where it is had without reading it. */
    async function found(id: string): Promise<string> {
      const note = await notesOf(id);
      if (note !== '') {
        const text = readFileSync(note, 'utf8');
        expect(text.split(' ', 1)).to.deep.equal([sha256]);
        writeFileSync(note, text.replace(sha256, 'noted'));
      }
      const answer = await print(describeFile(path, { digest: true, follow: true }));
      if (note !== '') writeFileSync(note, readFileSync(note, 'utf8').replace('noted', sha256));
      return parseFile(path, answer).sha256 ?? '';
    }

    const digestNow = (): string => createHash('sha256').update(readFileSync(path)).digest('hex');

    it('is not digested again, until somebody writes to it', async () => {
      const id = await put(large);
      expect(await found(id)).to.equal('noted');
      execFileSync('touch', ['-r', path, join(folder, 'time')]);
      execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=1', 'count=5', 'seek=5000', 'conv=notrunc', 'status=none']);
      expect(await found(id))
        .to.equal(digestNow())
        .and.not.equal(sha256);
      // Who sets the time of the last write back cannot set that of the last change.
      execFileSync('touch', ['-r', join(folder, 'time'), path]);
      expect(await found(id)).to.equal(digestNow());
    });

    it('is digested when another file has its name', async () => {
      const id = await put(large);
      writeFileSync(join(folder, 'other'), large);
      renameSync(join(folder, 'other'), path);
      expect(await found(id)).to.equal(sha256);
    });

    it('is digested when its validation has written to it', async () => {
      const id = await put(large, { validate: (file) => sh`echo more >>${file}` });
      expect(await notesOf(id)).to.equal('');
      expect(await found(id))
        .to.equal(digestNow())
        .and.not.equal(sha256);
    });

    it('is digested when it is small, and when the effect is forgotten', async () => {
      expect(await notesOf(await put(large.subarray(0, -1)))).to.equal('');
      const id = await put(large);
      await connection.forget([id], { timeoutMs: 10_000 });
      expect(await notesOf(id)).to.equal('');
    });

    it('is digested when the host was started since', async () => {
      const id = await put(large);
      const note = await notesOf(id);
      const [digest = '', boot = '', ...version] = readFileSync(note, 'utf8').split(' ');
      writeFileSync(note, [digest, boot.replace(/./, 'x'), ...version].join(' '));
      expect(await found(id)).to.equal(sha256);
    });

    it('is found through a link, whose note goes with the effect', async () => {
      writeFileSync(join(folder, 'real'), '');
      symlinkSync('real', path);
      const id = await put(large);
      expect(await found(id)).to.equal('noted');
      await connection.forget([id], { timeoutMs: 10_000 });
      expect(await notesOf(id)).to.equal('');
    });

    it('has a note that its user alone can read, and nobody takes for an effect', async () => {
      const id = await put(large);
      expect(statSync(await notesOf(id)).mode & 0o777).to.equal(0o600);
      const known = await connection.settle(id, { timeoutMs: 4000 });
      expect([...known]).to.deep.equal([[id, 'ended']]);
    });
  });
}

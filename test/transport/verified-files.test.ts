import { createHash, randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import type { Connection } from '../../engine/transport/transport.ts';
import { verifiedDigest } from '../../engine/transport/verified-files.ts';
import { describeFile, parseFile } from '../../modules/lib/file-state.ts';
import { type OpenConnection, someEffect, transportsUnderTest } from '../support/transports.ts';

const large = randomBytes(10_000_001);
const sha256 = createHash('sha256').update(large).digest('hex');

for (const transport of transportsUnderTest) {
  describe(`what a put over ${transport.name} has verified`, () => {
    let open: OpenConnection;
    let connection: Connection;
    let folder: string;
    let path: string;
    before(async function () {
      if (transport.skipReason !== undefined) {
        console.warn(`put over ${transport.name} is not tested: ${transport.skipReason}`);
        this.skip();
      }
      open = await transport.open();
      connection = open.connection;
    });
    after(() => open?.[Symbol.asyncDispose]());
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'runbook-verified-'));
      path = join(folder, 'file');
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    async function put(bytes: Buffer): Promise<string> {
      const effect = someEffect();
      await connection.put(
        path,
        { kind: 'bytes', bytes },
        { sha256: createHash('sha256').update(bytes).digest('hex'), timeoutMs: 10_000, effect },
      );
      return effect.id;
    }

    async function print(text: ReturnType<typeof sh>): Promise<string> {
      return (await connection.run(text, { timeoutMs: 10_000 })).stdout;
    }

    const known = (): Promise<string> => print(sh`p=${path} h=; ${verifiedDigest}; printf %s "$h"`);

    it('is known while nobody has written to the file', async () => {
      await put(large);
      expect(await known()).to.equal(sha256);
      const { atime, mtime } = statSync(path);
      writeSync(openSync(path, 'r+'), 'other', 5000);
      expect(await known()).to.equal('');
      // Who sets the time back cannot set that of the change.
      utimesSync(path, atime, mtime);
      expect(await known()).to.equal('');
    });

    it('is not known of another file of that name', async () => {
      await put(large);
      writeFileSync(join(folder, 'other'), large);
      renameSync(join(folder, 'other'), path);
      expect(await known()).to.equal('');
    });

    it('is not known of a file that takes no time to read, nor when the effect is forgotten', async () => {
      await put(large.subarray(1));
      expect(await known()).to.equal('');
      const id = await put(large);
      await connection.forget([id], { timeoutMs: 10_000 });
      expect(await known()).to.equal('');
    });

    it('is what a probe takes for the digest of the file', async () => {
      const id = await put(large);
      const kept = join(await print(sh`printf %s "$RUNBOOK_EFFECTS"`), `${id}.sum`);
      const text = readFileSync(kept, 'utf8');
      expect(text.split(' ', 1)).to.deep.equal([sha256]);
      const ask = async (): Promise<string | undefined> =>
        parseFile(path, await print(describeFile(path, { digest: true }))).sha256;
      // So it is seen from where the probe has it.
      writeFileSync(kept, text.replace(sha256, 'noted'));
      expect(await ask()).to.equal('noted');
      rmSync(kept);
      expect(await ask()).to.equal(sha256);
    });
  });
}

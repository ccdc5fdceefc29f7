import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, realpathSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { createFileReader } from '../../engine/transport/file-reader.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { rejection } from '../support/transports.ts';

const mebibyte = 1024 * 1024;

/** Undefined for a descriptor that was closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

async function piecesOf(read: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of read) pieces.push(piece);
  return pieces;
}

describe('a file that goes to many hosts', () => {
  it('is read once for those that are as far as each other, and each gets all of it', async () => {
    await withTemporaryFolder(async (folder) => {
      const path = join(folder, 'archive');
      for (const size of [0, 1, mebibyte, 2 * mebibyte + 3]) {
        const bytes = randomBytes(size);
        writeFileSync(path, bytes);
        const read = createFileReader();
        const all = await Promise.all([1, 2, 3].map(() => piecesOf(read(path))));
        for (const pieces of all) {
          assert.isTrue(Buffer.concat(pieces).equals(bytes), `${size} bytes`);
          pieces.forEach((piece, i) => {
            assert.strictEqual(piece, all[0]?.[i]);
          });
        }
      }
    });
  });

  it('is read again by one that is far behind', async () => {
    await withTemporaryFolder(async (folder) => {
      const path = join(folder, 'archive');
      const bytes = randomBytes(40 * mebibyte);
      writeFileSync(path, bytes);
      const read = createFileReader();
      const late = read(path)[Symbol.asyncIterator]();
      const first: Uint8Array = (await late.next()).value;
      const early = await piecesOf(read(path));
      assert.strictEqual(early[0], first);
      const pieces = [first];
      for (let next = await late.next(); !next.done; next = await late.next()) pieces.push(next.value);
      assert.isTrue(Buffer.concat(pieces).equals(bytes));
      // Memory is bounded: what the first one had read at its beginning was given up when it came to its end.
      assert.notStrictEqual(pieces[1], early[1]);
    });
  });

  it('is let go of by all who stop, at its end or before', async () => {
    await withTemporaryFolder(async (folder) => {
      const path = join(folder, 'archive');
      writeFileSync(path, randomBytes(2 * mebibyte));
      const read = createFileReader();
      for await (const first of read(path)) {
        const [same] = await piecesOf(read(path));
        assert.strictEqual(same, first);
        break;
      }
      const opened = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
      assert.notInclude(opened, realpathSync(path));
      const [one, another] = [await piecesOf(read(path)), await piecesOf(read(path))];
      assert.notStrictEqual(one[0], another[0]);
    });
  });

  it('is the new one for those that begin after it was replaced, or written, and the old one for the others', async () => {
    await withTemporaryFolder(async (folder) => {
      const path = join(folder, 'archive');
      const [old, replaced] = [randomBytes(3 * mebibyte), randomBytes(3 * mebibyte)];
      writeFileSync(path, old);
      const read = createFileReader();
      const early = read(path)[Symbol.asyncIterator]();
      const pieces: Uint8Array[] = [(await early.next()).value];
      writeFileSync(`${path}.new`, replaced);
      renameSync(`${path}.new`, path);
      assert.isTrue(Buffer.concat(await piecesOf(read(path))).equals(replaced));
      for (let next = await early.next(); !next.done; next = await early.next()) pieces.push(next.value);
      assert.isTrue(Buffer.concat(pieces).equals(old));
      truncateSync(path, 5);
      assert.isTrue(Buffer.concat(await piecesOf(read(path))).equals(replaced.subarray(0, 5)));
    });
  });

  it('fails for all of them with its reason when it cannot be read', async () => {
    await withTemporaryFolder(async (folder) => {
      const read = createFileReader();
      for (const path of [join(folder, 'missing'), folder]) {
        const errors = await Promise.all([1, 2].map(() => rejection(piecesOf(read(path)))));
        for (const { code, message } of errors) {
          assert.equal(code, 'file-unreadable');
          assert.match(message, /^cannot read the file to put: (ENOENT|EISDIR): /);
        }
      }
    });
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { rejection, someEffect, transportsUnderTest } from '../support/transports.ts';
import { counting } from './counting.ts';
import { mountSmallDisk, whyNoSmallDisk } from './small-disk.ts';

const kilobyte = 1024;

/** Faults of the disk that a file is put on: what was there before is there after it, and nothing else. */
describe('putting a file on a disk', () => {
  const counted = counting('puts that failed and left the old state');
  before(function () {
    if (whyNoSmallDisk() !== undefined) this.skip();
  });

  for (const transport of transportsUnderTest) {
    for (const fault of ['full', 'read-only'] as const) {
      for (const before of ['nothing', 'an old file'] as const) {
        for (const how of ['from memory', 'streamed'] as const) {
          it(`that is ${fault}, over ${before}, ${how}, ${transport.name}: fails, says why, leaves nothing`, async function () {
            if (transport.skipReason !== undefined) return this.skip();
            await withTemporaryFolder(async (folder) => {
              await using opened = await transport.open();
              using disk = mountSmallDisk(join(folder, 'disk'), 64 * kilobyte);
              const path = join(disk.path, 'target');
              if (before === 'an old file') writeFileSync(path, 'old');
              if (fault === 'read-only') disk.makeReadOnly();
              const bytes = randomBytes(200 * kilobyte);
              writeFileSync(join(folder, 'source'), bytes);
              const content =
                how === 'from memory'
                  ? ({ kind: 'bytes', bytes } as const)
                  : ({ kind: 'file', path: join(folder, 'source'), size: bytes.length } as const);
              const sha256 = createHash('sha256').update(bytes).digest('hex');
              const error = await rejection(
                opened.connection.put(path, content, { sha256, timeoutMs: 20_000, backup: true, effect: someEffect() }),
              );
              expect(error.code).to.equal('transfer-failed');
              expect(error.message).to.match(fault === 'full' ? /No space left on device/ : /Read-only file system/);
              expect(readdirSync(disk.path)).to.deep.equal(before === 'nothing' ? [] : ['target']);
              if (before === 'an old file') expect(readFileSync(path, 'utf8')).to.equal('old');
            });
            counted.held(`${fault} over ${transport.name}`);
          });
        }
      }
    }
  }
});

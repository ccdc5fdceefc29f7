import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { createKeylessOpener, type FileOpener } from '../../engine/language/encrypted-files.ts';
import { controllerFor, createFileStore, type FileStore } from '../../engine/run/controller.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

const never = new AbortController().signal;
const plain = (source: { text: string }) => ({
  references: [],
  render: (scope: Readonly<Record<string, unknown>>) => `${source.text}${String(scope.x)}`,
});

describe("the controller's files", () => {
  it('are found beside the task, beside the playbook, and in the folder above', async () => {
    await withTemporaryFolder(async (root) => {
      for (const folder of ['playbooks/tasks/files', 'playbooks/files', 'templates'])
        await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, 'playbooks/tasks/files/a'), 'near');
      await writeFile(join(root, 'playbooks/files/a'), 'far');
      await writeFile(join(root, 'templates/t.hbs'), 'x=');
      const store = createFileStore(join(root, 'cache'), plain, never);
      const controller = controllerFor(store, 'n1', [join(root, 'playbooks/tasks'), join(root, 'playbooks')], { x: 1 });
      expect(await controller.find('a', 'files')).to.equal(join(root, 'playbooks/tasks/files/a'));
      const template = await controller.find('t.hbs', 'templates');
      expect(await controller.template(template)).to.equal('x=1');
      expect(await controller.template(template, { x: 2 })).to.equal('x=2');
      const error: unknown = await controller.find('nowhere', 'files').catch((e: unknown) => e);
      // The path is absolute or relative, whichever is shorter from where the tests run.
      expect((error as Error).message)
        .to.contain('no file "nowhere"')
        .and.contain(join(basename(root), 'playbooks/files/nowhere'));
    });
  });

  it('are held in memory when small and streamed when large, with the digest of either', async () => {
    await withTemporaryFolder(async (root) => {
      const large = Buffer.alloc(300 * 1024, 7);
      await writeFile(join(root, 'small'), 'hello');
      await writeFile(join(root, 'large'), large);
      const store = createFileStore(join(root, 'cache'), plain, never);
      expect((await store.content(join(root, 'small'))).content.kind).to.equal('bytes');
      const content = await store.content(join(root, 'large'));
      expect(content.content).to.deep.equal({ kind: 'file', path: join(root, 'large'), size: large.length });
      expect(content.sha256).to.equal(createHash('sha256').update(large).digest('hex'));
    });
  });

  describe('for many hosts', () => {
    /** What a store has read: `open FILE`, `bytes FILE`, and `digest FILE` of what is too large for that. */
    function counting(): { readonly opener: FileOpener; readonly read: string[] } {
      const opener = createKeylessOpener();
      const read: string[] = [];
      const noting: FileOpener = {
        open: (path, shown) => opener.open(path, shown).finally(() => read.push(`open ${basename(path)}`)),
        openBytes: (path) => opener.openBytes(path).finally(() => read.push(`bytes ${basename(path)}`)),
        digest: (path) => opener.digest(path).finally(() => read.push(`digest ${basename(path)}`)),
      };
      return { opener: noting, read };
    }

    async function askAll(store: FileStore, folder: string): Promise<readonly string[]> {
      const hosts = Array.from({ length: 20 }, (_, i) => controllerFor(store, `n${i}`, [folder], { x: 'same' }));
      const said = hosts.map(async (controller) => {
        const [small, large] = [await controller.find('small', 'files'), await controller.find('large', 'files')];
        const digests = [(await controller.content(small)).sha256, (await controller.content(large)).sha256];
        const text = await controller.template(await controller.find('t.hbs', 'templates'));
        return [...digests, text, (await controller.read(small)).toString()].map(String).join(' ');
      });
      return [...new Set(await Promise.all(said))];
    }

    const write = async (folder: string, text: string): Promise<void> => {
      await writeFile(join(folder, 'small'), text);
      await writeFile(join(folder, 'large'), Buffer.alloc(300 * 1024, text));
      await writeFile(join(folder, 't.hbs'), text);
      // What was written in this moment could be written again in it.
      await setTimeout(50);
    };

    it('are read, digested and compiled once, large ones too', () =>
      withTemporaryFolder(async (root) => {
        await write(root, 'one');
        const { opener, read } = counting();
        const store = createFileStore(join(root, 'cache'), plain, never, opener);
        for (let round = 0; round < 3; round++) expect(await askAll(store, root)).to.have.length(1);
        expect(read).to.have.members(['bytes small', 'digest large', 'open t.hbs']);
      }));

    it('are looked at once more when they have changed, or are there at last', () =>
      withTemporaryFolder(async (root) => {
        const { opener, read } = counting();
        const store = createFileStore(join(root, 'cache'), plain, never, opener);
        const early: unknown = await store.content(join(root, 'small')).catch((error: unknown) => error);
        expect(early).to.be.instanceOf(RunbookError).with.property('code', 'file-unreadable');
        await write(root, 'one');
        const before = await askAll(store, root);
        // As long as before.
        await write(root, 'two');
        const after = await askAll(store, root);
        expect(before[0]).to.match(/onesame one$/);
        expect(after[0]).to.match(/twosame two$/);
        expect(read).to.have.length(2 * 3);
      }));
  });

  it('that are templates get variables of their own over those of the task, of which none is copied', () =>
    withTemporaryFolder(async (root) => {
      await writeFile(join(root, 't.hbs'), 'x=');
      const copied = (): never => {
        throw new Error('all variables are looked at');
      };
      const scope = new Proxy({ y: 1 }, { ownKeys: copied });
      const controller = controllerFor(createFileStore(root, plain, never), 'n1', [root], scope);
      expect(await controller.template(join(root, 't.hbs'), { x: 2 })).to.equal('x=2');
    }));
});

describe('downloads', () => {
  const body = 'archive';
  const sha256 = createHash('sha256').update(body).digest('hex');

  async function withServer<T>(test: (url: string, requests: string[]) => Promise<T>): Promise<T> {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      if (request.url === '/a.tgz') response.end(body);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      // A TCP server's address is no string.
      return await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
    } finally {
      server.close();
    }
  }

  it('are fetched once for many hosts and kept by digest for the next run', async () => {
    await withTemporaryFolder((root) =>
      withServer(async (url, requests) => {
        for (const store of [createFileStore(root, plain, never), createFileStore(root, plain, never)]) {
          const paths = await Promise.all([
            store.download(`${url}/a.tgz`, sha256),
            store.download(`${url}/a.tgz`, sha256),
          ]);
          expect(paths[0]).to.equal(join(root, sha256)).and.equal(paths[1]);
        }
        expect(requests).to.deep.equal(['/a.tgz']);
      }),
    );
  });

  it('with another digest are refused, with both digests, and nothing is left behind', async () => {
    await withTemporaryFolder((root) =>
      withServer(async (url) => {
        const wrong = '0'.repeat(64);
        const error: unknown = await createFileStore(root, plain, never)
          .download(`${url}/a.tgz`, wrong)
          .catch((e: unknown) => e);
        expect(error).to.be.instanceOf(RunbookError).with.property('code', 'digest-mismatch');
        expect((error as Error).message)
          .to.contain(sha256)
          .and.contain(wrong);
        expect(await readdir(root)).to.deep.equal([]);
      }),
    );
  });

  it('that are not there say the status', async () => {
    await withTemporaryFolder((root) =>
      withServer(async (url) => {
        const error: unknown = await createFileStore(root, plain, never)
          .download(`${url}/nope`, sha256)
          .catch((e: unknown) => e);
        expect((error as Error).message).to.contain('HTTP 404');
      }),
    );
  });
});

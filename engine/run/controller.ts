import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorMessage, hintOf, RunbookError } from '../base/errors.ts';
import { fileDigest } from '../base/file-digest.ts';
import { oncePerVersion } from '../base/per-version.ts';
import { revealText, type Secret } from '../base/secret.ts';
import type { Source } from '../base/source.ts';
import { statNow } from '../base/stat-now.ts';
import type { Telling } from '../base/telling.ts';
import { createKeylessOpener, type FileOpener } from '../language/encrypted-files.ts';
import { renderedOnce } from '../language/rendered-once.ts';
import { createScope } from '../language/scope.ts';
import type { Template } from '../language/template.ts';
import type { Controller, FileContent } from '../module/contract.ts';
import { isHeldInMemory } from './file-content.ts';

/** How long a download may take, from the first byte asked for to the last. */
const downloadTimeoutMs = 30 * 60_000;

/** The controller's files, read, hashed, compiled and fetched once for a whole run, unless they change in its course. */
export interface FileStore {
  read(path: string): Promise<Buffer>;
  content(path: string): Promise<FileContent>;
  template(path: string): Promise<Template>;
  download(url: string, sha256: string): Promise<string>;
}

/** Makes a store; `cacheDirectory` keeps downloads between runs, named by digest. */
export function createFileStore(
  cacheDirectory: string,
  compileTemplate: (source: Source) => Template,
  signal: AbortSignal,
  opener: FileOpener = createKeylessOpener(),
): FileStore {
  const openBytes = oncePerVersion((path) =>
    opener.openBytes(path).catch((error) => Promise.reject(unreadable(path, error))),
  );
  const read = async (path: string): Promise<Buffer> => (await openBytes(path)).bytes;
  const template = oncePerVersion(async (path): Promise<Template> => {
    const source = await opener.open(path).catch((error) => Promise.reject(unreadable(path, error)));
    const compiled = renderedOnce(compileTemplate(source));
    return source.seal ? sealedTemplate(compiled, source.seal) : compiled;
  });
  const downloads = new Map<string, Promise<string>>();
  return {
    read,
    content: oncePerVersion((path) => contentOf(path, openBytes, opener)),
    template,
    download(url, sha256) {
      const key = `${sha256} ${url}`;
      const known = downloads.get(key) ?? download(url, sha256.toLowerCase(), cacheDirectory, signal);
      downloads.set(key, known);
      return known;
    },
  };
}

/** The controller's side of one task on one host: `folders` are where its files are looked for, nearest first. */
export function controllerFor(
  store: FileStore,
  host: string,
  folders: readonly string[],
  scope: Readonly<Record<string, unknown>>,
): Controller {
  return {
    host,
    find: (name, folder) => findFile(name, folder, folders),
    read: store.read,
    content: store.content,
    download: store.download,
    async template(path, extra) {
      const template = await store.template(path);
      return template.render(extra === undefined ? scope : createScope([scope, extra]));
    },
  };
}

/** The same, and tells that a download is waited for. */
export function tellingDownloads(controller: Controller, telling: Telling, clock: { now(): number }): Controller {
  return {
    ...controller,
    download: (url, sha256) =>
      telling({ text: `fetching ${url}`, deadlineMs: clock.now() + downloadTimeoutMs }, () =>
        controller.download(url, sha256),
      ),
  };
}

/** See {@link Controller.find}; `folders` are looked at in their order. */
export async function findFile(name: string, folder: string, folders: readonly string[]): Promise<string> {
  const places = isAbsolute(name)
    ? [name]
    : folders.flatMap((base) => [join(base, folder, name), join(base, name), join(base, '..', folder, name)]);
  for (const place of new Set(places.map((p) => resolve(p)))) {
    if (statNow(place)?.isFile()) return place;
  }
  const looked = [...new Set(places.map(shownPath))].join(', ');
  throw new RunbookError('file-unreadable', `no file "${name}" on the controller; looked at ${looked}`);
}

/** What was encrypted is secret as a whole. */
function sealedTemplate(template: Template, seal: (text: string) => Secret): Template {
  return { ...template, render: (scope) => seal(revealText(template.render(scope))) };
}

/** Relative to the working directory, where that is shorter. */
function shownPath(path: string): string {
  const [absolute, short] = [resolve(path), relative('', path)];
  return short.length < absolute.length ? short : absolute;
}

async function contentOf(
  path: string,
  openBytes: (path: string) => ReturnType<FileOpener['openBytes']>,
  opener: FileOpener,
): Promise<FileContent> {
  if (await isHeldInMemory(path).catch((error) => Promise.reject(unreadable(path, error)))) {
    const { bytes, isSecret } = await openBytes(path);
    return {
      isSecret,
      content: { kind: 'bytes', bytes },
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
    };
  }
  const { size } = await stat(path);
  return { content: { kind: 'file', path, size }, sha256: await opener.digest(path), size };
}

async function download(url: string, sha256: string, cacheDirectory: string, signal: AbortSignal): Promise<string> {
  const path = join(cacheDirectory, sha256);
  if ((await fileDigest(path).catch(() => undefined)) === sha256) return path;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await fetchTo(url, partial, signal);
    const actual = await fileDigest(partial);
    if (actual !== sha256) {
      throw new RunbookError('digest-mismatch', `${url} has sha256 ${actual}, not ${sha256}`, {
        hint: 'compare with the sums that the release publishes; nothing was installed',
      });
    }
    await rename(partial, path);
    return path;
  } finally {
    await rm(partial, { force: true });
  }
}

async function fetchTo(url: string, path: string, signal: AbortSignal): Promise<void> {
  try {
    if (url.startsWith('file://')) {
      await pipeline(createReadStream(new URL(url)), createWriteStream(path, { mode: 0o600 }));
      return;
    }
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]) });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} ${response.statusText}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    if (signal.aborted) throw new RunbookError('interrupted', `interrupted while fetching ${url}`, { cause: error });
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new RunbookError('download-failed', `cannot fetch ${url}: ${errorMessage(error)}${cause}`, { cause: error });
  }
}

function unreadable(path: string, error: unknown): RunbookError {
  return new RunbookError('file-unreadable', `cannot read ${path}: ${errorMessage(error)}`, {
    ...hintOf(error),
    cause: error,
  });
}

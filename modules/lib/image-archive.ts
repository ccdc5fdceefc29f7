import { failure, oncePerVersion } from '../../engine/index.ts';
import { walkTar } from './tar.ts';

/** What an image archive says about its images: the texts of its two tables of contents, where it has them. */
export interface ImageTables {
  /** Of the OCI layout. */
  readonly index?: string | undefined;
  /** Of `docker save`. */
  readonly docker?: string | undefined;
}

/** How an archive holds an image, and how it gets its name on import. */
export interface ArchivedImage {
  /** The digest that the image will have in containerd; it is in an OCI layout only. */
  readonly digest?: string | undefined;
  /** The digest of the image's configuration, which `docker images` shows as its id. */
  readonly config?: string | undefined;
  /** The archive names only the tag: the repository that import has to put before it. */
  readonly baseName?: string | undefined;
}

/** The whole name as containerd keeps it: `busybox` is `docker.io/library/busybox:latest`. */
export function fullReference(ref: string): string {
  const [first = '', ...rest] = ref.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const named = hasHost ? ref : rest.length > 0 ? `docker.io/${ref}` : `docker.io/library/${ref}`;
  return /[:@][^/]*$/.test(named) ? named : `${named}:latest`;
}

/** The name without its tag and digest. */
export function repositoryOf(ref: string): string {
  return ref.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

/** Reads the tables of an archive of the controller. */
export const readImageTables: (path: string) => Promise<ImageTables> = oncePerVersion(async (path) => {
  const tables = new Map<string, Uint8Array[]>();
  const isTar = await walkTar(path, ({ name, type }) => {
    const plain = name.replace(/^\.\//, '');
    if (type !== 'file' || (plain !== 'index.json' && plain !== 'manifest.json')) return undefined;
    const parts: Uint8Array[] = [];
    tables.set(plain, parts);
    return (bytes) => parts.push(bytes);
  });
  if (!isTar) throw failure(`${path} is not a tar archive, plain or gzip`);
  const text = (name: string): string | undefined => {
    const parts = tables.get(name);
    return parts && Buffer.concat(parts).toString('utf8');
  };
  return { index: text('index.json'), docker: text('manifest.json') };
});

/** Finds an image in an archive. Raises with the names that the archive has. */
export function findImage(tables: ImageTables, ref: string, archive: string): ArchivedImage {
  // With both tables, containerd reads the one of the OCI layout.
  if (tables.index !== undefined) return findInIndex(tables.index, ref, archive);
  if (tables.docker !== undefined) return findInDocker(tables.docker, ref, archive);
  throw failure(`${archive} is not an image archive: it has neither index.json nor manifest.json`);
}

interface Index {
  readonly manifests?: readonly { readonly digest?: string; readonly annotations?: Readonly<Record<string, string>> }[];
}

function findInIndex(text: string, ref: string, archive: string): ArchivedImage {
  // The reads below take nothing for granted.
  const index = parseTable(text, 'index.json', archive) as Index | null;
  const entries = (index?.manifests ?? []).map((manifest) => ({
    digest: manifest.digest,
    name: manifest.annotations?.['io.containerd.image.name'],
    tag: manifest.annotations?.['org.opencontainers.image.ref.name'],
  }));
  for (const { digest, name, tag } of entries) {
    // ctr takes ref.name for a whole name when it looks like one (containerd: images/archive/reference.go).
    const whole = name ?? (tag !== undefined && /[/:@]/.test(tag) ? tag : undefined);
    if (whole === ref) return { digest };
  }
  for (const { digest, name, tag } of entries) {
    if (name === undefined && tag !== undefined && `${repositoryOf(ref)}:${tag}` === ref) {
      return { digest, baseName: repositoryOf(ref) };
    }
  }
  throw notThere(
    ref,
    archive,
    entries.map(({ name, tag }) => name ?? tag ?? '(without a name)'),
  );
}

function findInDocker(text: string, ref: string, archive: string): ArchivedImage {
  const table = parseTable(text, 'manifest.json', archive);
  const entries = (Array.isArray(table) ? table : []) as { Config?: string; RepoTags?: string[] | null }[];
  const entry = entries.find(({ RepoTags }) => (RepoTags ?? []).some((tag) => fullReference(tag) === ref));
  if (!entry)
    throw notThere(
      ref,
      archive,
      entries.flatMap(({ RepoTags }) => RepoTags ?? ['(without a name)']),
    );
  const hex = /([0-9a-f]{64})(\.json)?$/.exec(entry.Config ?? '')?.[1];
  return { config: hex === undefined ? undefined : `sha256:${hex}` };
}

function parseTable(text: string, name: string, archive: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure(`${archive}: its ${name} is not JSON`);
  }
}

function notThere(ref: string, archive: string, names: readonly string[]): Error {
  return failure(`${archive} does not hold ${ref}; it holds ${names.length === 0 ? 'no image' : names.join(', ')}`);
}

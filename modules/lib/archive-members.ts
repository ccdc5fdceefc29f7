import { createHash } from 'node:crypto';
import { failure, oncePerVersion } from '../../engine/index.ts';
import { type TarEntry, walkTar } from './tar.ts';

/** A file or link that an archive installs. */
export interface Member {
  /** Below the folder into which it is unpacked. */
  readonly path: string;
  /** Of a file; undefined for a link. */
  readonly sha256: string | undefined;
  /** Four octal digits. */
  readonly mode: string;
  /** Of a link: where it points. */
  readonly target: string | undefined;
}

/** Which members are wanted, and how they are called then. */
export interface Selection {
  readonly strip: number;
  /** Shell patterns of members after stripping; a folder's name stands for all that is in it. Empty: everything. */
  readonly include: readonly string[];
}

interface Listed {
  readonly entry: TarEntry;
  readonly sha256: string;
}

/** What an archive of the controller installs; undefined when only the host's tar can read it (xz, zstd). */
export async function readMembers(path: string, selection: Selection): Promise<Member[] | undefined> {
  const listed = await readListing(path);
  return listed && selectMembers(listed, selection, path);
}

const readListing: (path: string) => Promise<readonly Listed[] | undefined> = oncePerVersion(async (path) => {
  const found: { entry: TarEntry; hash: ReturnType<typeof createHash> }[] = [];
  const isReadable = await walkTar(path, (entry) => {
    const hash = createHash('sha256');
    found.push({ entry, hash });
    return (bytes) => hash.update(bytes);
  });
  return isReadable ? found.map(({ entry, hash }) => ({ entry, sha256: hash.digest('hex') })) : undefined;
});

function selectMembers(listed: readonly Listed[], { strip, include }: Selection, archive: string): Member[] {
  // Of two members with one name tar leaves the last.
  const members = new Map<string, Member>();
  for (const { entry, sha256 } of listed) {
    const problem = problemWith(entry, strip);
    if (problem !== undefined) throw failure(`${archive} is refused: ${problem}`);
    const path = stripped(entry.name, strip);
    if (path === undefined || entry.type === 'directory') continue;
    const mode = entry.mode.toString(8).padStart(4, '0');
    if (entry.type === 'file') members.set(path, { path, sha256, mode, target: undefined });
    else if (entry.type === 'link') members.set(path, { path, sha256: undefined, mode, target: entry.target });
    else {
      // A hard link is another name of an earlier member's file.
      const linked = members.get(stripped(entry.target, strip) ?? '');
      members.set(path, { path, sha256: linked?.sha256, mode: linked?.mode ?? mode, target: undefined });
    }
  }
  const all = [...members.values()];
  if (all.length === 0) throw failure(`${archive} holds no files${strip > 0 ? ` below ${strip} folders` : ''}`);
  if (include.length === 0) return all;
  const chosen = new Set<Member>();
  for (const pattern of include) {
    const matching = all.filter((member) => matches(member.path, pattern));
    if (matching.length === 0)
      throw failure(
        nothingMatches(
          archive,
          pattern,
          all.map((member) => member.path),
        ),
      );
    for (const member of matching) chosen.add(member);
  }
  return all.filter((member) => chosen.has(member));
}

function nothingMatches(archive: string, pattern: string, paths: readonly string[]): string {
  const shown = paths.slice(0, 20).join(', ');
  const more = paths.length > 20 ? ` and ${paths.length - 20} more` : '';
  return `nothing in ${archive} matches the include ${JSON.stringify(pattern)}; it holds ${shown}${more}`;
}

/** What is wrong with a member that would leave the folder, or that nobody installs; the host's check says the same. */
function problemWith(entry: TarEntry, strip: number): string | undefined {
  const { name, target, type } = entry;
  if (/[\n\r\t\\]/.test(name + target))
    return `the name of ${JSON.stringify(name)} has control characters or a backslash`;
  if (name.startsWith('/')) return `${name} has an absolute path`;
  if (name.split('/').includes('..')) return `${name} leaves the folder`;
  if (type === 'other') return `${name} is neither a file, a folder nor a link`;
  if (type === 'hard-link' && (target.startsWith('/') || target.split('/').includes('..'))) {
    return `the hard link ${name} leads to ${target}, out of the folder`;
  }
  if (type !== 'link') return undefined;
  const path = stripped(name, strip);
  if (path === undefined) return undefined;
  return leavesTree(path, target) ? `the link ${name} leads to ${target}, out of the folder` : undefined;
}

function leavesTree(link: string, target: string): boolean {
  if (target.startsWith('/')) return true;
  let depth = link.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** The name without its first folders, as tar's --strip-components counts them: `./` is one. */
function stripped(name: string, strip: number): string | undefined {
  const parts = name.split('/').filter((part) => part !== '');
  if (parts.length <= strip) return undefined;
  const path = parts
    .slice(strip)
    .filter((part) => part !== '.')
    .join('/');
  return path === '' ? undefined : path;
}

/** As `case` of the shell does it: `*` matches slashes too. */
function matches(path: string, pattern: string): boolean {
  const source = pattern
    .replace(/\/+$/, '')
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('[!', '[^')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^(?:${source})(?:/.*)?$`, 's').test(path);
}

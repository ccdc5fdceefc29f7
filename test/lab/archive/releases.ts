import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { realRunc } from '../node/root-fs.ts';
import { say } from '../progress.ts';
import { labImages } from './images.ts';
import { type TarEntry, tar } from './tar.ts';

/** A file that the lab serves. */
export interface Artifact {
  readonly file: string;
  readonly path: string;
  readonly sha256: string;
}

/** The release archives and image archives, and the digest of the pause image's manifest. */
export interface Artifacts {
  readonly dir: string;
  readonly containerd: Artifact;
  readonly runc: Artifact;
  readonly cni: Artifact;
  readonly pause: Artifact;
  readonly pauseDigest: string;
}

/** The versions in the names: what Debian's binaries are. */
export const versions = { containerd: '1.6.20', runc: '1.1.5', cni: '1.1.1' } as const;

/** Makes archives that look like the projects' releases from Debian's binaries, once per root file system. */
export function ensureArtifacts(rootFs: string, dir: string): Artifacts {
  if (!existsSync(join(dir, 'SHA256SUMS'))) build(rootFs, dir);
  const artifact = (file: string): Artifact => {
    const path = join(dir, file);
    return { file, path, sha256: sha256(readFileSync(path)) };
  };
  return {
    dir,
    containerd: artifact(names.containerd),
    runc: artifact(names.runc),
    cni: artifact(names.cni),
    pause: artifact('pause-3.9.tar'),
    pauseDigest: readFileSync(join(dir, 'pause-3.9.digest'), 'utf8').trim(),
  };
}

const names = {
  containerd: `containerd-${versions.containerd}-linux-amd64.tar.gz`,
  runc: `runc-${versions.runc}-linux-amd64.tar.gz`,
  cni: `cni-plugins-linux-amd64-v${versions.cni}.tgz`,
} as const;

function build(rootFs: string, dir: string): void {
  say('making release archives and images');
  const partial = `${dir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });

  const containerdPrograms = [
    'containerd',
    'containerd-shim',
    'containerd-shim-runc-v1',
    'containerd-shim-runc-v2',
    'containerd-stress',
    'ctr',
  ].filter((program) => existsSync(join(rootFs, 'usr/bin', program)));
  const runc = readFileSync(realRunc(rootFs));
  const cniDir = join(rootFs, 'usr/lib/cni');

  const files: Record<string, Buffer> = {
    [names.containerd]: gzipSync(
      tar([folder('bin/'), ...containerdPrograms.map((name) => program(`bin/${name}`, join(rootFs, 'usr/bin', name)))]),
    ),
    'runc.amd64': runc,
    [names.runc]: gzipSync(tar([{ path: 'runc', mode: 0o755, content: runc }])),
    [names.cni]: gzipSync(
      tar([folder('./'), ...readdirSync(cniDir).map((name) => program(`./${name}`, join(cniDir, name)))]),
    ),
  };
  for (const [file, image] of Object.entries(labImages(rootFs))) {
    files[file] = image.bytes;
    files[file.replace('.tar', '.digest')] = Buffer.from(`${image.digest}\n`);
  }
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(partial, file), bytes);
  const sums = Object.entries(files).map(([file, bytes]) => `${sha256(bytes)}  ${file}\n`);
  writeFileSync(join(partial, 'SHA256SUMS'), sums.join(''));
  renameSync(partial, dir);
}

function folder(path: string): TarEntry {
  return { path, mode: 0o755 };
}

function program(path: string, source: string): TarEntry {
  return { path, mode: 0o755, content: readFileSync(source) };
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

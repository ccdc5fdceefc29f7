import { createHash } from 'node:crypto';
import { type TarEntry, tar } from './tar.ts';

/** What goes into an image of one layer. */
export interface ImageSource {
  readonly reference: string;
  readonly files: readonly TarEntry[];
  readonly entrypoint: readonly string[];
}

/** An archive, and the digest of the image's manifest as containerd will name it. */
export interface ImageArchive {
  readonly bytes: Buffer;
  readonly digest: string;
}

/**
 * One file that is an OCI layout and a docker archive at once, so that the same bytes go into
 * `docker load` and `ctr -n k8s.io images import`. Made here because the lab has no registry.
 */
export function imageArchive(source: ImageSource): ImageArchive {
  const layer = tar(source.files);
  const config = json({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { Entrypoint: source.entrypoint, Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'runbook lab' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        annotations: {
          'io.containerd.image.name': source.reference,
          'org.opencontainers.image.ref.name': source.reference.split(':').at(-1),
        },
      },
    ],
  });
  const dockerManifest = json([{ Config: blobPath(config), RepoTags: [source.reference], Layers: [blobPath(layer)] }]);
  const bytes = tar([
    { path: 'blobs/', mode: 0o755 },
    { path: 'blobs/sha256/', mode: 0o755 },
    ...[layer, config, manifest].map((content) => ({ path: blobPath(content), mode: 0o644, content })),
    { path: 'index.json', mode: 0o644, content: index },
    { path: 'manifest.json', mode: 0o644, content: dockerManifest },
    { path: 'oci-layout', mode: 0o644, content: json({ imageLayoutVersion: '1.0.0' }) },
  ]);
  return { bytes, digest: digestOf(manifest) };
}

function descriptor(mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(content), size: content.length };
}

function blobPath(content: Buffer): string {
  return `blobs/sha256/${digestOf(content).slice('sha256:'.length)}`;
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

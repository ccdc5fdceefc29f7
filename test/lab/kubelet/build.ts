import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { realPrograms } from '../control-plane.ts';
import { nodeLabDir, repoDir, stateDir } from '../settings.ts';

/**
 * The file that becomes a node's /usr/bin/kubelet: the real one from KUBE_BIN_DIR if there is one, else the stand-in,
 * bundled into one script because a node has no node_modules. esbuild comes with tsx; only the lab uses it.
 */
export async function kubeletProgram(): Promise<string> {
  const folder = realPrograms();
  if (folder !== undefined) return join(folder, 'kubelet');
  const outfile = join(stateDir, 'kubelet-stand-in');
  await build({
    entryPoints: [join(repoDir, 'test/lab/kubelet/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    banner: { js: `#!${nodeLabDir}/node` },
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  return outfile;
}

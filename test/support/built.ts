import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './cli.ts';

/** Tests run `runbook` as it is installed, from `dist/`: built here when a source is newer, once for all of them. */
export function mochaGlobalSetup(): void {
  const built = join(projectRoot, 'dist/engine/cli/main.cjs');
  const configuration = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'bundle.js'];
  const sources = ['engine', 'modules', ...configuration];
  if (existsSync(built) && sources.every((path) => newest(join(projectRoot, path)) < statSync(built).mtimeMs)) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: projectRoot, stdio: 'inherit' });
}

/** When the last of these files, or their folders, was changed: milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

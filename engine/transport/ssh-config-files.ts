import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { errorMessage, RunbookError } from '../base/errors.ts';

/** OpenSSH's own limit of nested includes. */
const maxDepth = 16;

/**
 * Reads a file in ssh_config's format with its `Include`s in place; a file that does not exist is empty.
 *
 * The section that an Include stands in goes on after it, so the section's header is repeated there. (An Include inside
 * a section counts for all hosts here when the included file has sections of its own.)
 */
export function readConfigFile(path: string, home: string, depth = 0): string {
  if (!existsSync(path)) return '';
  if (depth > maxDepth) throw new RunbookError('invalid-input', `${path}: too many nested Includes`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RunbookError('file-unreadable', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
  const lines: string[] = [];
  let section = 'Host *';
  for (const line of text.split('\n')) {
    if (/^\s*(host|match)[\s=]/i.test(line)) section = line;
    const include = /^\s*include[\s=]+(.*?)\s*$/i.exec(line)?.[1];
    if (include === undefined) {
      lines.push(line);
      continue;
    }
    for (const pattern of include.match(/"[^"]*"|\S+/g) ?? []) {
      for (const file of expandPattern(pattern.replaceAll('"', ''), path, home)) {
        lines.push(readConfigFile(file, home, depth + 1));
      }
    }
    lines.push(section);
  }
  return lines.join('\n');
}

/** Files that an Include names: relative to ~/.ssh for a user's file, to /etc/ssh for the system's; `*` and `?` in the last part. */
function expandPattern(pattern: string, from: string, home: string): string[] {
  const base = from.startsWith('/etc/') ? dirname(from) : join(home, '.ssh');
  const path = pattern.startsWith('~/')
    ? join(home, pattern.slice(2))
    : isAbsolute(pattern)
      ? pattern
      : join(base, pattern);
  if (!/[*?]/.test(path)) return [path];
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const source = basename(path)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const name = new RegExp(`^${source}$`);
  return readdirSync(folder)
    .filter((entry) => name.test(entry) && !entry.startsWith('.'))
    .sort()
    .map((entry) => join(folder, entry));
}

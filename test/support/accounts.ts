import { accessSync, constants } from 'node:fs';

/** Why users, groups and packages of this machine cannot be changed by a test; undefined where they can. */
export function whyNotDebianRoot(): string | undefined {
  if (process.getuid?.() !== 0) return 'it changes accounts and packages of this machine, and needs root';
  try {
    accessSync('/etc/debian_version', constants.R_OK);
    return undefined;
  } catch {
    return 'this machine is no Debian';
  }
}

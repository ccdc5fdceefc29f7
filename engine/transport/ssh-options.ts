import { RunbookError } from '../base/errors.ts';
import { splitWords } from '../base/shell-words.ts';

/** Options of `ssh` by lower-case name, as {@link Target.sshOptions} takes them. */
export type SshOptions = Readonly<Record<string, string>>;

/** The name under which `-F FILE` is kept among the options; OpenSSH has no `-o` for it. */
export const configFileOption = 'configfile';

/**
 * Reads what Ansible's `ansible_ssh_common_args` and `ansible_ssh_extra_args` hold: `-o Key=Value`, `-J`, `-F`, `-i`,
 * `-p`, `-l`, quoted as in a shell. As with ssh itself the first value of an option counts. Flags that change nothing
 * here (`-C`, `-q`, `-4` and the like are listed below) are taken; any other is a RunbookError `invalid-input` that
 * names it, because ignoring it could connect somewhere else than meant.
 */
export function parseSshArgs(text: string): SshOptions {
  const options: Record<string, string> = {};
  const words = wordsOf(text);
  const put = (name: string, value: string): void => {
    options[name.toLowerCase()] ??= value;
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const flag = word.slice(0, 2);
    if (harmlessFlags.has(word)) continue;
    const fixed = fixedFlags.get(word);
    if (fixed) {
      put(...fixed);
      continue;
    }
    const name = valueFlags.get(flag);
    if (name === undefined) {
      throw new RunbookError('invalid-input', `ssh arguments: "${word}" is not supported`, {
        hint: `supported are -o Key=Value, -J, -F, -i, -p, -l; see "${text}"`,
      });
    }
    const value = word.length > 2 ? word.slice(2) : words[++i];
    if (value === undefined) throw new RunbookError('invalid-input', `ssh arguments: "${word}" lacks its value`);
    if (name !== 'o') {
      put(name, value);
      continue;
    }
    const match = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(value);
    if (!match?.[1] || match[2] === undefined) {
      throw new RunbookError('invalid-input', `ssh arguments: "-o ${value}" is not of the form Key=Value`);
    }
    put(match[1], match[2].replace(/^"(.*)"$/, '$1'));
  }
  return options;
}

function wordsOf(text: string): string[] {
  const words = splitWords(text);
  if ('mistake' in words) throw new RunbookError('invalid-input', `ssh arguments: ${words.mistake}: ${text}`);
  return words.map(({ value }) => value);
}

const valueFlags: ReadonlyMap<string, string> = new Map([
  ['-o', 'o'],
  ['-J', 'proxyjump'],
  ['-F', configFileOption],
  ['-i', 'identityfile'],
  ['-p', 'port'],
  ['-l', 'user'],
]);

const fixedFlags: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['-4', ['addressfamily', 'inet']],
  ['-6', ['addressfamily', 'inet6']],
]);

/** Compression, quietness, terminals, forwarding off: true of every connection here, or of no importance to it. */
const harmlessFlags: ReadonlySet<string> = new Set(['-C', '-q', '-T', '-x', '-a', '-k', '-v', '-vv', '-vvv']);

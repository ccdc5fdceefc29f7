import { RunbookError } from './errors.ts';
import { Secret } from './secret.ts';

declare const isScript: unique symbol;

/** A POSIX shell script in which every value is quoted. Only {@link sh} makes one. */
export interface Script {
  readonly [isScript]: true;
  readonly text: string;
}

/** What may stand in a `${}` of {@link sh}: words are quoted, lists become several words, scripts are inlined. */
export type ShellValue = string | number | boolean | Script | readonly (string | number)[];

/**
 * Builds a shell script from a template; the only way to build a remote command.
 *
 *     sh`systemctl start ${unit}`            // unit is one word, whatever it contains
 *     sh`rm -f -- ${['a', 'b c']}`           // a list is several words
 *     sh`${check} || ${repair}`              // scripts nest
 *
 * The words of the template itself are taken as they stand, after JavaScript's escapes: a backslash for the shell is
 * written twice. Throws for a value that no command line can carry
 * (NUL bytes) and for a {@link Secret}, which belongs on stdin.
 */
export function sh(strings: TemplateStringsArray, ...values: ShellValue[]): Script {
  let text = strings[0] ?? '';
  for (const [i, value] of values.entries()) text += render(value) + (strings[i + 1] ?? '');
  return script(text);
}

/** Joins scripts with newlines: each is run whether or not the one before succeeded. */
sh.lines = (scripts: readonly Script[]): Script => script(scripts.map((s) => s.text).join('\n'));

/** Joins scripts with `&&`: the first failure ends the script. */
sh.all = (scripts: readonly Script[]): Script => script(scripts.map((s) => `{ ${s.text}\n}`).join(' && '));

/** Quotes one word for a POSIX shell; plain words stay as they are, so that logs read well. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word cannot contain a NUL byte');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function render(value: ShellValue): string {
  if (typeof value === 'string') return quoteWord(value);
  if (typeof value === 'number' || typeof value === 'boolean') return quoteWord(String(value));
  if (Array.isArray(value)) return value.map(quoteItem).join(' ');
  if (isScriptValue(value)) return value.text;
  if ((value as unknown) instanceof Secret) throw secretInScript();
  throw new TypeError(`sh cannot quote a value of type ${value === null ? 'null' : typeof value}`);
}

function quoteItem(word: unknown): string {
  if (word instanceof Secret) throw secretInScript();
  return quoteWord(String(word));
}

/** Command lines and scripts can be seen by others on the host, in its process list and in its logs. */
function secretInScript(): RunbookError {
  const hint = 'give it to the command on stdin or in the environment: exec(script, { stdin }) or { environment }';
  return new RunbookError('task-failed', 'a secret must travel on stdin, not on a command line', { hint });
}

function script(text: string): Script {
  // The brand exists in the type system only: at run time a script is told by ScriptText.
  return new ScriptText(text) as unknown as Script;
}

function isScriptValue(value: unknown): value is Script {
  return value instanceof ScriptText;
}

class ScriptText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

import { failure, splitWords, type Word } from '../../../engine/index.ts';

/** Wanted command-line flags inside the value of a variable. */
export interface WantedFlags {
  /** By exact name; null is a flag without a value. */
  readonly set: Readonly<Record<string, string | number | boolean | null>>;
  readonly remove: readonly string[];
}

/** One flag that changes; null is "not there", true a flag without a value. */
export interface FlagChange {
  readonly name: string;
  readonly before: string | true | null;
  readonly after: string | true | null;
}

/** Edits flags token by token, with all other tokens, their order and their quotes kept. */
export function editFlags(value: string, wanted: WantedFlags): { value: string; changes: FlagChange[] } {
  const words = splitWords(value);
  if ('mistake' in words) throw failure(`the flags cannot be split into words: ${words.mistake}`, value);
  let tokens: readonly Word[] = words;
  const changes: FlagChange[] = [];
  for (const name of wanted.remove) {
    const found = occurrences(tokens, name);
    if (found.length === 0) continue;
    changes.push({ name, before: found[0]?.value ?? true, after: null });
    tokens = without(tokens, found);
  }
  for (const [name, given] of Object.entries(wanted.set)) {
    const after = given === null ? true : String(given);
    const found = occurrences(tokens, name);
    const [first, ...others] = found;
    if (first && others.length === 0 && (first.value ?? true) === after) continue;
    changes.push({ name, before: first ? (first.value ?? true) : null, after });
    tokens = first ? replaced(without(tokens, others), first, name, after) : [...tokens, flagWord(name, after, ' ')];
  }
  return { value: tokens.map((word, i) => (i === 0 ? '' : word.space) + word.raw).join(''), changes };
}

interface Occurrence {
  readonly at: number;
  /** One, or two for `--name value`. */
  readonly length: number;
  readonly value: string | undefined;
}

/** `--name=value`, `--name value` and `--name`; never a longer name that begins the same. */
function occurrences(tokens: readonly Word[], name: string): Occurrence[] {
  const found: Occurrence[] = [];
  for (const [at, word] of tokens.entries()) {
    if (word.value.startsWith(`${name}=`)) {
      found.push({ at, length: 1, value: word.value.slice(name.length + 1) });
    } else if (word.value === name) {
      const next = tokens[at + 1];
      const hasValue = next !== undefined && !next.value.startsWith('-');
      found.push({ at, length: hasValue ? 2 : 1, value: hasValue ? next.value : undefined });
    }
  }
  return found;
}

function without(tokens: readonly Word[], found: readonly Occurrence[]): readonly Word[] {
  const gone = new Set(found.flatMap(({ at, length }) => Array.from({ length }, (_, i) => at + i)));
  return tokens.filter((_, at) => !gone.has(at));
}

function replaced(
  tokens: readonly Word[],
  { at, length }: Occurrence,
  name: string,
  after: string | true,
): readonly Word[] {
  const space = tokens[at]?.space ?? ' ';
  const isSplit = length === 2 && after !== true;
  const words = isSplit ? [flagWord(name, true, space), plainWord(String(after), ' ')] : [flagWord(name, after, space)];
  return [...tokens.slice(0, at), ...words, ...tokens.slice(at + length)];
}

function flagWord(name: string, value: string | true, space: string): Word {
  return plainWord(value === true ? name : `${name}=${value}`, space);
}

function plainWord(value: string, space: string): Word {
  // Single quotes first: the word stands inside a variable's value, which is mostly in double quotes.
  const needsQuotes = !/^[^\s'"\\$`]+$/.test(value);
  const raw = needsQuotes ? `'${value.replaceAll("'", `'\\''`)}'` : value;
  return { raw, value, space, isQuoted: needsQuotes };
}

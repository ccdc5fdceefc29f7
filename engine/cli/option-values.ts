import { InvalidArgumentError } from 'commander';

/** Collects an option that can be repeated. */
export function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Collects names that commas separate. Refuses a value without any: an unset variable of a script must not run everything. */
export function appendList(value: string, before: readonly string[]): readonly string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It names no tag.');
  return [...before, ...names];
}

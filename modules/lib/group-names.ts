/** The schema of one name of a group, or several. */
export const groupNames = {
  oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  default: [],
} as const;

/** What is wrong with names of groups: a host pattern must be able to mean them. */
export function problemsWithNames(names: readonly string[]): string[] {
  return names
    .filter((name) => !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name))
    .map((name) => `"${name}" is no name of a group: letters, digits, "_", "-" and "."`);
}

/** Counts the cases of a matrix of faults, and prints the counts when the matrix is through. */
export interface Counted {
  /** A case held. */
  held(kind: string): void;
}

/** Prints `  faults of WHAT: 4 local, 4 ssh` after the tests of a `describe`. */
export function counting(what: string): Counted {
  const counts = new Map<string, number>();
  after(() => {
    const text = [...counts].map(([kind, n]) => `${n} ${kind}`).join(', ');
    process.stdout.write(`    ${what}: ${text || 'none could be tried here'}\n`);
  });
  return {
    held(kind) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    },
  };
}

/**
 * What let this process in so far. A host is offered first what let it in to most others: a server counts what it refuses
 * (MaxAuthTries), and every refusal is a round trip.
 */
export interface LoginMemory {
  worked(user: string, way: string): void;
  /** How often it did. */
  timesOf(user: string, way: string): number;
}

/** Nothing has let anybody in yet. */
export function createLoginMemory(): LoginMemory {
  const times = new Map<string, number>();
  const keyOf = (user: string, way: string): string => `${user} ${way}`;
  const timesOf = (user: string, way: string): number => times.get(keyOf(user, way)) ?? 0;
  return {
    worked: (user, way) => times.set(keyOf(user, way), timesOf(user, way) + 1),
    timesOf,
  };
}

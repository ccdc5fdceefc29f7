/** How many of some hosts are worked on at the same time. */
export interface WindowRules<H> {
  readonly size: number;
  /** Asked before each start; false: none of those that wait is started any more. */
  readonly mayStart: () => boolean;
  /** Whether hosts can start beside those in flight. */
  readonly roomBeside: (inFlight: Iterable<H>) => { has(host: H): boolean };
  /** Called for a host that others overtake because there is no room for it. */
  readonly onPassedOver: (host: H) => void;
}

/**
 * Works on hosts, in their order, so many at a time: as one ends, the next one for which there is room starts. Gives the
 * hosts that were not started, once all others have ended.
 */
export async function runWindow<H>(
  hosts: readonly H[],
  rules: WindowRules<H>,
  run: (host: H) => Promise<void>,
): Promise<readonly H[]> {
  const waiting = [...hosts];
  const inFlight = new Map<H, Promise<void>>();
  const start = (): boolean => {
    if (inFlight.size >= rules.size || !rules.mayStart()) return false;
    const room = rules.roomBeside(inFlight.keys());
    const position = waiting.findIndex((host) => room.has(host));
    for (const host of position === -1 ? waiting : waiting.slice(0, position)) rules.onPassedOver(host);
    const [host] = position === -1 ? [] : waiting.splice(position, 1);
    if (host === undefined) return false;
    inFlight.set(
      host,
      run(host).finally(() => inFlight.delete(host)),
    );
    return true;
  };
  for (;;) {
    while (start());
    if (inFlight.size === 0) return waiting;
    await Promise.race(inFlight.values());
  }
}

/** The values of a play's `order`. */
export const hostOrders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'] as const;

/** In which order a play takes its hosts. */
export type HostOrder = (typeof hostOrders)[number];

/**
 * Hosts in a play's order. `inventory` is the order in which the host pattern gave them; `sorted` is by name, character by
 * character, so that `web10` comes before `web2`, as in Ansible. `random` gives numbers from 0 up to but not including 1.
 */
export function orderHosts<H extends { readonly name: string }>(
  hosts: readonly H[],
  order: HostOrder,
  random: () => number = Math.random,
): H[] {
  switch (order) {
    case 'inventory':
      return [...hosts];
    case 'reverse_inventory':
      return [...hosts].reverse();
    case 'sorted':
      return [...hosts].sort(byName);
    case 'reverse_sorted':
      return [...hosts].sort(byName).reverse();
    case 'shuffle':
      return shuffle([...hosts], random);
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Fisher and Yates: every order is as likely as any other. */
function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const picked = Math.floor(random() * (last + 1));
    // Both are within the array.
    [items[last], items[picked]] = [items[picked] as T, items[last] as T];
  }
  return items;
}

import type { Host, Inventory } from '../../inventory/inventory.ts';
import type { Paint } from '../../report/paint.ts';
import type { Veil } from './veil.ts';

/** What `runbook inventory` shows, and how. */
export interface InventoryView {
  readonly inventory: Inventory;
  /** Those that `--limit` leaves, in the inventory's order. */
  readonly hosts: readonly Host[];
  /** `-e`. */
  readonly extraVars: Readonly<Record<string, unknown>>;
  readonly veil: Veil;
  readonly paint: Paint;
  /** Width of the terminal, in characters. */
  readonly columns: number;
}

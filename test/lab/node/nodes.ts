import { join } from 'node:path';
import { paths } from '../settings.ts';

/** A machine of the lab. */
export interface LabNode {
  readonly name: string;
  readonly number: number;
  readonly address: string;
  /** The addresses of its pods. */
  readonly podSubnet: string;
  readonly dir: string;
  /** Its root file system while it is mounted. */
  readonly root: string;
}

/** The nodes node-1 … node-N. */
export function labNodes(count: number): LabNode[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const name = `node-${number}`;
    const dir = join(paths.nodes, name);
    return {
      name,
      number,
      address: `10.88.0.${10 + number}`,
      podSubnet: `10.244.${number}.0/24`,
      dir,
      root: join(dir, 'merged'),
    };
  });
}

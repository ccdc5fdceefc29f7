import { failure, type Predicted } from '../../engine/index.ts';
import { whoMayProvide } from './pending-providers.ts';

/** Names that useradd and groupadd take. */
export const namePattern = '^[A-Za-z_][A-Za-z0-9_.-]*[$]?$';

/** Fails where the host has not what changes accounts: minimal systems have no shadow utilities. */
export function requireTool(isThere: boolean, tool: string, predicted: Predicted): void {
  if (isThere || whoMayProvide(predicted, tool) !== undefined) return;
  throw failure(`this host has no ${tool}, so its users and groups are not managed`);
}

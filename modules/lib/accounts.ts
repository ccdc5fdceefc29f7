import { failure, type Predicted } from '../../engine/index.ts';
import { whoMayProvide } from './pending-providers.ts';

/** Names that useradd and groupadd take. */
export const namePattern = '^[A-Za-z_][A-Za-z0-9_.-]*[$]?$';

/** Who has a number, or will have it after the earlier tasks; undefined where it is free or that of `name` itself. */
export function holderOf(
  kind: 'user' | 'group',
  {
    name,
    number,
    now,
  }: { readonly name: string; readonly number: number | undefined; readonly now: string | undefined },
  predicted: Predicted,
): string | undefined {
  const attribute = kind === 'user' ? 'uid' : 'gid';
  const others = predicted.under(`${kind}:`).filter((resource) => resource !== `${kind}:${name}`);
  const expected = others.find((resource) => predicted.of(resource)[attribute] === number);
  if (number !== undefined && expected !== undefined) return expected.slice(kind.length + 1);
  if (now === undefined || now === name) return undefined;
  const said = predicted.of(`${kind}:${now}`);
  return said.exists === false || said[attribute] !== undefined ? undefined : now;
}

/** Fails where the host has not what changes accounts: minimal systems have no shadow utilities. */
export function requireTool(isThere: boolean, tool: string, predicted: Predicted): void {
  if (isThere || whoMayProvide(predicted, tool) !== undefined) return;
  throw failure(`this host has no ${tool}, so its users and groups are not managed`);
}

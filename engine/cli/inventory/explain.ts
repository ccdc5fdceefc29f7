import { DiagnosticsError, didYouMean } from '../../base/diagnostic.ts';
import { RunbookError } from '../../base/errors.ts';
import { formatRange, positionAt } from '../../base/source.ts';
import { type Candidate, candidatesOf, variableNamesOf, winnerOf } from '../../inventory/explain.ts';
import type { Host } from '../../inventory/inventory.ts';
import { providedNames } from '../../language/load/fields.ts';
import { createScope } from '../../language/scope.ts';
import { count, nameSome } from '../../report/text.ts';
import { formatTable } from './table.ts';
import { showValue } from './value.ts';
import type { InventoryView } from './view.ts';

/** A value and its place, as data. */
export interface ShownCandidate {
  readonly value: unknown;
  readonly layer: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Where a variable of one host can get its value. */
export interface HostExplanation {
  readonly host: string;
  readonly name: string;
  /** What the winner gives, where it is a template that needs nothing but the inventory. */
  readonly rendered?: unknown;
  /** Why the winner gives nothing without a run. */
  readonly unrendered?: string;
  /** The winner first. */
  readonly candidates: readonly ShownCandidate[];
}

/** What a variable is on all hosts. */
export interface ExplanationForAll {
  readonly name: string;
  readonly winners: readonly (ShownCandidate & { readonly hosts: readonly string[] })[];
  /** Hosts that do not have it. */
  readonly unset: readonly string[];
}

/** Finds every candidate of a variable on a host. Raises a RunbookError when there is none. */
export function explainForHost(view: InventoryView, host: Host, name: string): HostExplanation {
  const candidates = candidatesOf(view.inventory, host, name, view.extraVars);
  const [winner] = candidates;
  if (!winner) throw unknownVariable(view, name, host);
  return {
    host: host.name,
    name,
    ...renderWinner(view, host, name, winner),
    candidates: candidates.map((candidate) => show(view, name, candidate)),
  };
}

/** Groups hosts by what a variable is on them and where that stands. Raises a RunbookError when no host has it. */
export function explainForAll(view: InventoryView, name: string): ExplanationForAll {
  const winners = new Map<string, ShownCandidate & { readonly hosts: string[] }>();
  const unset: string[] = [];
  for (const host of view.hosts) {
    const winner = winnerOf(view.inventory, host, name, view.extraVars);
    if (!winner) {
      unset.push(host.name);
      continue;
    }
    const shown = show(view, name, winner);
    // Hosts of one range share a line, though each is a layer of its own.
    const key = JSON.stringify([shown.value, shown.file, shown.line, shown.column]);
    const same = winners.get(key);
    if (same) same.hosts.push(host.name);
    else winners.set(key, { ...shown, hosts: [host.name] });
  }
  if (winners.size === 0) throw unknownVariable(view, name);
  return { name, winners: [...winners.values()].map(sharedLayer), unset };
}

/** {@link HostExplanation} for people. */
export function explanationText({ paint }: InventoryView, explanation: HostExplanation): string {
  const { name, host, candidates, rendered, unrendered } = explanation;
  const rows = candidates.map((candidate, i) => {
    const row = [showValue(candidate.value), placeOf(candidate), paint.dim(candidate.layer)];
    return i === 0 ? [paint.green('→'), paint.bold(row[0] ?? ''), ...row.slice(1)] : [' ', ...row];
  });
  const lines = [`${paint.bold(name)} on ${paint.bold(host)}\n`, formatTable(rows)];
  if (rendered !== undefined) lines.push(`It gives ${showValue(rendered)}.\n`);
  if (unrendered !== undefined) lines.push(`It cannot be rendered without a run: ${unrendered}.\n`);
  return lines.join('');
}

/** {@link ExplanationForAll} for people. */
export function explanationForAllText({ paint }: InventoryView, explanation: ExplanationForAll): string {
  const { name, winners, unset } = explanation;
  const hostsOf = (hosts: readonly string[]): string => `${count(hosts.length, 'host')}: ${nameSome(hosts)}`;
  const rows = winners.map((winner) => [
    paint.bold(showValue(winner.value)),
    placeOf(winner),
    paint.dim(winner.layer),
    hostsOf(winner.hosts),
  ]);
  if (unset.length > 0) rows.push([paint.yellow('not set'), '', '', hostsOf(unset)]);
  return `${paint.bold(name)}\n${formatTable(rows, 2)}`;
}

function show({ veil }: InventoryView, name: string, { layer, written, range }: Candidate): ShownCandidate {
  const value = veil(name, written);
  if (!range) return { value, layer };
  return { value, layer, file: range.source.path, ...positionAt(range.source, range.start) };
}

function placeOf({ file, line, column }: ShownCandidate): string {
  return file === undefined ? '' : `${file}:${line}:${column}`;
}

/** The layers of several hosts that one line is about have no name in common but what it is. */
function sharedLayer<T extends ShownCandidate & { readonly hosts: readonly string[] }>(winner: T): T {
  return winner.hosts.length > 1 && winner.layer.startsWith('host ') ? { ...winner, layer: 'hosts' } : winner;
}

/** What a template gives with the inventory's variables alone. */
function renderWinner(
  { inventory, extraVars, veil }: InventoryView,
  host: Host,
  name: string,
  { value }: Candidate,
): Pick<HostExplanation, 'rendered' | 'unrendered'> {
  if (!value || value.isLiteral) return {};
  const groups = Object.fromEntries([...inventory.groups.values()].map((group) => [group.name, [...group.hosts]]));
  const own = { inventory_hostname: host.name, group_names: host.groups.filter((g) => g !== 'all'), groups };
  try {
    const scope = createScope([...host.layers.map((layer) => layer.variables), extraVars, own]);
    return { rendered: veil(name, value.render(scope)) };
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const [first] = error.diagnostics;
    const place = first?.range ? ` (${formatRange(first.range)})` : '';
    return { unrendered: String(veil(name, `${first?.message ?? error.message}${place}`)) };
  }
}

function unknownVariable(view: InventoryView, name: string, host?: Host): RunbookError {
  const { inventory, extraVars } = view;
  if (view.hosts.length === 0 && !host) return new RunbookError('usage', '--limit leaves no host');
  if (providedNames.has(name)) {
    return new RunbookError('usage', `--explain: "${name}" is provided by the engine, and set nowhere`);
  }
  const hosts = host ? [host] : view.hosts;
  const names = new Set(hosts.flatMap((one) => variableNamesOf(one, extraVars)));
  const others = [...inventory.hosts.values()].filter((one) => winnerOf(inventory, one, name)).map((one) => one.name);
  const elsewhere = others.length > 0 ? `it is set on ${nameSome(others)}` : undefined;
  const nobody = hosts.length < inventory.hosts.size ? 'no host that --limit leaves has a' : 'no host has a';
  const message = `--explain: ${host ? `${host.name} has no` : nobody} variable "${name}"`;
  return new RunbookError('usage', message, { hint: elsewhere ?? didYouMean(name, names) });
}

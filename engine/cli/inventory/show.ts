import { stringify } from 'yaml';
import { didYouMean, formatDiagnostic } from '../../base/diagnostic.ts';
import { RunbookError } from '../../base/errors.ts';
import type { Host, Inventory } from '../../inventory/inventory.ts';
import { limitHosts } from '../../inventory/patterns.ts';
import { loadInventory } from '../../inventory/sources.ts';
import { createPaint } from '../../report/paint.ts';
import { visible } from '../../report/text.ts';
import { maskDiagnostic } from '../../run/masking.ts';
import type { Cli } from '../cli.ts';
import { readExtraVars } from '../extra-vars.ts';
import { interruptible } from '../interruptible.ts';
import type { InventoryCommandOptions } from '../inventory.ts';
import { openerFor } from '../secret-options.ts';
import { explainForAll, explainForHost, explanationForAllText, explanationText } from './explain.ts';
import { formatGraph } from './graph.ts';
import { hostTable, hostVariables, hostVariablesTable, nestedListing, sharedListing } from './list.ts';
import { createVeil } from './veil.ts';
import type { InventoryView } from './view.ts';

/** Runs `runbook inventory`: reads, chooses and prints. Doubts about the inventory go to standard error. */
export async function runInventoryCommand(cli: Cli, options: InventoryCommandOptions): Promise<void> {
  checkOptions(options);
  const opener = await openerFor(cli, options);
  const extraVars = await readExtraVars(options.extraVars, opener);
  const { inventory, diagnostics } = await interruptible((signal) =>
    loadInventory({
      sources: options.inventory,
      open: opener.open,
      signal,
      ...(options.playbookDir !== undefined && { playbookDirectory: options.playbookDir }),
    }),
  );
  const veil = createVeil(inventory, extraVars, cli.masker);
  for (const diagnostic of diagnostics)
    cli.errors.write(`${visible(formatDiagnostic(maskDiagnostic(diagnostic, cli.masker)))}\n`);
  const view: InventoryView = {
    inventory,
    hosts: chooseHosts(inventory, options.limit),
    extraVars,
    veil,
    paint: createPaint(cli.output.color),
    columns: cli.output.columns,
  };
  const { text, data } = choose(view, options);
  cli.output.write(options.output === 'text' ? text() : serialise(data(options.output), options.output));
}

/** One thing to show, for people and for programs. */
interface Shown {
  readonly text: () => string;
  readonly data: (format: 'json' | 'yaml') => unknown;
}

function choose(view: InventoryView, options: InventoryCommandOptions): Shown {
  const host = options.host === undefined ? undefined : findHost(view.inventory, options.host);
  if (options.explain !== undefined && host) {
    const explanation = explainForHost(view, host, options.explain);
    return { text: () => explanationText(view, explanation), data: () => explanation };
  }
  if (options.explain !== undefined) {
    const explanation = explainForAll(view, options.explain);
    return { text: () => explanationForAllText(view, explanation), data: () => explanation };
  }
  if (host) return { text: () => hostVariablesTable(view, host), data: () => hostVariables(view, host) };
  if (options.graph !== undefined) {
    const group = options.graph === true ? 'all' : findGroup(view.inventory, options.graph);
    return { text: () => formatGraph(view, group, options.vars), data: () => undefined };
  }
  return {
    text: () => hostTable(view),
    data: (format) => (format === 'json' ? sharedListing(view) : nestedListing(view)),
  };
}

function checkOptions(options: InventoryCommandOptions): void {
  const asked = [
    ...(options.list ? ['--list'] : []),
    ...(options.graph === undefined ? [] : ['--graph']),
    ...(options.host !== undefined && options.explain === undefined ? ['--host'] : []),
    ...(options.explain === undefined ? [] : ['--explain']),
  ];
  if (asked.length === 0) {
    throw new RunbookError('usage', 'nothing is asked for', {
      hint: 'add --list, --graph, --host HOST or --explain NAME; see runbook inventory --help',
    });
  }
  if (asked.length > 1) throw new RunbookError('usage', `${asked.join(' and ')} cannot be shown together`);
  const refuse = (message: string): never => {
    throw new RunbookError('usage', message);
  };
  if (options.vars && options.graph === undefined) refuse('--vars goes with --graph');
  if (options.graph !== undefined && options.output !== 'text') {
    refuse(`--graph is text; --list --output ${options.output} says the same`);
  }
  if (options.host !== undefined && options.limit !== undefined)
    refuse('--host is one host already: leave out --limit');
}

function chooseHosts(inventory: Inventory, limit: string | undefined): readonly Host[] {
  const all = [...inventory.hosts.values()];
  return limit === undefined ? all : limitHosts(inventory, all, limit);
}

function findHost(inventory: Inventory, name: string): Host {
  const host = inventory.hosts.get(name) ?? inventory.localhosts.get(name);
  if (host) return host;
  const isGroup = inventory.groups.has(name);
  const hint = isGroup ? `"${name}" is a group: --graph ${name}` : didYouMean(name, inventory.hosts.keys());
  throw new RunbookError('usage', `--host: there is no host "${name}" in the inventory`, { hint });
}

function findGroup(inventory: Inventory, name: string): string {
  if (inventory.groups.has(name)) return name;
  const isHost = inventory.hosts.has(name);
  const hint = isHost ? `"${name}" is a host: --host ${name}` : didYouMean(name, inventory.groups.keys());
  throw new RunbookError('usage', `--graph: there is no group "${name}" in the inventory`, { hint });
}

function serialise(data: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${JSON.stringify(data, undefined, 2)}\n`;
  // Texts that YAML 1.1 would read as something else are quoted, since Ansible reads YAML 1.1.
  return stringify(data, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

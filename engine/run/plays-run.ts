import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import type { Host } from '../inventory/inventory.ts';
import type { Play } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import { type HostRun, leaveOut } from './host-run.ts';
import type { LoadedRun } from './load.ts';
import { hostsOfPlay } from './play-hosts.ts';
import { runPlay, type Stop } from './play-run.ts';

/**
 * Runs the plays in order; says why it stopped, and whether that left something out. `onTaken` is called with every host
 * that takes part in a play.
 */
export async function runPlays(
  context: RunContext,
  loaded: LoadedRun,
  onTaken: (host: HostRun) => void,
): Promise<(Stop & { readonly isEarly: boolean }) | undefined> {
  const active = (play: Play, onNothing?: (diagnostic: Diagnostic) => void): HostRun[] =>
    hostsNow(context, loaded, play, onNothing)
      .flatMap(({ name }) => context.hosts.get(name) ?? [])
      .filter((host) => host.status === 'active');
  const { plays } = loaded.playbook;
  const run = new Set<HostRun>();
  for (const [i, play] of plays.entries()) {
    if (context.request.signal.aborted) {
      for (const left of plays.slice(i)) leaveOut(active(left));
      return undefined;
    }
    const hosts = active(play, (diagnostic) => context.bus.emit({ type: 'warning', diagnostic }));
    if (hosts.length === 0) continue;
    for (const host of hosts) {
      onTaken(host);
      run.add(host);
    }
    const { stop, leavesHostsOut } = await runPlay(context, play, hosts, run);
    if (!stop) continue;
    const leavesPlaysOut = plays.slice(i + 1).some((later) => active(later).length > 0);
    return { ...stop, isEarly: leavesHostsOut || leavesPlaysOut };
  }
  return undefined;
}

/** A play's hosts as the inventory is now. What names nothing in it is told: hosts for it may have been expected. */
function hostsNow(
  context: RunContext,
  { inventory, hostsOf, answers }: LoadedRun,
  play: Play,
  onNothing: (diagnostic: Diagnostic) => void = () => undefined,
): readonly Host[] {
  const { current } = context.inventory;
  const known = hostsOf.get(play) ?? [];
  if (current === inventory && known.length > 0) return known;
  try {
    return hostsOfPlay(current, play, { request: context.request, answers });
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const hint = 'nothing that an earlier play added is called so: the play is left out';
    for (const diagnostic of error.diagnostics) onNothing({ ...diagnostic, severity: 'warning', hint });
    return [];
  }
}

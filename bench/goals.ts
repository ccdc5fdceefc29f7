import type { Goal, ToolResult } from './case.ts';
import type { PeerName } from './peers/peer.ts';

/** That runbook is so many times faster than a tool; nothing to judge where the tool did not take part. */
export function fasterThan(tools: readonly ToolResult[], peer: PeerName | 'Node alone', factor: number): Goal[] {
  const ratio = ratioTo(tools, peer);
  return ratio === undefined
    ? []
    : [{ what: `faster than ${peer}`, bound: 'at least', limit: factor, actual: ratio, unit: 'times' }];
}

/** That runbook takes at most so many times as long as a tool. */
export function within(tools: readonly ToolResult[], peer: PeerName | 'Node alone', factor: number): Goal[] {
  const ratio = ratioTo(tools, peer);
  return ratio === undefined
    ? []
    : [{ what: `the time of ${peer}`, bound: 'at most', limit: factor, actual: 1 / ratio, unit: 'times' }];
}

/** A goal for what one of runbook's numbers must not exceed; nothing to judge where it was not counted. */
export function atMost(what: string, limit: number, actual: number | undefined, unit: string): Goal[] {
  return actual === undefined ? [] : [{ what, bound: 'at most', limit, actual, unit }];
}

/** The same for a number that is a count. */
export function countAtMost(what: string, limit: number, actual: number | undefined, unit: string): Goal[] {
  return atMost(what, limit, actual, unit).map((goal) => ({ ...goal, isCount: true }));
}

/** How many times as long as runbook, the first of the tools, another one took. */
function ratioTo([runbook, ...others]: readonly ToolResult[], peer: PeerName | 'Node alone'): number | undefined {
  const other = others.find(({ tool }) => tool === peer);
  return runbook && other && other.value / runbook.value;
}

import { nodesOf, tasksIn } from '../nodes.ts';
import type { Play } from '../playbook.ts';
import type { Findings } from './findings.ts';

/** Doubts handlers that nothing in their play notifies. Those of files that others may share are left alone. */
export function checkHandlers(findings: Findings, play: Play): void {
  const notified = new Set([...tasksIn(nodesOf(play))].flatMap((task) => task.notify));
  for (const handler of play.handlers) {
    if (handler.range.source !== play.range.source) continue;
    if ([handler.name, ...handler.listen].some((name) => notified.has(name))) continue;
    const message = `nothing notifies the handler "${handler.name}"`;
    const hint = `a task that is to set it off has "notify: ${handler.name}"`;
    findings.add('warning', 'unused-handler', handler.range, message, hint);
  }
}

import { count } from '../report/text.ts';
import type { RunOutline } from '../run/request.ts';

/** `--list-hosts` and `--list-tasks` as text: each play with its hosts, its tasks, or both. */
export function formatOutline(
  outline: RunOutline,
  { listHosts, listTasks }: { readonly listHosts: boolean; readonly listTasks: boolean },
): string {
  const lines: string[] = [];
  for (const play of outline.plays) {
    lines.push(`PLAY ${play.name}`);
    if (listHosts) {
      lines.push(`  ${count(play.hosts.length, 'host')}`, ...play.hosts.map((host) => `    ${host}`));
    }
    if (!listTasks) continue;
    lines.push(`  ${count(play.tasks.length, 'task')}`);
    const width = Math.max(0, ...play.tasks.map((task) => task.name.length));
    for (const task of play.tasks) {
      const tags = task.tags.length > 0 ? `  [${task.tags.join(', ')}]` : '';
      lines.push(`    ${task.name.padEnd(width)}  ${task.module}  ${task.place}${tags}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

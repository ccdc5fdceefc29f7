import { createMasker } from '../base/masker.ts';
import { formatRange } from '../base/source.ts';
import { nodesOf } from '../language/nodes.ts';
import { loadRun } from './load.ts';
import { maskDiagnostic } from './masking.ts';
import type { RunOutline, RunRequest } from './request.ts';
import { learnPasswords } from './secrets.ts';
import { isSelected, tasksOf } from './selection.ts';

/** Says which tasks a playbook would run on which hosts, without contacting any. Raises as `runPlaybook` does. */
export async function outlineRun(
  request: Pick<
    RunRequest,
    'playbook' | 'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags' | 'ask' | 'masker'
  > &
    Partial<Pick<RunRequest, 'signal'>>,
): Promise<RunOutline> {
  const loaded = await loadRun(request);
  const plays = loaded.playbook.plays.map((play) => ({
    name: play.name,
    hosts: (loaded.hostsOf.get(play) ?? []).map((host) => host.name),
    tasks: [...tasksOf(nodesOf(play))]
      .filter((task) => isSelected(task, request.tags, request.skipTags))
      .map((task) => ({
        id: task.id,
        name: task.name,
        module: task.module.name,
        tags: task.tags,
        place: formatRange(task.range),
      })),
  }));
  const masker = request.masker ?? createMasker();
  learnPasswords(masker, { connection: {}, extraVars: request.extraVars }, loaded);
  return { warnings: loaded.warnings.map((warning) => maskDiagnostic(warning, masker)), plays };
}

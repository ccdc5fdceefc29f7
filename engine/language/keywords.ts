import { didYouMean } from '../base/diagnostic.ts';
import { type LoadContext, report } from './load-context.ts';
import type { YamlEntry, YamlMap } from './yaml.ts';

/** What surrounds tasks and is handed down to them: from plays, blocks and imports. */
const inherited = ['when', 'vars', 'environment', 'tags', 'become', 'become_user', 'delegate_to', 'no_log', 'timeout'];

/** The keywords of a play. */
export const playKeywords: readonly string[] = [
  ...['name', 'hosts', 'vars', 'vars_files', 'become', 'become_user', 'serial', 'tasks', 'handlers', 'gather_facts'],
  ...['environment', 'tags', 'any_errors_fatal', 'no_log', 'timeout'],
];

/** The keywords of a task, besides its module. */
export const taskKeywords: readonly string[] = [
  ...['name', ...inherited, 'register', 'loop', 'notify', 'run_once', 'until', 'retries', 'delay'],
  ...['changed_when', 'failed_when', 'ignore_errors'],
];

/** The keywords of a block. */
export const blockKeywords: readonly string[] = ['name', 'block', 'rescue', 'always', 'lease', ...inherited];

/** The keywords of a lease, besides its module. */
export const leaseKeywords: readonly string[] = ['name', 'on_failure', ...inherited.filter((k) => k !== 'tags')];

/** The keywords of an import. */
export const importKeywords: readonly string[] = ['name', 'import_tasks', ...inherited];

/** What Ansible has and we do not have yet, with what to do meanwhile. */
const notYet: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(
    [
      ...[
        'roles',
        'role',
        'include_role',
        'import_role',
        'include_vars',
        'import_playbook',
        'strategy',
        'loop_control',
      ],
      ...['max_fail_percentage', 'throttle', 'order', 'check_mode', 'diff', 'async', 'poll', 'args', 'local_action'],
      ...['pre_tasks', 'post_tasks', 'vars_prompt', 'module_defaults', 'collections', 'connection', 'port', 'debugger'],
      ...[
        'become_method',
        'become_flags',
        'become_exe',
        'ignore_unreachable',
        'remote_user',
        'delegate_facts',
        'listen',
      ],
      ...['force_handlers', 'gather_subset', 'gather_timeout', 'fact_path', 'action', 'include', 'include_tasks'],
      ...[
        'run_handlers',
        'meta',
        'inputs',
        'max_failures',
        'max_per_group',
        'with_items',
        'with_dict',
        'with_fileglob',
      ],
    ].map((name) => [name, undefined]),
  ),
  include_tasks: 'use import_tasks',
  include: 'use import_tasks',
  with_items: 'use loop',
  with_dict: 'use loop',
  with_fileglob: 'use loop',
  pre_tasks: 'put them first in tasks',
  post_tasks: 'put them last in tasks',
  local_action: 'use delegate_to: localhost',
  remote_user: 'set ansible_user in the inventory',
  port: 'set ansible_port in the inventory',
  connection: 'set ansible_connection in the inventory',
  become_method: 'set ansible_become_method in the inventory',
  max_fail_percentage: 'any_errors_fatal: true stops at the first host',
};

/** Whether a name is one of Ansible's that we do not have yet. */
export function isNotYet(name: string): boolean {
  return Object.hasOwn(notYet, name);
}

/** Notes a keyword of Ansible's that we do not have yet. */
export function reportNotYet(context: LoadContext, entry: YamlEntry): void {
  report(context, entry.keyRange, `"${entry.key}" is not supported yet`, notYet[entry.key]);
}

/** Notes every key of a map that is no keyword of `what`. */
export function checkKeywords(context: LoadContext, map: YamlMap, known: readonly string[], what: string): void {
  for (const entry of map.entries) {
    if (known.includes(entry.key)) continue;
    if (isNotYet(entry.key)) reportNotYet(context, entry);
    else reportUnknown(context, entry, known, what);
  }
}

/** Notes a key that is no keyword. */
export function reportUnknown(context: LoadContext, entry: YamlEntry, known: readonly string[], what: string): void {
  const hint = didYouMean(entry.key, known) ?? `${what} takes: ${known.join(', ')}`;
  report(context, entry.keyRange, `unknown keyword "${entry.key}" of ${what}`, hint);
}

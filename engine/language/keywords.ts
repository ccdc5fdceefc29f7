import { hostOrders, leasePolicies, metaActions, strategies } from './playbook.ts';

/** What a keyword can stand on, and what it is called in messages. */
export const holderNames = {
  play: 'a play',
  task: 'a task',
  handler: 'a handler',
  block: 'a block',
  lease: 'a lease',
  import_tasks: 'an import',
  include_tasks: 'an include',
  import_role: 'the use of a role',
  import_playbook: 'an import of a playbook',
  meta: 'meta',
  role: 'the use of a role',
} as const;
export type Holder = keyof typeof holderNames;
const holders = Object.keys(holderNames) as Holder[]; // its own keys, and nothing else's

/** What a keyword takes; each kind has its reader in `fields.ts` or beside it, and its JSON Schema in the editor's schema. */
export type Takes =
  | 'text' // written out, no template
  | 'variable' // the name of one
  | 'template' // a text that may be a template, or !expr
  | 'names' // a text or a list of texts, written out
  | 'tags' // as names; a single text may have commas
  | 'boolean' // written out
  | 'flag' // a boolean, a template or an expression
  | 'conditions' // a CEL expression, or a list of which all must hold
  | 'expression' // one CEL expression
  | 'variables' // a map of names and values
  | 'environment' // a map, or a template that gives one
  | 'list' // any list, or a template that gives one
  | 'count' // a whole number from 1
  | 'retries' // a whole number from 0
  | 'duration' // seconds, or 500ms, 30s, 5m, 1h
  | 'hosts' // a host pattern, or a list of them
  | 'serial' // 2, "30%", a list of these, or {window: 2}
  | 'tasks' // a list of tasks
  | 'handlers'
  | 'roles'
  | 'inputs'
  | 'prompts'
  | 'lease'
  | 'loop_control'
  | 'percentage' // a number from 0 to 100
  | 'max_per_group'
  | 'bake'
  | 'module_defaults'
  | 'run_once'
  | { readonly oneOf: readonly string[] };

/** A keyword of the language: what loading accepts, what the editor completes and what the reference says come from here. */
export interface Keyword {
  readonly name: string;
  readonly on: readonly Holder[];
  readonly takes: Takes;
  /** What it means, in one or two sentences. */
  readonly summary: string;
  /** Where its meaning differs from Ansible's. */
  readonly differs?: string;
}

const everyTask: readonly Holder[] = ['task', 'handler'];
/** Where what is handed down to the tasks inside can stand. */
const surroundings: readonly Holder[] = [
  'play',
  'task',
  'handler',
  'block',
  'import_tasks',
  'include_tasks',
  'import_role',
  'role',
];
const named: readonly Holder[] = [...surroundings, 'lease', 'meta', 'import_playbook'];

export const keywords: readonly Keyword[] = [
  {
    name: 'name',
    on: named,
    takes: 'template',
    summary: 'What is shown for it. Of a task it may be a template.',
    differs:
      'A template is shown as it is written where hosts would see different names, and under no_log; Ansible shows the name that the first host sees.',
  },
  {
    name: 'when',
    on: [...surroundings.filter((h) => h !== 'play'), 'lease', 'meta', 'import_playbook'],
    takes: 'conditions',
    summary: 'Runs only where this CEL expression (or every one of a list) is true. Each task inside asks again.',
    differs:
      'CEL instead of Jinja2. Of include_tasks it is asked on each host once for each item, and not again in the file, as in Ansible.',
  },
  {
    name: 'vars',
    on: [...surroundings, 'lease', 'import_playbook'],
    takes: 'variables',
    summary: 'Variables for what is inside.',
    differs: 'They are seen inside only; the vars of a role do not leak into the play.',
  },
  {
    name: 'environment',
    on: [...surroundings, 'lease'],
    takes: 'environment',
    summary: 'Environment variables of the commands that run on the host, over those around; null takes one back.',
  },
  {
    name: 'tags',
    on: [...surroundings, 'meta', 'import_playbook'],
    takes: 'tags',
    summary:
      'Names by which --tags and --skip-tags choose. Tasks tagged always run unless they are skipped by name, tasks tagged never only when they are chosen by name. The options take all, tagged and untagged, too.',
    differs:
      'Tags of include_tasks are handed down to the tasks inside, and it runs where one of these is chosen; in Ansible they choose the include alone. A tag on the command line that no task has is an error.',
  },
  {
    name: 'become',
    on: [...surroundings, 'lease'],
    takes: 'flag',
    summary: 'Whether to become another user on the host, root unless become_user says otherwise.',
    differs: 'The nearest one of the playbook wins over ansible_become of the inventory.',
  },
  { name: 'become_user', on: [...surroundings, 'lease'], takes: 'template', summary: 'The user to become.' },
  {
    name: 'delegate_to',
    on: [...surroundings.filter((h) => h !== 'play'), 'lease'],
    takes: 'template',
    summary: 'The host on which it runs, with the variables of the host that it is for.',
  },
  {
    name: 'no_log',
    on: [...surroundings, 'lease'],
    takes: 'boolean',
    summary: 'Shows and records nothing of arguments, results and errors.',
  },
  {
    name: 'timeout',
    on: [...surroundings, 'lease'],
    takes: 'duration',
    summary: 'Deadline of a task on one host, all its attempts together.',
  },
  {
    name: 'throttle',
    on: surroundings.filter((h) => h !== 'play'),
    takes: 'count',
    summary: 'At most so many hosts run a task inside at the same time, however many --forks allow.',
    differs: 'A play takes none: there serial and max_per_group say it.',
  },
  {
    name: 'module_defaults',
    on: surroundings,
    takes: 'module_defaults',
    summary: 'For each module, arguments that its tasks inside have unless they give them themselves.',
    differs: 'No groups of modules; a module or an argument that does not exist is an error.',
  },

  { name: 'hosts', on: ['play'], takes: 'hosts', summary: 'The hosts of the play: a host pattern.' },
  {
    name: 'order',
    on: ['play'],
    takes: { oneOf: hostOrders },
    summary: 'The order in which hosts are taken: as in the inventory, by name, either reversed, or shuffled.',
  },
  {
    name: 'inputs',
    on: ['play'],
    takes: 'inputs',
    summary:
      'What the playbook takes from outside, typed: a map of names, each with type, description, default, required, enum and so on; or the name of a file with such a map, beside the playbook. A value that does not fit, or an -e that is not declared, is found before the first connection.',
    differs: 'Ansible has argument_specs for roles only.',
  },
  {
    name: 'vars_prompt',
    on: ['play'],
    takes: 'prompts',
    summary: 'Variables that are asked for before the run starts, unless -e gives them. Private answers are secrets.',
    differs:
      'All plays are asked for before the first one runs. Without a terminal a default is taken, or it is an error.',
  },
  {
    name: 'vars_files',
    on: ['play'],
    takes: 'names',
    summary: 'Files of variables, over vars; each is beside the file that names it and may be encrypted.',
    differs: 'The names are written out.',
  },
  {
    name: 'serial',
    on: ['play'],
    takes: 'serial',
    summary:
      'How many hosts are worked on before the next ones start: a number, a percentage, or a list of these of which the last repeats. {window: 3} keeps three hosts in flight and starts the next as one ends.',
    differs: 'The window is ours; with it every host is a batch of its own, and its handlers run as it ends.',
  },
  {
    name: 'max_per_group',
    on: ['play'],
    takes: 'max_per_group',
    summary: '{by: EXPRESSION, n: N}: at most N hosts with the same value are worked on at the same time.',
    differs: 'Ours.',
  },
  {
    name: 'strategy',
    on: ['play'],
    takes: { oneOf: strategies },
    summary: 'linear: a task ends on all hosts of a batch before the next begins. free: no host waits for another.',
    differs: 'With free, run_once works: the first host to come runs it and the others wait for its result.',
  },
  {
    name: 'any_errors_fatal',
    on: ['play'],
    takes: 'boolean',
    summary: 'As max_failures: 1. The first host that is down stops the run.',
    differs: 'The hosts in flight are finished, so that every one of them is reported.',
  },
  {
    name: 'max_failures',
    on: ['play'],
    takes: 'count',
    summary:
      'So many hosts down stop the run: no further host and no further play starts, hosts in flight finish or unwind. Down are hosts that failed, timed out, are unreachable or were rolled back, in all plays of the run so far; a host that was rescued is not. --max-failures says it for every play; the lower one counts.',
    differs: 'Ours.',
  },
  {
    name: 'max_fail_percentage',
    on: ['play'],
    takes: 'percentage',
    summary:
      'Stops the run as max_failures does when so many percent of the hosts are down: of a batch, or of all hosts that the plays so far were for. With a window the hosts of the play are one batch. --max-fail-percentage says it for every play; the lower one counts.',
    differs:
      'Reached is enough, with 0 the first host. Unreachable hosts count, too, under every strategy, and so does what earlier batches and plays lost.',
  },
  {
    name: 'bake',
    on: ['play'],
    takes: 'bake',
    summary:
      '{seconds: N, tasks: […]}: after a batch it is waited so long, then the tasks, a health gate, run on its hosts. One that fails stops the run, whatever the failure budget says. After the last batch only the tasks run; --tags does not leave them out.',
    differs: 'Ours.',
  },
  {
    name: 'force_handlers',
    on: ['play'],
    takes: 'boolean',
    summary: 'Handlers that were notified run on a host that failed, too.',
  },
  {
    name: 'gather_facts',
    on: ['play'],
    takes: 'boolean',
    summary: 'Whether facts are gathered. Unless it is set, they are gathered where something in the play names them.',
    differs: 'In Ansible they are always gathered unless it is false.',
  },
  { name: 'pre_tasks', on: ['play'], takes: 'tasks', summary: 'Tasks before the roles; then notified handlers run.' },
  {
    name: 'roles',
    on: ['play'],
    takes: 'roles',
    summary: 'Roles to run, before tasks: names, or maps with role and what it is given under vars.',
    differs: 'A role that is written twice, or that two roles depend on, runs twice; its handlers are there once.',
  },
  {
    name: 'tasks',
    on: ['play'],
    takes: 'tasks',
    summary: 'What is done on the hosts, in this order; then notified handlers run.',
  },
  { name: 'post_tasks', on: ['play'], takes: 'tasks', summary: 'Tasks at the end; then notified handlers run again.' },
  {
    name: 'handlers',
    on: ['play'],
    takes: 'handlers',
    summary: 'Tasks that run once, at the next flush, on the hosts where a task that changed something notified them.',
  },

  {
    name: 'register',
    on: everyTask,
    takes: 'variable',
    summary:
      'The variable that gets the result. Of a loop: changed, failed, skipped, and under results one for each item, with the item under the name that it has in the loop.',
    differs: 'In check mode the result of what was not done is unknown, and so is what depends on it.',
  },
  {
    name: 'loop',
    on: [...everyTask, 'include_tasks'],
    takes: 'list',
    summary: 'Runs once for each item of a list, as item.',
    differs: 'It ends with the first item that fails, unless errors are ignored; Ansible goes on with the others.',
  },
  {
    name: 'loop_control',
    on: [...everyTask, 'include_tasks'],
    takes: 'loop_control',
    summary:
      '{loop_var, index_var, label, pause}: the names of item and number, what is shown, and the time between items.',
  },
  {
    name: 'notify',
    on: everyTask,
    takes: 'names',
    summary: 'Handlers to run at the next flush if this changed something, by name or by a topic that they listen to.',
    differs: 'A loop notifies for what its items changed even if another item failed; in Ansible it does not.',
  },
  { name: 'listen', on: ['handler'], takes: 'names', summary: 'Topics by which tasks notify it, besides its name.' },
  {
    name: 'run_once',
    on: everyTask,
    takes: 'run_once',
    summary:
      'true: runs on the first host of the run that can be reached, and all hosts have its result. batch: once in every batch. A handler runs on the first host of each flush.',
    differs: 'In Ansible true means once in every batch.',
  },
  {
    name: 'until',
    on: everyTask,
    takes: 'conditions',
    summary: 'Tries again until this is true of the result, retries times at most.',
  },
  { name: 'retries', on: everyTask, takes: 'retries', summary: 'Attempts after the first one, 3 unless it is set.' },
  { name: 'delay', on: everyTask, takes: 'duration', summary: 'The time between attempts, 5 s unless it is set.' },
  {
    name: 'changed_when',
    on: everyTask,
    takes: 'conditions',
    summary: 'Whether it counts as a change, asked of the result.',
  },
  {
    name: 'failed_when',
    on: everyTask,
    takes: 'conditions',
    summary: 'Whether it counts as a failure, asked of the result.',
  },
  {
    name: 'ignore_errors',
    on: everyTask,
    takes: 'flag',
    summary:
      'A failure is told and the host goes on, also where a condition or an argument cannot be worked out. An unreachable host is not ignored by it.',
  },
  {
    name: 'delegate_facts',
    on: everyTask,
    takes: 'boolean',
    summary: 'Facts that the task sets belong to the host that it is delegated to.',
  },

  { name: 'block', on: ['block'], takes: 'tasks', summary: 'Tasks that fail together.' },
  { name: 'rescue', on: ['block'], takes: 'tasks', summary: 'Tasks for the hosts on which the block failed.' },
  { name: 'always', on: ['block'], takes: 'tasks', summary: 'Tasks that run at the end in any case.' },
  {
    name: 'lease',
    on: ['block'],
    takes: 'lease',
    summary: 'A lease that is taken before the first effect inside and given back at the end.',
    differs: 'Ours.',
  },
  {
    name: 'on_failure',
    on: ['lease'],
    takes: { oneOf: leasePolicies },
    summary: 'What becomes of the lease when the block fails. auto keeps it if a task inside changed the host.',
    differs: 'Ours.',
  },

  {
    name: 'import_tasks',
    on: ['import_tasks'],
    takes: 'text',
    summary: 'Puts the tasks of a file here, as if they were written here.',
  },
  {
    name: 'include_tasks',
    on: ['include_tasks'],
    takes: 'template',
    summary:
      'Runs the tasks of a file that each host may choose by a template, and may loop over. Every file that fits the template is loaded and checked before the run.',
    differs: 'A file that was not there before the run is an error.',
  },
  { name: 'import_role', on: ['import_role'], takes: 'text', summary: 'Runs a role here, as under roles of a play.' },
  {
    name: 'import_playbook',
    on: ['import_playbook'],
    takes: 'text',
    summary: 'Puts the plays of another playbook here.',
  },
  {
    name: 'meta',
    on: ['meta'],
    takes: { oneOf: metaActions },
    summary:
      'flush_handlers runs what was notified so far; end_host, end_batch and end_play end it for the host, the batch or the play, without failure. rolled_back, in a rescue, ends the run for the host as rolled-back: it failed and is as it was before.',
    differs:
      'What is ended early goes through the always of the blocks around, gives its leases back, and runs the handlers that were notified; in Ansible neither always nor handlers run. end_batch and end_play: one host where the condition is true is enough; Ansible asks only the first host.',
  },
  {
    name: 'role',
    on: ['role'],
    takes: 'text',
    summary: 'The name of a role: a folder under roles/ beside the file that names it, or beside the playbook.',
  },
];

/** The names of the keywords that can stand on something. */
export function keywordsOf(holder: Holder): ReadonlySet<string> {
  return byHolder.get(holder) ?? new Set();
}

// Every task asks for its keywords.
const byHolder: ReadonlyMap<Holder, ReadonlySet<string>> = new Map(
  holders.map((holder) => [holder, new Set(keywords.filter(({ on }) => on.includes(holder)).map(({ name }) => name))]),
);

/** What Ansible has and we have not, with what to do instead where there is something. */
export const foreignKeywords: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(
    [
      ...['include_role', 'include_vars', 'check_mode', 'diff', 'poll', 'args', 'collections', 'debugger'],
      ...['become_flags', 'become_exe', 'ignore_unreachable', 'gather_subset', 'gather_timeout', 'fact_path'],
      'run_handlers',
    ].map((name) => [name, undefined]),
  ),
  include_role: 'use import_role, with when',
  include_vars: 'use vars_files',
  include: 'use import_tasks',
  with_items: 'use loop',
  with_dict: 'use loop',
  with_fileglob: 'use loop',
  local_action: 'use delegate_to: localhost',
  remote_user: 'set ansible_user in the inventory',
  port: 'set ansible_port in the inventory',
  connection: 'set ansible_connection in the inventory',
  become_method: 'set ansible_become_method in the inventory',
  sudo: 'use become: true',
  sudo_user: 'use become_user',
  action: 'the name of the module is the key: "shell: …"',
  async: 'a task may take as long as its timeout says; for what goes on in the background use systemd',
};

/** Whether a name is a keyword of Ansible's that we do not have. */
export function isForeign(name: string): boolean {
  return Object.hasOwn(foreignKeywords, name);
}

/** Whether a name is a keyword of anything. */
export function isKeyword(name: string): boolean {
  return keywords.some((keyword) => keyword.name === name);
}

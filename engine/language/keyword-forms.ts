import type { Holder, Keyword, Takes } from './keywords.ts';

const forms: Readonly<Record<Extract<Takes, string>, string>> = {
  text: 'a text, written out',
  variable: 'the name of a variable',
  template: 'a text, which may be a template',
  names: 'a text or a list of texts, written out',
  tags: 'a text, with commas between several, or a list of texts',
  boolean: '`true` or `false`, written out',
  flag: '`true`, `false`, a template or `!expr`',
  conditions: 'a CEL expression, or a list of them that must all hold',
  expression: 'a CEL expression',
  variables: 'a map of names and values',
  environment: 'a map, or a template or `!expr` that gives one',
  list: 'a list, or a template or `!expr` that gives one',
  count: 'a whole number from 1',
  retries: 'a whole number from 0',
  duration: 'seconds, or a text such as `500ms`, `30s`, `5m`, `1h`',
  hosts: 'a host pattern, or a list of them',
  serial: 'a number, a percentage, a list of these, or `{window: …}`',
  tasks: 'a list of tasks',
  handlers: 'a list of handlers',
  roles: 'a list of names, or of maps with `role`',
  inputs:
    'a map: for each name a JSON Schema of its value, and whether it is `required`; or the name of a file with such a map',
  prompts: 'a list of maps with `name`, `prompt`, `private`, `default`, `confirm`',
  lease: 'a map: a lease module and its keywords',
  loop_control: 'a map with `loop_var`, `index_var`, `label`, `pause`',
  percentage: 'a number from 0 to 100, with or without `%`',
  bake: 'a map with `seconds` and `tasks`',
  max_per_group: 'a map with `by`, a CEL expression, and `n`',
  module_defaults: 'a map: for each module a map of arguments',
  run_once: '`true`, `false` or `batch`',
};

/** What a keyword takes, for people, as Markdown. */
export function formOf({ takes }: Keyword): string {
  if (typeof takes === 'string') return forms[takes];
  const words = takes.oneOf.map((word) => `\`${word}\``);
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

const holderNames: Readonly<Record<Holder, string>> = {
  play: 'a play',
  task: 'a task',
  handler: 'a handler',
  block: 'a block',
  lease: 'a lease',
  import_tasks: 'import_tasks',
  include_tasks: 'include_tasks',
  import_role: 'import_role',
  role: 'a role of a play',
  import_playbook: 'import_playbook',
  meta: 'meta',
};

/** Where a keyword stands, for people: `on a play`, `in place of a task`. */
export function placesOf({ name, on }: Keyword): string {
  if (name === 'import_playbook') return 'in place of a play';
  if (on.some((holder) => holder === name)) return name === 'role' ? 'among the roles of a play' : 'in place of a task';
  const names = (Object.keys(holderNames) as Holder[]).filter((holder) => on.includes(holder));
  return `on ${names.map((holder) => holderNames[holder]).join(', ')}`;
}

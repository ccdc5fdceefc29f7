import { createCelEnvironment } from '../../engine/language/expression/environment.ts';
import { keywordExamples } from '../../engine/language/keyword-examples.ts';
import { formOf, placesOf } from '../../engine/language/keyword-forms.ts';
import { foreignKeywords, type Holder, type Keyword, keywords } from '../../engine/language/keywords.ts';
import { providedNames } from '../../engine/language/load/fields.ts';
import { templateHelpers } from '../../engine/language/template/helpers.ts';
import type { ModuleDefinition } from '../../engine/module/contract.ts';
import type { Schema } from '../../engine/module/schema.ts';

/** docs/language.md: all of the language, from the tables that loading, running and editors use. */
export function languagePage(modules: readonly ModuleDefinition[]): string {
  return [
    introduction,
    ...keywordSections(),
    values,
    helpers(),
    expressions(),
    variables(),
    moduleSection(modules),
    foreignSection(),
  ].join('\n');
}

const introduction = `# The language

Made from the engine's own tables (\`UPDATE_GOLDEN=1 npx mocha test/language/language-page.test.ts\` writes it anew). \`runbook doc
NAME\` shows a keyword or a module in the terminal, [an editor](editor.md) while you type. Host patterns are on [a page of their
own](patterns.md), facts on [another](facts.md).

A **playbook** is a YAML file (1.2: \`yes\` and \`no\` are texts) with a list of **plays**. A play runs **tasks** on hosts, a task
uses one **module**, and keywords say when, how and as whom. Whatever a keyword on a play, a block or an import says holds for
the tasks inside; the nearest one counts, but conditions, tags, variables and environments add up.

What is wrong in a keyword, a module's argument, a template or an expression is reported before the first connection, all at
once.

## Files

| file | what it is |
|---|---|
| \`PLAYBOOK.yaml\` | plays |
| \`group_vars/GROUP.yaml\`, \`host_vars/HOST.yaml\`, or folders of these names | variables, beside the inventory and beside the playbook |
| \`modules/NAME.ts\` | a module of your own, beside the playbook |
| \`roles/NAME/tasks/main.yaml\`, \`handlers/main.yaml\` | the tasks and handlers of a role |
| \`roles/NAME/defaults/main.yaml\`, \`vars/main.yaml\` | its variables: below the inventory, and above it |
| \`roles/NAME/inputs.yaml\` | its typed inputs, as under \`inputs\` of a play |
| \`roles/NAME/meta/main.yaml\` | \`dependencies\`: the roles that it needs, which run before it |
| \`roles/NAME/modules/\` | modules of its own |
| \`files/\`, \`templates/\` | what \`copy\` and \`file-template\` name: beside the task's file or role, beside the playbook |

\`.yml\` is as good as \`.yaml\`.
`;

/** Where a keyword is explained: by the first thing that it can stand on. */
const chapters: readonly { readonly title: string; readonly holders: readonly Holder[]; readonly text?: string }[] = [
  { title: 'Plays', holders: ['play'] },
  { title: 'Tasks and handlers', holders: ['task', 'handler'] },
  { title: 'Blocks and leases', holders: ['block', 'lease'] },
  {
    title: 'In place of a task',
    holders: ['import_tasks', 'include_tasks', 'import_role', 'meta', 'role', 'import_playbook'],
  },
];

function keywordSections(): string[] {
  const everywhere = keywords.filter(({ on }) => on.includes('play') && on.includes('task'));
  const left = new Set(keywords.filter((keyword) => !everywhere.includes(keyword)));
  const sections = chapters.map(({ title, holders }) => {
    const own = [...left].filter(({ on }) => holders.some((holder) => on.includes(holder)));
    for (const keyword of own) left.delete(keyword);
    return chapter(title, own);
  });
  return [contents(), chapter('On plays, tasks and all between', everywhere), ...sections];
}

function contents(): string {
  const links = keywords.map(({ name }) => name).sort();
  return `## Keywords\n\n${links.map((name) => `[${name}](#${name})`).join(', ')}\n`;
}

function chapter(title: string, own: readonly Keyword[]): string {
  return `## ${title}\n\n${own.map(keywordSection).join('\n')}`;
}

function keywordSection(keyword: Keyword): string {
  const { name, summary, differs } = keyword;
  return [
    `### ${name}\n`,
    `Takes ${formOf(keyword)}. Stands ${placesOf(keyword)}.\n`,
    `${summary}\n`,
    ...(differs === undefined ? [] : [`**Differs from Ansible:** ${differs}\n`]),
    `\`\`\`yaml\n${keywordExamples[name]?.trim() ?? ''}\n\`\`\`\n`,
  ].join('\n');
}

const values = `## Values

| written | means |
|---|---|
| \`port: 8080\` | a number; \`"8080"\` is a text |
| \`url: http://{{ host }}/\` | a text, rendered for each host |
| \`list: '{{ users }}'\` | a lone template gives the value itself, a list stays a list |
| \`count: !expr int(cpus) * 2\` | the value of a CEL expression |
| \`when: port > 1024\` | conditions are CEL already: no braces, no \`!expr\` |
| \`password: !vault \\| …\` | a text that \`ansible-vault\` encrypted |

Templates are looked for in the values of arguments, variables and of keywords that take them, not in keys.

## Templates

[Handlebars](https://handlebarsjs.com), strict: a name that does not exist is an error (but in \`#if\`, \`#unless\`, \`default\`,
\`defined\`), and only texts, numbers, true and false print. \`{{#if x}} … {{else}} … {{/if}}\`, \`{{#unless}}\`, \`{{#each list}} {{this}} {{@index}} {{/each}}\` and \`{{#with x}}\` are
there; calls nest: \`{{ upper (default zone "a") }}\`. What a host printed is never a template.
`;

function helpers(): string {
  const rows = Object.values(templateHelpers).map(
    ({ usage, summary }) => `| \`{{ ${usage.replaceAll('|', '\\|')} }}\` | ${summary.replaceAll('|', '\\|')} |`,
  );
  return ['| helper | gives |', '|---|---|', ...rows, ''].join('\n');
}

function expressions(): string {
  return `## Expressions

[CEL](https://cel.dev): \`&&\`, \`||\`, \`!\`, \`==\`, \`!=\`, \`<\`, \`in\`, \`+\`, \`a ? b : c\`, \`map.key\`, \`map["key"]\`, \`list[0]\`. Types are not
converted: a text is never equal to a number, \`int("8080") == 8080\` is true. \`has(a.b)\` asks whether something is there. A value that
is not known in check mode makes what depends on it unknown.

| on | functions |
|---|---|
${celFunctions()
  .map(([on, names]) => `| ${on} | ${names.map((name) => `\`${name}\``).join(', ')} |`)
  .join('\n')}
`;
}

/** The functions by what they are called on. */
function celFunctions(): (readonly [string, readonly string[]])[] {
  const groups = new Map<string, Set<string>>([
    ['nothing', new Set()],
    ['a text', new Set()],
    ['a list', new Set()],
    ['a map', new Set()],
    ['a time', new Set()],
  ]);
  const kinds: readonly (readonly [RegExp, string])[] = [
    [/^string\.(\w+)/, 'a text'],
    [/^list<\w+>\.(\w+)/, 'a list'],
    [/^map<[^>]*>\.(\w+)/, 'a map'],
    [/^google\.protobuf\.\w+\.(\w+)/, 'a time'],
    [/^(\w+)\(/, 'nothing'],
  ];
  for (const { signature } of createCelEnvironment().getDefinitions().functions) {
    if (/Secret|^type\(/.test(signature)) continue;
    const [pattern, kind] = kinds.find(([form]) => form.test(signature)) ?? [];
    const name = pattern?.exec(signature)?.[1];
    if (kind !== undefined && name !== undefined) groups.get(kind)?.add(name);
  }
  return [...groups].filter(([, names]) => names.size > 0).map(([kind, names]) => [kind, [...names].sort()]);
}

function variables(): string {
  return `## Variables

From the lowest to the highest; the last one that has a name gives its value:

1. defaults of inputs, of the play and of roles; \`defaults/\` of roles
2. connection options of the command line (\`--user\` and the like)
3. the inventory: groups (parents before children, \`ansible_group_priority\`, \`group_vars/\`), then the host (\`host_vars/\`)
4. the play: \`vars\`, then \`vars_files\`
5. answers to \`vars_prompt\`
6. results (\`register\`) and facts that tasks set, of this host
7. \`vars/\` of roles, \`vars\` of blocks, imports and tasks, outermost first
8. \`-e\`
9. names that the engine provides, and those of the loops around

The names that the engine provides, so that nobody can set them: ${[...providedNames].map((name) => `\`${name}\``).join(', ')}.
`;
}

function moduleSection(modules: readonly ModuleDefinition[]): string {
  const rows = modules.map(
    (module) => `| \`${module.name}\` | ${module.kind} | ${cell(module.summary)} | ${argumentNames(module.schema)} |`,
  );
  return [
    '## Modules\n',
    '`runbook doc NAME` explains one. A **resource** brings something into a state, an **action** changes no host, a **lease** is',
    'held around a block. Bold arguments are required. Where the only one is a text, it may stand alone: `fail: MESSAGE` is',
    '`fail: { message: MESSAGE }`.\n',
    '| module | kind | what it does | arguments |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function argumentNames({ properties = {}, required = [] }: Schema): string {
  const names = Object.keys(properties).map((name) => (required.includes(name) ? `**${name}**` : name));
  return names.length > 0 ? names.join(', ') : 'any names';
}

function foreignSection(): string {
  const rows = Object.entries(foreignKeywords)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, hint]) => `| \`${name}\` | ${hint === undefined ? '' : cell(hint)} |`);
  return [
    '## Keywords of Ansible that are not here\n',
    'Each is an error, with what to do instead where there is something.\n',
    '| keyword | instead |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

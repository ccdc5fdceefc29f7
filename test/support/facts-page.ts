import type { ModuleDefinition } from '../../engine/module/contract.ts';
import type { Schema } from '../../engine/module/schema.ts';

const introduction = `# Facts

What is known of a host without being told, under the name \`facts\`:

    when: facts.os.family == "debian" && versionAtLeast(facts.os.version, "12")
    message: "{{ facts.hostname }} has {{ facts.addresses.default_ipv4 }}"

- **Gathered when they are read.** Just before the first task that reads a fact the hosts are asked, all at once, with one
  script: as root where that task is root, else as the user who logs in. A task reads a fact also through a variable, of the
  inventory too, and in a template file whose name is written out. A play with \`gather_facts: true\` asks its hosts anew when it starts; one with
  \`gather_facts: false\` never does.
- **Always there.** What a host lacks has a stand-in: \`''\`, 0, false, an empty list. A misspelt fact is a mistake.
- **Gathered anew after a change.** A module says which facts its changes touch (below). The next task that reads one of them
  has it gathered anew. After a change of another kind, such as a new kernel and a reboot, start a play with
  \`gather_facts: true\`.
- **Unknown in check mode** once a change is pending that touches them: so is what depends on them.
- **Nothing that hangs is asked**: no container daemon, no DNS, no network file system.
`;

/** docs/facts.md: every fact with its type and meaning, and the modules whose changes touch facts. */
export function factsPage(schema: Schema, modules: readonly ModuleDefinition[]): string {
  const rows = factRows(schema, 'facts').map((cells) => `| ${cells.join(' | ')} |`);
  const touching = modules
    .flatMap((module) => (module.kind === 'resource' && module.invalidates ? [[module.name, module.invalidates]] : []))
    .map(([name, facts]) => `| \`${String(name)}\` | ${(facts as string[]).map((fact) => `\`${fact}\``).join(', ')} |`);
  return [
    introduction,
    '## All facts\n',
    ['| fact | type | what it is |', '|---|---|---|', ...rows, ''].join('\n'),
    '## What changes touch\n',
    "A module of your own says it with `invalidates: ['kubelet']` in its definition.\n",
    ['| module | facts |', '|---|---|', ...touching, ''].join('\n'),
  ].join('\n');
}

function factRows(schema: Schema, path: string): string[][] {
  const rows: string[][] = [];
  for (const [name, fact] of Object.entries(schema.properties ?? {})) {
    const here = `${path}.${name}`;
    rows.push([`\`${here}\``, typeOf(fact), (fact.description ?? '').replaceAll('|', '\\|')]);
    rows.push(...factRows(fact, here));
    if (fact.items?.properties) rows.push(...factRows(fact.items, `${here}[]`));
    if (typeof fact.additionalProperties === 'object')
      rows.push(...factRows(fact.additionalProperties, `${here}[name]`));
  }
  return rows;
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array')
    return schema.items?.type === 'object' ? 'list of maps' : `list of ${schema.items?.type}s`;
  if (schema.type === 'object') return 'map';
  return schema.type ?? 'any';
}

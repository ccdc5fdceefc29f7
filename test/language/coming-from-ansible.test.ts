import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { compileExpression, compileNode, createCompileCache } from '../../engine/language/compile.ts';
import { keywords } from '../../engine/language/keywords.ts';
import { loadPlaybook } from '../../engine/language/load.ts';
import type { Scope } from '../../engine/language/value.ts';
import { parseYaml } from '../../engine/language/yaml.ts';
import { loadModules } from '../../engine/module/loader.ts';
import { describeWithAnsible, pythonOfAnsible } from '../inventory/ansible.ts';
import { mistakesIn, whole } from './fakes.ts';

const file = new URL('../../docs/coming-from-ansible.md', import.meta.url);

/** A row of a table: what Ansible has, what is written here, what both give. */
interface Row {
  readonly theirs: string;
  readonly ours: string;
  readonly gives: unknown;
}

interface Page {
  readonly playbooks: readonly string[];
  readonly variables: Scope;
  readonly templates: readonly Row[];
  readonly conditions: readonly Row[];
  /** The names in the right column of the table of modules. */
  readonly modules: readonly string[];
}

describe('docs/coming-from-ansible.md', () => {
  let page: Page;
  before(async () => {
    page = pageOf(await readFile(file, 'utf8'));
  });

  it('has playbooks that load', async () => {
    const registry = await loadModules({});
    expect(page.playbooks).not.to.deep.equal([]);
    for (const text of page.playbooks) {
      const readThis = async (): Promise<string> => text;
      expect(await mistakesIn(() => loadPlaybook('play.yaml', { registry, readFile: readThis }))).to.equal('');
    }
  });

  it('has templates and values that give what it says', () => {
    expect(page.templates.length).to.be.above(15);
    for (const { ours, gives } of page.templates) expect(render(ours, page.variables), ours).to.deep.equal(gives);
  });

  it('has conditions that give what it says', () => {
    expect(page.conditions.length).to.be.above(10);
    for (const { ours, gives } of page.conditions) {
      const condition = compileExpression(ours, whole(ours), createCompileCache());
      expect(condition.evaluate(page.variables), ours).to.equal(gives);
    }
  });

  it('names modules that are there', async () => {
    const registry = await loadModules({});
    expect(page.modules.length).to.be.above(15);
    for (const name of page.modules) expect(registry.names()).to.include(name);
  });

  it('lists every difference of a keyword (UPDATE_GOLDEN=1 writes them anew)', async () => {
    const text = await readFile(file, 'utf8');
    const rows = keywords.flatMap(({ name, differs }) =>
      differs === undefined ? [] : [`| [\`${name}\`](language.md#${name}) | ${differs.replaceAll('|', '\\|')} |`],
    );
    const table = ['| keyword | how it differs |', '|---|---|', ...rows].join('\n');
    const written = text.replace(/(<!-- made by .*-->\n)[\s\S]*?(<!-- end -->)/, (_, a, b) => `${a}\n${table}\n\n${b}`);
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(file, written);
    expect(await readFile(file, 'utf8')).to.equal(written);
  });

  describeWithAnsible('beside ansible-core', () => {
    it('gives the same as Ansible, template by template and condition by condition', async () => {
      const script = fileURLToPath(new URL('ansible-templates.py', import.meta.url));
      const question = {
        variables: page.variables,
        templates: page.templates.map(({ theirs }) => theirs),
        conditions: page.conditions.map(({ theirs }) => theirs),
      };
      const { stdout, stderr } = spawnSync(await pythonOfAnsible(), [script], {
        input: JSON.stringify(question),
        encoding: 'utf8',
      });
      expect(stdout, stderr).not.to.equal('');
      const { templates, conditions } = JSON.parse(stdout) as { templates: unknown[]; conditions: unknown[] };
      for (const [i, row] of page.templates.entries())
        expect(plain(templates[i]), row.theirs).to.equal(plain(row.gives));
      for (const [i, row] of page.conditions.entries()) expect(conditions[i], row.theirs).to.equal(row.gives);
    });
  });
});

/** Ansible's templates give texts where ours give numbers. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The value of a scalar as a playbook would have it. */
function render(text: string, variables: Scope): unknown {
  const written = text.startsWith('!expr') ? text : JSON.stringify(text);
  const { root, diagnostics } = parseYaml({ path: 'page.yaml', text: written });
  if (!root) throw new Error(`${text}: ${diagnostics.map(({ message }) => message).join()}`);
  return compileNode(root, createCompileCache()).render(variables);
}

function pageOf(text: string): Page {
  const block = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);
  return {
    playbooks: block('yaml'),
    variables: parse(block('yaml variables')[0] ?? '{}') as Scope,
    templates: rowsUnder(text, 'Templates'),
    conditions: rowsUnder(text, 'Conditions'),
    modules: cellsUnder(text, 'Modules').flatMap(([, ours = '']) =>
      [...beforeDetails(ours).matchAll(/`([a-z-]+)`/g)].map(([, n = '']) => n),
    ),
  };
}

/** The names of modules, without those of their arguments. */
function beforeDetails(cell: string): string {
  return cell.split(/: |, with |, as | with |, or /)[0] ?? '';
}

function rowsUnder(text: string, title: string): Row[] {
  const code = (cell = ''): string => cell.replace(/^`|`$/g, '').replaceAll('\\|', '|');
  return cellsUnder(text, title).map(([theirs, ours, gives]) => {
    const result = code(gives);
    // A text that YAML would read as something else, or cut, stands for itself.
    const isText = !/^(\d+|true|false|\[.*\])$/.test(result);
    return { theirs: code(theirs), ours: code(ours), gives: isText ? result : (parse(result) as unknown) };
  });
}

/** The cells of the table under a heading, without its head. */
function cellsUnder(text: string, title: string): string[][] {
  const section = text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

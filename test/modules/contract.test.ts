import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parseDocument } from 'yaml';
import { createValidator } from '../../engine/module/arguments.ts';
import type { ModuleDefinition } from '../../engine/module/contract.ts';
import { loneArgumentOf } from '../../engine/module/lone-argument.ts';
import type { Schema } from '../../engine/module/schema.ts';
import { builtInModules } from '../../modules/index.ts';

const folder = new URL('../../modules/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts');

describe('every built-in module', () => {
  it('is in the list of them', () => {
    expect(builtInModules.map(({ name }) => `${name}.ts`)).to.have.members(files);
  });

  for (const file of files) {
    describe(file, () => {
      let module: ModuleDefinition;

      before(async () => {
        const exports = (await import(new URL(file, folder).href)) as Record<string, unknown>;
        expect(Object.keys(exports), 'exports').to.deep.equal(['default']);
        // The next test looks at what it is.
        module = exports.default as ModuleDefinition;
      });

      it('is a definition with the name of its file', () => {
        expect(module.kind).to.be.oneOf(['resource', 'action', 'lease']);
        expect(`${module.name}.ts`).to.equal(file);
        expect(module.name).to.match(/^[a-z]+(-[a-z]+)*$/);
      });

      it('says in one line what it does', () => {
        expect(module.summary).to.match(/^[A-Z][^\n]*[^.\n]$/);
        expect(module.summary.length).to.be.lessThan(100);
      });

      it('has a schema that compiles and refuses a value that is no argument', () => {
        const mistakes = createValidator().check(module.schema, { 'no such argument!': 1 });
        if (module.schema.additionalProperties === false) {
          expect(mistakes.map((m) => m.message)).to.include('unknown argument "no such argument!"');
        }
      });

      it('describes every argument', () => {
        expect([...undescribed(module.schema, [])]).to.deep.equal([]);
        for (const name of Object.keys(module.schema.properties))
          expect(name).to.match(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      });

      it('has examples that can be pasted', () => {
        const document = parseDocument(module.examples ?? '', { logLevel: 'error' });
        expect(document.errors).to.deep.equal([]);
        const tasks = document.toJS() as Record<string, unknown>[];
        expect(tasks, 'a list of tasks').to.be.an('array').that.is.not.empty;
        for (const task of tasks) checkExample(module, task);
      });

      it('imports nothing of the engine but its public API', async () => {
        const text = await readFile(new URL(file, folder), 'utf8');
        const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
        const others = imports.filter((name) => name.includes('engine/') && name !== '../engine/index.ts');
        expect(others).to.deep.equal([]);
      });
    });
  }
});

/** Paths of the properties without a description. */
function* undescribed(schema: Schema, path: readonly string[]): Generator<string> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = [...path, name];
    if (!property.description) yield at.join('.');
    yield* undescribed(property, at);
    if (property.items) yield* undescribed(property.items, at);
  }
}

function checkExample(module: ModuleDefinition, task: Record<string, unknown>): void {
  // A lease stands under the `lease:` of a block, an action or resource in a task.
  const holder = 'lease' in task ? (task.lease as Record<string, unknown>) : task;
  expect(holder, JSON.stringify(task)).to.have.property(module.name);
  const written = structuredClone(holder[module.name]) as Record<string, unknown> | string;
  const args = typeof written === 'string' ? { [loneArgumentOf(module) ?? '']: written } : written;
  const skip = new Set(Object.keys(args).filter((name) => JSON.stringify(args[name]).includes('{{')));
  expect(createValidator().check(module.schema, args, skip)).to.deep.equal([]);
  if (skip.size === 0) expect(module.check?.(args as never) ?? []).to.deep.equal([]);
}

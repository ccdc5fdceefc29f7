import { expect } from 'chai';
import { moduleDoc, typeName } from '../../engine/cli/module-doc.ts';
import { defineAction } from '../../engine/module/contract.ts';
import type { Schema } from '../../engine/module/schema.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { runCli } from '../support/cli.ts';

describe('runbook modules', () => {
  it('lists name, kind and summary', async () => {
    const { exitCode, stdout } = await runCli(['modules']);
    expect(exitCode).to.equal(0);
    expect(stdout)
      .to.match(/^assert +action +Fails/m)
      .and.to.match(/^kubectl-drain +lease +/m);
  });

  it('gives the same to programs', async () => {
    const { stdout } = await runCli(['modules', '--output', 'json']);
    const list = JSON.parse(stdout) as { name: string }[];
    expect(list.find((m) => m.name === 'file')).to.include({ kind: 'resource', origin: 'built-in' });
  });
});

describe('runbook doc', () => {
  it('says which facts a change makes untrue', async () => {
    const { stdout } = await runCli(['doc', 'tar-install']);
    expect(stdout).to.match(
      /^Facts\n {2}A change makes these facts be gathered anew .*:\s+container_runtimes,\s+kubelet\.$/m,
    );
    const asJson = await runCli(['doc', 'tar-install', '--output', 'json']);
    expect((JSON.parse(asJson.stdout) as { invalidates: string[] }).invalidates).to.include('kubelet');
  });

  it('explains a module from its definition', () => {
    const module = defineAction({
      name: 'greet',
      summary: 'Says hello',
      description: 'Politely.\n',
      schema: {
        type: 'object',
        additionalProperties: false,
        required: ['who'],
        properties: {
          who: { type: 'string', description: 'Whom to greet' },
          times: { type: 'integer', default: 1, description: 'How often' },
          cards: {
            type: 'array',
            items: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
          },
        },
      },
      examples: '- greet:\n    who: you\n',
      run: async () => ({}),
    });
    expect(moduleDoc(module, 'built-in', { paint: createPaint(false), columns: 80 })).to.equal(`greet: Says hello
action: computes, checks or waits; changes no host, runs in check mode too (built-in)

Politely.

Arguments
  who  string, required
      Whom to greet
  times  integer, default 1
      How often
  cards  list of map
      text  string, required

A lone text is who: "greet: …".

Examples
  - greet:
      who: you
`);
  });

  const types: [Schema, string][] = [
    [{ type: 'string' }, 'string'],
    [{ type: 'string', format: 'expression' }, 'expression (CEL)'],
    [{ enum: ['started', 'stopped', false] }, 'started | stopped | false'],
    [{ type: 'array', items: { type: 'string' } }, 'list of string'],
    [{ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }, 'string or list of string'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'map of string'],
    [{}, 'any'],
  ];
  for (const [schema, name] of types) {
    it(`calls ${JSON.stringify(schema)} "${name}"`, () => {
      expect(typeName(schema)).to.equal(name);
    });
  }

  it('explains a built-in module, to people and to programs', async () => {
    const { stdout } = await runCli(['doc', 'file', '--output', 'json']);
    expect(JSON.parse(stdout)).to.include({ name: 'file', kind: 'resource' }).and.to.have.property('schema');
    expect((await runCli(['doc', 'file'])).stdout).to.match(/^file: .*\n[^]*Arguments\n[^]*path {2}string/);
  });
});

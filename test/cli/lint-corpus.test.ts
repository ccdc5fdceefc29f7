import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { lint } from '../support/lint.ts';

/**
 * What users read about their mistakes, word for word, with the real modules. A case is a title, perhaps a line `$ ARGUMENTS`
 * of `runbook lint`, the playbook, further files after `>>> NAME`, and the expected text after `--- `. `UPDATE_GOLDEN=1`
 * writes what is said now: read the difference before you commit it.
 */
const folder = new URL('../fixtures/lint/', import.meta.url);
const inventory = '[web]\nh1\nh2\n[db]\nd1\n[all:vars]\nport=80\n';

interface Case {
  readonly title: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expected: string;
}

for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
  const fixture = new URL(name, folder);
  const cases = readFileSync(fixture, 'utf8').split(/^=== /m).slice(1).map(parseCase);
  describe(`runbook lint explains: ${name.replace('.txt', '')}`, () => {
    const written: string[] = [];
    for (const { title, args, input, files, expected } of cases) {
      it(title, async () => {
        const { text, exitCode } = await lint({ 'hosts.ini': inventory, ...files }, args);
        const actual = text.trimEnd();
        written.push(`=== ${title}\n${input}--- \n${actual}\n`);
        expect(exitCode, actual).to.be.oneOf([0, 5]);
        if (process.env.UPDATE_GOLDEN === undefined) expect(actual).to.equal(expected);
      });
    }
    after(() => {
      if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(fixture, written.join('\n'));
    });
  });
}

function parseCase(text: string): Case {
  const [title = '', ...lines] = text.split('\n');
  const [input = '', expected = ''] = lines.join('\n').split(/^--- $\n?/m);
  const options = /^\$ (.*)\n/.exec(input);
  const [playbook = '', ...others] = input.slice(options?.[0].length ?? 0).split(/^>>> /m);
  const files = Object.fromEntries(
    others.map((file) => {
      const end = file.indexOf('\n');
      return [file.slice(0, end), file.slice(end + 1)];
    }),
  );
  const args = (options?.[1] ?? 'play.yaml -i hosts.ini').split(' ');
  return { title, args, input, files: { 'play.yaml': playbook, ...files }, expected: expected.trimEnd() };
}

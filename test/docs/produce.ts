import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runbookCommand } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';
import { createNormaliser } from './normalise.ts';
import type { Command, DocSection, Part, Setting, ShownFile } from './section.ts';

/** Runs a section's commands for real and gives the section as Markdown. */
export function produceSection(section: DocSection): Promise<string> {
  return withTemporaryFolder(async (base) => {
    const folder = join(base, 'site');
    await mkdir(folder);
    await using setting = (await section.setup?.(folder)) ?? noSetting;
    const bench = await createBench(base, folder, setting, section);
    await writeFiles(folder, bench.named(section.files ?? {}));
    const blocks: string[] = [];
    for (const part of section.parts) blocks.push(...(await blocksOf(part, bench)));
    return [`## ${section.title}`, ...blocks].join('\n\n');
  });
}

interface Bench {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Puts the values of `@NAME@` in. */
  named<T>(value: T): T;
  /** What the page has for an output. */
  steady(text: string): string;
}

async function createBench(base: string, folder: string, setting: Setting, section: DocSection): Promise<Bench> {
  const home = join(base, 'home');
  await mkdir(join(base, 'bin'));
  await mkdir(home);
  await writeFile(
    join(base, 'bin', 'runbook'),
    `#!/bin/sh\nexec ${runbookCommand.map((word) => `'${word}'`).join(' ')} "$@"\n`,
  );
  await chmod(join(base, 'bin', 'runbook'), 0o755);
  const names = Object.entries(setting.names ?? {});
  const normalise = createNormaliser([folder, base]);
  const fill = (text: string): string => names.reduce((t, [name, value]) => t.replaceAll(`@${name}@`, value), text);
  return {
    folder,
    env: {
      PATH: `${join(base, 'bin')}:${process.env.PATH ?? ''}`,
      HOME: home,
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      ...setting.env,
    },
    // What JSON makes of a value is one of the same shape.
    named: (value) => JSON.parse(fillJson(JSON.stringify(value), fill)) as typeof value,
    steady(text) {
      const shown = names.reduce((t, [name, value]) => t.replaceAll(value, name), text);
      return (section.steady ?? []).reduce((t, [pattern, by]) => t.replace(pattern, by), normalise(shown));
    },
  };
}

function fillJson(json: string, fill: (text: string) => string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, (text) => JSON.stringify(fill(JSON.parse(text) as string)));
}

async function blocksOf(part: Part, bench: Bench): Promise<string[]> {
  if (typeof part === 'string') return [part.trim()];
  if ('file' in part) return [await shownFile(part, bench)];
  if ('run' in part) return shownCommand(part, bench);
  await part.act(bench.folder);
  return [];
}

async function shownFile({ file, select }: ShownFile, { folder, steady }: Bench): Promise<string> {
  const text = await readFile(join(folder, file), 'utf8');
  const language = /\.ya?ml$/.test(file) ? 'yaml' : /\.ts$/.test(file) ? 'ts' : '';
  return fence(language, `# ${file}\n${steady(select?.(text) ?? text)}`);
}

async function shownCommand(command: Command, bench: Bench): Promise<string[]> {
  const { status = 0 } = command;
  const ran = await runLine(command, bench);
  if (ran.status !== status) {
    throw new Error(`${command.run}: exit status ${ran.status}, not ${status}\n${ran.text}`);
  }
  if (command.isHidden) return [];
  const output = bench.steady(command.select?.(ran.text) ?? ran.text).trimEnd();
  const lines = [`$ ${bench.steady(command.run)}`, ...(output === '' ? [] : [output])];
  if (status !== 0 && status !== null) lines.push('$ echo $?', String(status));
  return [fence('console', lines.join('\n'))];
}

function runLine(command: Command, bench: Bench): Promise<{ status: number | null; text: string }> {
  const line = bench.named(command.run);
  // Without `exec` a signal would end the shell and not what it runs.
  const script = command.onLine ? `exec ${line}` : line;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: bench.folder,
      env: { ...bench.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    createInterface(child.stdout).on('line', (text) => {
      stdout += `${text}\n`;
      command.onLine?.(text, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, text: stdout + stderr }));
  });
}

/** Longer than any run of backticks inside. */
function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${language}\n${text.trimEnd()}\n${ticks}`;
}

const noSetting: Setting = { [Symbol.asyncDispose]: async () => {} };

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { errorMessage } from '../engine/base/errors.ts';
import type { Bench, Case, CaseResult, Skipped } from './case.ts';
import { currentLoad, describeMachine, type Machine } from './machine.ts';
import type { PeerName } from './peers/peer.ts';
import { installPeers, missingPeers } from './peers/peers.ts';
import { caseText, isGood, type KeptCase, performancePage, type Report } from './report.ts';
import { suites } from './suites.ts';
import { withLab } from './targets/lab.ts';

const usage = `Usage: npm run bench -- [SUITE ...] [options]

Measures runbook beside Ansible, Mitogen and scripts over ssh, which are installed from Debian where that is possible.
Suites: ${Object.keys(suites).join(', ')}; without one all of them. \`hosts\` needs root and sshd, and boots the lab for some
of its cases unless it is up already.

  --smoke            small inputs and one run, with the tools and the lab that are there: shows in two minutes that the
                     benchmarks work, and judges the goals that are counts
  --all              what is left out is a failure in a smoke run, too
  --runs N           how often a program is run, unless its case says otherwise (default 5)
  --case ID          only this case: ${Object.values(suites)
    .flat()
    .map(({ id }) => id)
    .join(', ')}
  --runbook FILE     the program to measure (default bin/runbook.cjs)
  --keep             keep the numbers of 5 runs or more as bench/results/SUITE.json and write docs/performance.md from them

Exit status 1 when a goal is missed, a tool did not do its work, a case failed, or something was left out.
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const results = join(root, 'bench', 'results');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    case: { type: 'string' },
    runbook: { type: 'string', default: join(root, 'bin', 'runbook.cjs') },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    console.error('stopping: what was started is ended first');
    interrupt.abort();
  });
}
const names = positionals.length > 0 ? positionals : Object.keys(suites);
/** What cannot be judged is not met; a smoke run judges what is there. */
const mayLeaveOut = values.smoke && !values.all;
const mistake = mistakeIn();
if (values.help || mistake !== undefined) {
  console.log(mistake === undefined ? usage : `${mistake}\n\n${usage}`);
  process.exitCode = values.help ? 0 : 2;
} else {
  if (!values.smoke) {
    await beAlone();
    installPeers();
  }
  const leftOut = missingPeers();
  if (leftOut.size > 0 && !mayLeaveOut) process.exitCode = 1;
  const machine = describeMachine();
  try {
    for (const name of names) await runSuite(name, machine, leftOut);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    if (error !== interrupt.signal.reason) console.error(errorMessage(error));
    process.exitCode = 130;
  }
}

function mistakeIn(): string | undefined {
  const unknown = positionals.filter((name) => !(name in suites));
  if (unknown.length > 0) return `no suite ${unknown.join(', ')}`;
  const ids = names.flatMap((name) => (suites[name] ?? []).map(({ id }) => id));
  if (values.case !== undefined && !ids.includes(values.case)) return `no case ${values.case} in ${names.join(', ')}`;
  const runs = Number(values.runs);
  if (!(Number.isInteger(runs) && runs > 0)) return '--runs must be 1 or more';
  if (values.keep && runs < 5) return 'the numbers of fewer than 5 runs are not kept';
  return values.smoke && values.keep ? 'the times of a smoke run mean nothing: they are not kept' : undefined;
}

/** Two benchmarks at a time would measure each other. The name is in the kernel, and goes with this process (unix(7)). */
async function beAlone(): Promise<void> {
  const lock = createServer().listen('\0runbook-bench').unref();
  await once(lock, 'listening').catch(() => {
    console.error('another benchmark runs on this machine: wait for its end');
    process.exit(2);
  });
}

async function runSuite(suite: string, machine: Machine, leftOut: LeftOut): Promise<void> {
  // A signal that came while something was installed is told now.
  await setImmediate();
  interrupt.signal.throwIfAborted();
  const cases: KeptCase[] = [];
  const chosen = (suites[suite] ?? []).filter(({ id }) => values.case === undefined || values.case === id);
  const measure = async (some: readonly Case[]): Promise<void> => {
    for (const one of some) {
      const load = values.smoke ? 0 : await currentLoad();
      interrupt.signal.throwIfAborted();
      const result = await runCase(one, leftOut);
      interrupt.signal.throwIfAborted();
      if ('skipped' in result) {
        console.log(`${one.id}: left out, ${result.skipped}\n`);
        if (!mayLeaveOut) process.exitCode = 1;
        continue;
      }
      if (!isGood(result)) process.exitCode = 1;
      const date = new Date().toISOString().slice(0, 10);
      cases.push({ id: one.id, date, machine, commit: commitNow(), ...result, load });
      // At once: all suites take hours.
      if (values.keep) await keep(suite, cases);
      console.log(caseText(result));
    }
  };
  // Nodes that run beside the others would take their time. A smoke run takes the lab that is up, or does without.
  const onNodes = chosen.filter(({ needsLab }) => needsLab);
  if (onNodes.length > 0 && !values.smoke) await withLab(() => measure(onNodes));
  else await measure(onNodes);
  await measure(chosen.filter(({ needsLab }) => !needsLab));
  if (values.smoke || values.keep || cases.length === 0) return;
  await writeReport(`${suite}-${Date.now()}.json`, { suite, cases });
}

/** Of the checkout that is measured; with a plus where it has changes. */
function commitNow(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--', 'bin', 'engine', 'modules') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

async function keep(suite: string, cases: readonly KeptCase[]): Promise<void> {
  await writeReport(`${suite}.json`, { suite, cases: await withKept(suite, cases) });
  await writePage();
}

async function writeReport(name: string, report: Report): Promise<void> {
  await mkdir(results, { recursive: true });
  const unfinished = join(results, `.${name}`);
  await writeFile(unfinished, `${JSON.stringify(report, undefined, 2)}\n`);
  await rename(unfinished, join(results, name));
}

/** A case that fails is told and left out, so that an hour of others is not lost. Ctrl-C ends them all. */
async function runCase(one: Case, leftOut: LeftOut): Promise<CaseResult | Skipped> {
  const folder = await mkdtemp(join(tmpdir(), 'runbook-bench-'));
  try {
    await writeFile(join(folder, 'ansible.cfg'), '[defaults]\n');
    const result = await one.run(benchIn(folder, leftOut));
    if ('skipped' in result || !values.smoke) return result;
    return { ...result, goals: result.goals.filter(({ isCount }) => isCount) };
  } catch (error) {
    interrupt.signal.throwIfAborted();
    process.exitCode = 1;
    return { skipped: `for it failed: ${error instanceof Error ? error.stack : String(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The cases in the order of the suite: those that were measured now, and of the others what is kept. */
async function withKept(suite: string, measured: readonly KeptCase[]): Promise<KeptCase[]> {
  const all = [...measured, ...((await keptReport(suite))?.cases ?? [])];
  return (suites[suite] ?? []).flatMap(({ id }) => all.find((one) => one.id === id) ?? []);
}

async function keptReport(suite: string): Promise<Report | undefined> {
  const text = await readFile(join(results, `${suite}.json`), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Report);
}

/** Who does not take part, with why. */
type LeftOut = ReadonlyMap<PeerName, string>;

function benchIn(folder: string, leftOut: LeftOut): Bench {
  const runbook = resolve(values.runbook);
  // Nothing of the user's own settings counts, and nothing of theirs is touched.
  const env = {
    ANSIBLE_CONFIG: join(folder, 'ansible.cfg'),
    ANSIBLE_LOCAL_TEMP: join(folder, '.ansible'),
    ANSIBLE_NOCOLOR: '1',
  };
  return {
    scale: { isSmoke: values.smoke, runs: values.smoke ? 1 : Number(values.runs) },
    signal: interrupt.signal,
    folder,
    runbookProgram: runbook,
    runbook: (args) => ({ file: process.execPath, args: [runbook, ...args], cwd: folder }),
    ansible: leftOut.has('Ansible') ? undefined : (program, args) => ({ file: program, args, cwd: folder, env }),
    whyLeftOut: (peer) => leftOut.get(peer),
  };
}

async function writePage(): Promise<void> {
  const reports = await Promise.all(Object.keys(suites).map(keptReport));
  await writeFile(
    join(root, 'docs', 'performance.md'),
    performancePage(reports.filter((report) => report !== undefined)),
  );
}

import type { CaseResult, Goal, ToolResult } from './case.ts';
import type { Machine } from './machine.ts';

/** A case as it is kept. */
export interface KeptCase extends CaseResult {
  readonly id: string;
  /** Of the machine, just before the case. */
  readonly load: number;
}

/** Everything that one run of the benchmarks found out. */
export interface Report {
  readonly suite: string;
  /** `2026-11-21`. */
  readonly date: string;
  readonly machine: Machine;
  readonly cases: readonly KeptCase[];
}

/** The page docs/performance.md, from the reports that are kept in bench/results/. */
export function performancePage(reports: readonly Report[]): string {
  return [
    '# Performance',
    '',
    'Made by `npm run bench -- SUITE --keep` from the numbers in `bench/results/`. Ratios are of runs beside each other on the',
    'same machine; the numbers alone depend on it. A case is run several times: the median, and in brackets the least and the',
    'most.',
    '',
    ...reports.flatMap(sectionOf),
  ].join('\n');
}

function sectionOf({ suite, date, machine, cases }: Report): string[] {
  return [
    `## ${suite.replace(/^./, (c) => c.toUpperCase())}`,
    '',
    `${date}: ${machine.processors} × ${machine.processor}, ${machine.memoryGb} GiB; ${machine.system}, Linux ${machine.kernel};`,
    `Node ${machine.node}${machine.ansible === undefined ? '' : `, ansible-core ${machine.ansible}`}.`,
    '',
    ...cases.flatMap((one) => caseLines(one, machine)),
  ];
}

function disturbance(load: number, { processors }: Machine): string {
  return load < processors / 2 ? '' : ` The machine was busy (load ${load}): wall times are longer than they need be.`;
}

function caseLines(one: KeptCase, machine: Machine): string[] {
  const { title, input, metric, runbook, ansible, goals } = one;
  const cells = (name: string, { value, measurement: m }: ToolResult): string =>
    `| ${name} | ${formatNumber(value)} ${metric.unit} | ${spread(m.wallMs)} ms | ${spread(m.cpuMs)} ms | ${spread(m.peakMb)} MiB | ${m.runs} |`;
  return [
    `### ${title}`,
    '',
    `${input.replace(/^./, (c) => c.toUpperCase())}.${disturbance(one.load, machine)}`,
    '',
    `| | ${metric.name} | wall time of a run | CPU time of a run | peak memory | runs |`,
    '|---|---|---|---|---|---|',
    cells('runbook', runbook),
    ...(ansible ? [cells('Ansible', ansible), `| ratio | ${ratioOf(runbook, ansible)} | | | | |`] : []),
    '',
    ...goals.map((goal) => `- ${goalText(goal)}`),
    ...[runbook, ...(ansible ? [ansible] : [])].map(({ command }) => `- \`${command}\``),
    '',
  ];
}

/** What is shown on the terminal: one line a tool, one line a goal. */
export function caseText({ title, input, metric, runbook, ansible, goals }: CaseResult): string {
  const line = (name: string, { value, measurement: m }: ToolResult): string =>
    `  ${name.padEnd(8)} ${formatNumber(value).padStart(9)} ${metric.unit}   wall ${spread(m.wallMs)} ms, CPU ${spread(m.cpuMs)} ms, ${spread(m.peakMb)} MiB`;
  return [
    `${title}: ${input}`,
    line('runbook', runbook),
    ...(ansible ? [line('Ansible', ansible), `  ratio    ${ratioOf(runbook, ansible)}`] : []),
    ...goals.map((goal) => `  goal     ${goalText(goal)}`),
    '',
  ].join('\n');
}

/** True when a goal is met. */
export function isMet({ actual, limit }: Goal): boolean {
  return actual <= limit;
}

function goalText(goal: Goal): string {
  const { what, limit, actual, unit } = goal;
  return `${what} at most ${formatNumber(limit)} ${unit}: ${isMet(goal) ? 'met' : 'missed'} (${formatNumber(actual)} ${unit})`;
}

function ratioOf(runbook: ToolResult, ansible: ToolResult): string {
  return `1 : ${formatNumber(ansible.value / runbook.value)}`;
}

function spread({ median, min, max }: { median: number; min: number; max: number }): string {
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three digits say all that such numbers can. */
function formatNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { useGrouping: false, maximumFractionDigits: 3 });
}

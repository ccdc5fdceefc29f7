import type { CaseResult, Goal, ToolResult } from './case.ts';
import type { Counts } from './counting/counts.ts';
import type { Machine } from './machine.ts';

/** A case as it is kept. Its tools ran beside each other; another case may have been measured on another machine. */
export interface KeptCase extends CaseResult {
  readonly id: string;
  /** `2026-11-21`. */
  readonly date: string;
  readonly machine: Machine;
  /** Of runbook; with a plus where it was changed since. */
  readonly commit?: string;
  /** How many processors were busy just before the case. */
  readonly load: number;
}

/** What is kept of a suite. */
export interface Report {
  readonly suite: string;
  readonly cases: readonly KeptCase[];
}

/** The page docs/performance.md, from the reports that are kept in bench/results/. */
export function performancePage(reports: readonly Report[]): string {
  return [
    '# Performance',
    '',
    'Made by `npm ci && npm run bench -- --keep`, as root on Debian, in four hours, from the numbers in `bench/results/`. The',
    'tools run in turns on the same machine, with as many hosts at a time, and with the same input unless a case says otherwise;',
    'the numbers alone depend on the machine, the ratios less so. Given are the median, and in brackets the least and the most of',
    'the runs. Cases that were measured on different machines cannot be compared with each other.',
    '',
    '- **Targets** share the processors of the controller: what a tool has its targets do takes its own time, too.',
    '- **runbook** finds what V8 compiled of it in its cache, as it does after its first run.',
    '- **CPU time** is that of the controller: the program, what it started, and connections that it left open.',
    '- **Peak memory** is what the program had resident, or, where that was more, what it and its children had together; children',
    '  are sampled, and memory that they share counts once.',
    '- **ssh** is a script written by hand that looks before it changes something, sent to `sh -s` of each host. With **ControlMaster**',
    '  the connections are there before the run begins and do not count: nothing that has to log in can be faster. Three cases on',
    '  lab nodes show by how much.',
    '- **Ansible** and Mitogen gather no facts, as runbook gathers none, and are told which Python to use.',
    '- **A run of Ansible logs in anew**: the connections that it would keep for a minute are ended between two runs.',
    '- **Counting** is done in runs of its own, one through a proxy that delays each direction by 10 ms, and one under `strace`;',
    '  their time does not count. A round trip is bytes to a host and then bytes from it; bytes are those on the wire. Both are counted from',
    '  the moment on in which sshd says that the user is logged in, so that opening a channel and starting a shell count, too.',
    '',
    ...reports.flatMap(sectionOf),
  ].join('\n');
}

function sectionOf({ suite, cases }: Report): string[] {
  const machines = [...new Set(cases.map(({ machine }) => machineText(machine)))];
  return [
    `## ${suite.replace(/^./, (c) => c.toUpperCase())}`,
    '',
    ...machines.map((text, i) => `- **Machine ${i + 1}**: ${text}`),
    '',
    ...cases.flatMap((one) => caseLines(one, machines.indexOf(machineText(one.machine)) + 1)),
  ];
}

function machineText(machine: Machine): string {
  const tools = [
    `Node ${machine.node}`,
    ...(machine.ansible === undefined ? [] : [`ansible-core ${machine.ansible}`]),
    ...(machine.mitogen === undefined ? [] : [`Mitogen ${machine.mitogen}`]),
    ...(machine.ssh === undefined ? [] : [machine.ssh]),
  ];
  const hardware = `${machine.processors} × ${machine.processor}, ${machine.memoryGb} GiB`;
  return `${hardware}; ${machine.system}, Linux ${machine.kernel}; ${tools.join(', ')}`;
}

function disturbance(load: number, { processors }: Machine): string {
  return load < processors / 4 ? '' : ` The machine was busy (load ${load}): wall times are longer than they need be.`;
}

function caseLines(one: KeptCase, machineNumber: number): string[] {
  const { title, input, metric, tools, goals, notes, date, machine } = one;
  const cells = (result: ToolResult): string => {
    const { tool, value, measurement: m } = result;
    const figures = [`${formatNumber(value)} ${metric.unit}`, ratioTo(tools, result), `${spread(m.wallMs)} ms`];
    return `| ${[tool, ...figures, `${spread(m.cpuMs)} ms`, `${spread(m.peakMb)} MiB`, m.runs].join(' | ')} |`;
  };
  return [
    `### ${title}`,
    '',
    `${input.replace(/^./, (c) => c.toUpperCase())}. ${date}, machine ${machineNumber}${one.commit === undefined ? '' : `, commit ${one.commit}`}.${disturbance(one.load, machine)}`,
    '',
    `| | ${metric.name} | ratio | wall time of a run | CPU time of a run | peak memory | runs |`,
    '|---|---|---|---|---|---|---|',
    ...tools.map(cells),
    '',
    ...countLines(tools),
    ...goals.map((goal) => `- ${goalText(goal)}`),
    ...incomplete(tools).map((text) => `- ${text}`),
    ...notes.map((note) => `- ${note}`),
    ...tools.map(({ command }) => `- \`${command}\``),
    '',
  ];
}

function incomplete(tools: readonly ToolResult[]): string[] {
  return tools.flatMap(({ tool, isIncomplete }) =>
    isIncomplete ? [`After the last run of ${tool} runbook finds something left to do: it did other work`] : [],
  );
}

function countLines(tools: readonly ToolResult[]): string[] {
  const rows = tools.flatMap(({ tool, counts }) => (counts === undefined ? [] : [countCells(tool, counts)]));
  if (rows.length === 0) return [];
  return [
    '| | logins | round trips of a host | bytes to a host | bytes from a host | processes on the controller | processes on a host | hosts |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ];
}

function countCells(tool: string, counts: Counts): string {
  const figures = [counts.logins, counts.roundTrips, counts.sentBytes, counts.receivedBytes];
  const all = [...figures, counts.controllerProcesses, counts.targetProcesses, counts.hosts];
  return `| ${[tool, ...all.map((figure) => (figure === undefined ? '?' : formatNumber(figure)))].join(' | ')} |`;
}

/** What is shown on the terminal: a line or two a tool, one line a goal. */
export function caseText({ title, input, metric, tools, goals, notes }: CaseResult): string {
  const width = Math.max(...tools.map(({ tool }) => tool.length));
  const lines = (result: ToolResult): string[] => {
    const { tool, value, measurement: m, counts } = result;
    const spreads = `wall ${spread(m.wallMs)} ms, CPU ${spread(m.cpuMs)} ms, ${spread(m.peakMb)} MiB, ${m.runs} runs`;
    const figure = `${formatNumber(value).padStart(9)} ${metric.unit} ${ratioTo(tools, result).padStart(9)}`;
    return [
      `  ${tool.padEnd(width)} ${figure}   ${spreads}`,
      ...(counts === undefined ? [] : [`  ${' '.repeat(width)} ${countText(counts)}`]),
    ];
  };
  return [
    `${title}: ${input}`,
    ...tools.flatMap(lines),
    ...goals.map((goal) => `  goal: ${goalText(goal)}`),
    ...[...incomplete(tools), ...notes].map((note) => `  note: ${note}`),
    '',
  ].join('\n');
}

function countText(counts: Counts): string {
  const { logins, roundTrips, sentBytes, receivedBytes, controllerProcesses, targetProcesses, hosts } = counts;
  const wire = `${formatNumber(roundTrips)} round trips, ${formatNumber(sentBytes)} B to and ${formatNumber(receivedBytes)} B from a host`;
  const processes = [controllerProcesses, targetProcesses].map((n) => (n === undefined ? '?' : formatNumber(n)));
  return `${wire}; ${processes[0]} processes on the controller, ${processes[1]} on a host; ${logins} logins, ${hosts} hosts`;
}

/** True when a goal is met. */
export function isMet({ actual, limit, bound }: Goal): boolean {
  return bound === 'at most' ? actual <= limit : actual >= limit;
}

/** True when all goals of a case are met, and every tool did the work. */
export function isGood({ goals, tools }: Pick<CaseResult, 'goals' | 'tools'>): boolean {
  return goals.every(isMet) && !tools.some(({ isIncomplete }) => isIncomplete);
}

function goalText(goal: Goal): string {
  const { what, bound, limit, actual, unit } = goal;
  const withUnit = (value: number): string => [formatNumber(value), unit].filter(Boolean).join(' ');
  return `${what} ${bound} ${withUnit(limit)}: ${isMet(goal) ? 'met' : 'missed'} (${withUnit(actual)})`;
}

/** How a tool compares with runbook, which is the first; with what is too little to be measured nothing compares. */
function ratioTo(tools: readonly ToolResult[], { value }: ToolResult): string {
  const ofRunbook = tools[0]?.value ?? 0;
  return ofRunbook === 0 ? '-' : `1 : ${formatNumber(value / ofRunbook)}`;
}

function spread({ median, min, max }: { median: number; min: number; max: number }): string {
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three digits say all that such numbers can. */
function formatNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { useGrouping: false, maximumFractionDigits: 3 });
}

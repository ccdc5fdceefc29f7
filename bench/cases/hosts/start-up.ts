import type { Case, ToolResult } from '../../case.ts';
import { within } from '../../goals.ts';
import { type Command, measureInTurns } from '../../measure.ts';

/** How long it takes until a program that has nothing to do is done. */
export const startUp: Case = {
  id: 'start-up',
  async run(bench) {
    // A tenth of a second is soon told, and differs from run to run.
    const runs = bench.scale.runs * (bench.scale.isSmoke ? 1 : 4);
    const node: Command = { file: process.execPath, args: ['-e', '0'], cwd: bench.folder };
    const programs: readonly (readonly [tool: string, shown: string, command: Command])[] = [
      ['runbook', 'runbook --version', bench.runbook(['--version'])],
      ['Node alone', 'node -e 0', node],
      ...(bench.ansible ? [['Ansible', 'ansible --version', bench.ansible('ansible', ['--version'])] as const] : []),
    ];
    const measured = await measureInTurns(programs.map(([, , command]) => ({ command, runs })));
    const tools = measured.map((measurement, i): ToolResult => {
      const [tool, command] = programs[i] ?? ['', ''];
      return { tool, command, measurement, value: measurement.wallMs.median };
    });
    return {
      title: 'Start-up',
      input: 'no work at all',
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: within(tools, 'Node alone', 2),
      notes: [],
    };
  },
};

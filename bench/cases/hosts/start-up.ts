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
    const version = ['--version'];
    const measured = await measureInTurns([
      { tool: 'runbook', shown: 'runbook --version', command: bench.runbook(version), runs },
      { tool: 'Node alone', shown: 'node -e 0', command: node, runs },
      ...(bench.ansible
        ? [{ tool: 'Ansible', shown: 'ansible --version', command: bench.ansible('ansible', version), runs }]
        : []),
    ]);
    const tools = measured.map(
      ({ program: { tool, shown }, measurement }): ToolResult => ({
        tool,
        command: shown,
        measurement,
        value: measurement.wallMs.median,
      }),
    );
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

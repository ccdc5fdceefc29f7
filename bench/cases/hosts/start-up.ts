import { type Case, type ToolResult, tookPart } from '../../case.ts';
import { atMost } from '../../goals.ts';
import { type Command, measure } from '../../measure.ts';

/** How long it takes until a program that has nothing to do is done. */
export const startUp: Case = {
  id: 'start-up',
  async run(bench) {
    // A tenth of a second is soon told, and differs from run to run.
    const runs = bench.scale.runs * (bench.scale.isSmoke ? 1 : 4);
    const toolOf = async (tool: string, command: string, program: Command): Promise<ToolResult> => {
      const measurement = await measure(program, runs);
      return { tool, command, measurement, value: measurement.wallMs.median };
    };
    const node: Command = { file: process.execPath, args: ['-e', '0'], cwd: bench.folder };
    const runbook = await toolOf('runbook', 'runbook --version', bench.runbook(['--version']));
    const bare = await toolOf('Node alone', 'node -e 0', node);
    const version = ['--version'];
    const ansible = bench.ansible && (await toolOf('Ansible', 'ansible --version', bench.ansible('ansible', version)));
    return {
      title: 'Start-up',
      input: 'no work at all',
      metric: { name: 'wall time', unit: 'ms' },
      tools: tookPart(runbook, bare, ansible),
      goals: atMost('the time of Node alone', 2, runbook.value / bare.value, 'times'),
      notes: [],
    };
  },
};

import type { Case } from '../../case.ts';
import { compareCommands } from '../../commands.ts';
import { within } from '../../goals.ts';
import type { Command } from '../../measure.ts';

/** How long it takes until a program that has nothing to do is done. */
export const startUp: Case = {
  id: 'start-up',
  async run(bench) {
    const node: Command = { file: process.execPath, args: ['-e', '0'], cwd: bench.folder };
    const version = ['--version'];
    const commands = [
      { tool: 'runbook', command: bench.runbook(version), shown: 'runbook --version' },
      { tool: 'Node alone', command: node, shown: 'node -e 0' },
      bench.ansible && { tool: 'Ansible', command: bench.ansible('ansible', version), shown: 'ansible --version' },
    ];
    // A tenth of a second is soon told, and differs from run to run.
    const tools = await compareCommands(bench, commands, bench.scale.runs * (bench.scale.isSmoke ? 1 : 4));
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

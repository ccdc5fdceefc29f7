import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../case.ts';
import { compareCommands } from '../commands.ts';
import { atMost } from '../goals.ts';

/** What a task costs the controller does not depend on how many there are, nor does its memory. The journal is kept, as it is for users. */
export const manyTasks: Case = {
  id: 'many-tasks',
  async run(bench) {
    const { folder, scale, runbook } = bench;
    const hosts = scale.isSmoke ? 5 : 200;
    const [few, many] = scale.isSmoke ? ([5, 50] as const) : ([100, 1000] as const);
    await writeFile(join(folder, 'hosts.ini'), `[all]\nnode[1:${hosts}]\n[all:vars]\nansible_connection=local\n`);
    const playing = async (count: number, tool: string) => {
      const tasks = Array.from({ length: count }, (_, i) => `    - debug: { message: "task ${i}" }\n`);
      const playbook = `${count}-tasks.yaml`;
      await writeFile(join(folder, playbook), `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks.join('')}`);
      const args = ['play', playbook, '-i', 'hosts.ini', '--output', 'plain'];
      return { tool, command: runbook(args), shown: `runbook ${args.join(' ')}` };
    };
    const results = await compareCommands(bench, [
      await playing(many, 'runbook'),
      await playing(few, `runbook, ${few} tasks`),
    ]);
    const tools = results.map((result, i) => ({
      ...result,
      value: (result.measurement.cpuMs.median * 1000) / (hosts * (i === 0 ? many : few)),
    }));
    const [ofMany, ofFew] = tools;
    const times = (of: (tool: NonNullable<typeof ofMany>) => number): number | undefined =>
      ofMany && ofFew && of(ofMany) / of(ofFew);
    return {
      title: 'Ten times as many tasks',
      input: `${many} tasks that ask nobody on ${hosts} hosts, against ${few}`,
      metric: { name: 'CPU time for each task and host', unit: 'µs' },
      tools,
      goals: [
        ...atMost(
          'CPU time for each task and host, against a tenth of the tasks,',
          1.2,
          times((t) => t.value),
          'times',
        ),
        ...atMost(
          'peak memory, against a tenth of the tasks,',
          1.2,
          times((t) => t.measurement.peakMb.median),
          'times',
        ),
      ],
      notes: [],
    };
  },
};

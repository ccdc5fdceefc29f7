import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Case, type ToolResult, tookPart } from '../case.ts';
import { type Command, measure } from '../measure.ts';

/**
 * What a task costs the controller on a host where its `when` does not hold: the CPU time of a run with many such tasks, less
 * that of a run with one, for each task on each host. No host is ever contacted.
 */
export const skippedTask: Case = {
  id: 'skipped-task',
  async run(bench) {
    const ofRunbook = bench.scale.isSmoke ? { hosts: 20, tasks: 5 } : { hosts: 1000, tasks: 101 };
    // What it costs a host does not depend on how many there are; a run of the same size would take an hour.
    const ofAnsible = { hosts: 50, tasks: 21 };
    const runbook = await perTaskAndHost(bench, 'runbook', ofRunbook, (playbook, hosts) =>
      bench.runbook(['play', playbook, '-i', hosts, '--output', 'plain', '--no-journal']),
    );
    const { ansible } = bench;
    const compared =
      ansible &&
      (await perTaskAndHost(bench, 'Ansible', ofAnsible, (playbook, hosts) =>
        ansible('ansible-playbook', ['-i', hosts, playbook]),
      ));
    return {
      title: 'A task that is skipped by `when`',
      input: `${ofRunbook.tasks} tasks on ${ofRunbook.hosts} hosts (Ansible: ${ofAnsible.tasks} on ${ofAnsible.hosts})`,
      metric: { name: 'CPU time for each task and host', unit: 'µs' },
      tools: tookPart(runbook, compared),
      goals: [
        { what: 'CPU time for each task and host', bound: 'at most', limit: 50, actual: runbook.value, unit: 'µs' },
      ],
      notes: [],
    };
  },
};

async function perTaskAndHost(
  { folder, scale }: Bench,
  tool: 'runbook' | 'Ansible',
  { hosts, tasks }: { readonly hosts: number; readonly tasks: number },
  command: (playbook: string, inventory: string) => Command,
): Promise<ToolResult> {
  const argument = tool === 'runbook' ? 'message' : 'msg';
  const inventory = `hosts-${argument}.ini`;
  await writeFile(
    join(folder, inventory),
    `[all]\nnode[1:${hosts}]\n[all:vars]\nis_wanted=False\nansible_connection=local\n`,
  );
  const playbook = async (name: string, count: number): Promise<string> => {
    const list = Array.from(
      { length: count },
      (_, i) => `    - debug: { ${argument}: "task ${i}" }\n      when: is_wanted\n`,
    );
    await writeFile(join(folder, name), `- hosts: all\n  gather_facts: false\n  tasks:\n${list.join('')}`);
    return name;
  };
  const many = command(await playbook(`many-${argument}.yaml`, tasks), inventory);
  const one = command(await playbook(`one-${argument}.yaml`, 1), inventory);
  const base = await measure(one, scale.runs);
  const whole = await measure(many, scale.runs);
  const spent = whole.cpuMs.median - base.cpuMs.median;
  return {
    tool,
    command: [many.file, ...many.args].join(' ').replace(/^\S*node \S*runbook\.cjs/, 'runbook'),
    measurement: whole,
    value: (spent * 1000) / (hosts * (tasks - 1)),
  };
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Case } from '../case.ts';
import { atMost } from '../goals.ts';
import { type Command, type Measured, type Measurement, measureInTurns, runOnce, spreadOf } from '../measure.ts';

/**
 * What a task costs the controller on a host where its `when` does not hold: the CPU time of a run with many such tasks, less
 * that of a run with one, for each task on each host. No host is ever contacted.
 */
export const skippedTask: Case = {
  id: 'skipped-task',
  async run(bench) {
    const { isSmoke } = bench.scale;
    const ofRunbook = isSmoke ? { hosts: 20, tasks: 5 } : { hosts: 1000, tasks: 101 };
    // What it costs a host does not depend on how many there are; a run of the same size would take an hour.
    const ofAnsible = isSmoke ? ofRunbook : { hosts: 50, tasks: 21 };
    const { ansible } = bench;
    const programs = [
      await skippingProgram(bench, 'runbook', ofRunbook, (playbook, hosts) =>
        bench.runbook(['play', playbook, '-i', hosts, '--output', 'plain', '--no-journal']),
      ),
      ansible &&
        (await skippingProgram(bench, 'Ansible', ofAnsible, (playbook, hosts) =>
          ansible('ansible-playbook', ['-i', hosts, playbook]),
        )),
    ];
    const measured = await measureInTurns(
      programs.filter((program) => program !== undefined),
      bench.signal,
    );
    const tools = measured.map(({ program: { tool, shown, perTaskAndHost }, measurement }) => ({
      tool,
      command: shown,
      measurement,
      value: perTaskAndHost(measurement),
    }));
    return {
      title: 'A task that is skipped by `when`',
      input: `${ofRunbook.tasks} tasks on ${ofRunbook.hosts} hosts (Ansible: ${ofAnsible.tasks} on ${ofAnsible.hosts})`,
      metric: { name: 'CPU time for each task and host', unit: 'µs' },
      tools,
      goals: atMost('CPU time for each task and host', 50, tools[0]?.value, 'µs'),
      notes: [],
    };
  },
};

/** A program that skips many tasks; before each of its runs it has one with a single task. */
interface SkippingProgram extends Measured {
  readonly tool: string;
  readonly shown: string;
  /** Microseconds. */
  readonly perTaskAndHost: (measurement: Measurement) => number;
}

async function skippingProgram(
  { folder, scale, signal }: Bench,
  tool: 'runbook' | 'Ansible',
  { hosts, tasks }: { readonly hosts: number; readonly tasks: number },
  command: (playbook: string, inventory: string) => Command,
): Promise<SkippingProgram> {
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
  const ofOneMs: number[] = [];
  return {
    tool,
    shown: [many.file, ...many.args].join(' ').replace(/^\S*node \S*runbook\.cjs/, 'runbook'),
    command: many,
    runs: scale.runs,
    before: async () => void ofOneMs.push((await runOnce(one, signal)).cpuMs),
    perTaskAndHost: ({ cpuMs }) => ((cpuMs.median - spreadOf(ofOneMs).median) * 1000) / (hosts * (tasks - 1)),
  };
}

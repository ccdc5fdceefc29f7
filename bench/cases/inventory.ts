import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Case } from '../case.ts';
import { compareCommands } from '../commands.ts';
import { atMost } from '../goals.ts';

const pattern = 'rack0*:&zone_a:!node00001';

/** An inventory in INI is loaded and a pattern matched. */
export const matchPattern: Case = {
  id: 'inventory-pattern',
  async run(bench) {
    const { hosts, groups } = await writeInventory(bench);
    const tools = await compareCommands(bench, [
      {
        tool: 'runbook',
        command: bench.runbook(['inventory', '-i', 'hosts.ini', '-l', pattern, '--list']),
        shown: `runbook inventory -i hosts.ini -l '${pattern}' --list`,
      },
      bench.ansible && {
        tool: 'Ansible',
        command: bench.ansible('ansible', ['-i', 'hosts.ini', pattern, '--list-hosts']),
        shown: `ansible -i hosts.ini '${pattern}' --list-hosts`,
      },
    ]);
    return {
      title: 'Load an inventory and match a pattern',
      input: `${hosts} hosts in INI, ${groups} groups`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: [
        ...atMost('wall time', 1000, tools[0]?.value, 'ms'),
        ...atMost('peak memory', 200, tools[0]?.measurement.peakMb.median, 'MiB'),
      ],
      notes: [],
    };
  },
};

/** The same inventory is written out whole, every variable of every host. */
export const listInventory: Case = {
  id: 'inventory-list',
  async run(bench) {
    const { hosts, groups } = await writeInventory(bench);
    const list = ['inventory', '-i', 'hosts.ini', '--list', '--output', 'json'];
    const tools = await compareCommands(bench, [
      { tool: 'runbook', command: bench.runbook(list), shown: `runbook ${list.join(' ')}` },
      bench.ansible && {
        tool: 'Ansible',
        command: bench.ansible('ansible-inventory', ['-i', 'hosts.ini', '--list']),
        shown: 'ansible-inventory -i hosts.ini --list',
      },
    ]);
    return {
      title: 'Write out an inventory with all variables, as JSON',
      input: `${hosts} hosts in INI, ${groups} groups`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: [],
      notes: [],
    };
  },
};

/** Racks with hosts in them, and zones that are made of racks. */
async function writeInventory({ folder, scale }: Bench): Promise<{ hosts: number; groups: number }> {
  const zones = ['zone_a', 'zone_b', 'zone_c'];
  const racks = (scale.isSmoke ? 10 : 100) - zones.length;
  const hosts = scale.isSmoke ? 200 : 10_000;
  const lines: string[] = [];
  for (let rack = 0; rack < racks; rack++) {
    lines.push(`[rack${String(rack).padStart(2, '0')}]`);
    for (let host = rack; host < hosts; host += racks) {
      const address = `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
      lines.push(`node${String(host).padStart(5, '0')} ansible_host=${address} slot=${host % 48} spare=false`);
    }
    lines.push(
      '',
      `[rack${String(rack).padStart(2, '0')}:vars]`,
      `rack=${rack}`,
      `ntp_server=ntp${rack % 5}.example.org`,
      '',
    );
  }
  for (const [i, zone] of zones.entries()) {
    lines.push(`[${zone}:children]`);
    for (let rack = i; rack < racks; rack += zones.length) lines.push(`rack${String(rack).padStart(2, '0')}`);
    lines.push('');
  }
  lines.push('[all:vars]', 'ansible_user=admin', 'motd="welcome to {{ inventory_hostname }}"', '');
  await writeFile(join(folder, 'hosts.ini'), lines.join('\n'));
  return { hosts, groups: racks + zones.length };
}

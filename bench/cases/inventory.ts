import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Case, type CaseResult, tookPart } from '../case.ts';
import { measure } from '../measure.ts';

const pattern = 'rack0*:&zone_a:!node00001';

/** An inventory in INI is loaded and a pattern matched. */
export const matchPattern: Case = {
  id: 'inventory-pattern',
  async run(bench) {
    const { hosts, groups } = await writeInventory(bench);
    const runbook = await measure(
      bench.runbook(['inventory', '-i', 'hosts.ini', '-l', pattern, '--list']),
      bench.scale.runs,
    );
    const ansible =
      bench.ansible &&
      (await measure(bench.ansible('ansible', ['-i', 'hosts.ini', pattern, '--list-hosts']), bench.scale.runs));
    return {
      title: 'Load an inventory and match a pattern',
      input: `${hosts} hosts in INI, ${groups} groups`,
      metric: { name: 'wall time', unit: 'ms' },
      tools: tookPart(
        {
          tool: 'runbook',
          command: `runbook inventory -i hosts.ini -l '${pattern}' --list`,
          measurement: runbook,
          value: runbook.wallMs.median,
        },
        ansible && {
          tool: 'Ansible',
          command: `ansible -i hosts.ini '${pattern}' --list-hosts`,
          measurement: ansible,
          value: ansible.wallMs.median,
        },
      ),
      goals: [
        { what: 'wall time', bound: 'at most', limit: 1000, actual: runbook.wallMs.median, unit: 'ms' },
        { what: 'peak memory', bound: 'at most', limit: 200, actual: runbook.peakMb.median, unit: 'MiB' },
      ],
      notes: [],
    };
  },
};

/** The same inventory is written out whole, every variable of every host. */
export const listInventory: Case = {
  id: 'inventory-list',
  async run(bench): Promise<CaseResult> {
    const { hosts, groups } = await writeInventory(bench);
    const list = ['inventory', '-i', 'hosts.ini', '--list', '--output', 'json'];
    const runbook = await measure(bench.runbook(list), bench.scale.runs);
    const ansible =
      bench.ansible &&
      (await measure(bench.ansible('ansible-inventory', ['-i', 'hosts.ini', '--list']), bench.scale.runs));
    return {
      title: 'Write out an inventory with all variables, as JSON',
      input: `${hosts} hosts in INI, ${groups} groups`,
      metric: { name: 'wall time', unit: 'ms' },
      tools: tookPart(
        {
          tool: 'runbook',
          command: `runbook ${list.join(' ')}`,
          measurement: runbook,
          value: runbook.wallMs.median,
        },
        ansible && {
          tool: 'Ansible',
          command: 'ansible-inventory -i hosts.ini --list',
          measurement: ansible,
          value: ansible.wallMs.median,
        },
      ),
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

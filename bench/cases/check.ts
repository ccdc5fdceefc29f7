import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Case } from '../case.ts';
import { compareCommands } from '../commands.ts';
import { atMost } from '../goals.ts';

/** A long playbook is checked before a run. Ansible's check knows syntax only: no arguments, no names. */
export const checkPlaybook: Case = {
  id: 'check',
  async run(bench) {
    const lines = await writePlaybooks(bench);
    const lint = ['lint', 'playbook.yaml', '-i', 'hosts.ini'];
    const check = ['-i', 'hosts.ini', '--syntax-check', 'ansible.yaml'];
    const tools = await compareCommands(bench, [
      { tool: 'runbook', command: bench.runbook(lint), shown: `runbook ${lint.join(' ')}` },
      bench.ansible && {
        tool: 'Ansible',
        command: bench.ansible('ansible-playbook', check),
        shown: `ansible-playbook ${check.join(' ')}`,
      },
    ]);
    return {
      title: 'Check a playbook: arguments, names, types (Ansible: the syntax alone)',
      input: `a playbook of ${lines} lines`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: atMost('wall time', 1000, tools[0]?.value, 'ms'),
      notes: [],
    };
  },
};

/** The same tasks in both languages: plays of twenty blocks, in each four tasks with conditions and templates. */
async function writePlaybooks({ folder, scale }: Bench): Promise<number> {
  const plays = scale.isSmoke ? 1 : 16;
  const written = { runbook: '', ansible: '' };
  for (let play = 0; play < plays; play++) {
    const head = `- name: Play ${play}
  hosts: web
  gather_facts: false
  vars:
    version: "1.${play}.0"
    packages: [one, two, three]
  tasks:
`;
    const tasks = Array.from({ length: 20 }, (_, i) => tasksOf(play * 20 + i)).join('');
    written.runbook += head + tasks.replaceAll('MESSAGE', 'message');
    written.ansible += head + tasks.replaceAll('MESSAGE', 'msg');
  }
  await writeFile(join(folder, 'playbook.yaml'), written.runbook);
  await writeFile(join(folder, 'ansible.yaml'), written.ansible);
  await writeFile(join(folder, 'hosts.ini'), '[web]\nn[1:9] role=web size=3\n');
  return written.runbook.split('\n').length - 1;
}

function tasksOf(n: number): string {
  return `    - name: Part ${n}
      when:
        - role == "web"
        - size > ${n % 7}
      block:
        - name: Folder ${n}
          file:
            path: "/srv/{{ role }}/part-${n}"
            state: directory
            mode: "0755"
        - name: Ask ${n}
          command:
            argv:
              - /usr/bin/part
              - "--number=${n}"
              - "--version={{ version }}"
          register: part_${n}
          changed_when: part_${n}.rc != 0
          tags: [parts, "part-${n}"]
        - name: Copy ${n}
          copy:
            content: |
              # part ${n} on {{ inventory_hostname }}
              version = {{ version }}
              said = {{ part_${n}.stdout }}
            dest: "/srv/{{ role }}/part-${n}/settings.conf"
            mode: "0644"
        - name: Say ${n}
          debug:
            MESSAGE: "{{ item }} of {{ version }}: {{ part_${n}.stdout }}"
          loop: "{{ packages }}"
          when: part_${n}.rc == 0
`;
}

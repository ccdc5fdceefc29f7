import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeInventory } from '../targets/targets.ts';
import type { Peer, PeerName } from './peer.ts';

/** As Debian ships it: facts are not gathered, which runbook does not either; shared connections are kept for a minute. */
export const ansible = ansiblePeer('Ansible', ['ansible-core'], '', []);

/** With the setting that everybody turns on who wants it faster. */
export const ansibleWithPipelining = ansiblePeer('Ansible with pipelining', ['ansible-core'], 'pipelining = True\n', [
  'ANSIBLE_PIPELINING=True',
]);

/**
 * A peer that runs `ansible-playbook`. `connection` are lines of its section of that name, `strategy` further ones of its
 * defaults, and `shownSettings` what a user would set in the environment for both.
 */
export function ansiblePeer(
  name: PeerName,
  packages: readonly string[],
  connection: string,
  shownSettings: readonly string[],
  strategy: () => string = () => '',
): Peer {
  return {
    name,
    packages,
    async prepare({ folder, play, targets, forks, isCheck }) {
      const inventory = await writeInventory(targets, folder);
      // Paths of sockets may have a hundred characters, no more.
      const sockets = join(folder, 's');
      const settings = `[defaults]\nforks = ${forks}\nretry_files_enabled = False\n${strategy()}`;
      await writeFile(join(folder, 'ansible.cfg'), `${settings}\n[ssh_connection]\n${connection}`);
      const args = ['-i', inventory, `${play.name}/ansible.yaml`, ...(isCheck ? ['--check'] : [])];
      return {
        command: {
          file: 'ansible-playbook',
          args,
          cwd: folder,
          // Nothing of the user's own settings counts, and nothing of theirs is touched.
          env: {
            ANSIBLE_CONFIG: join(folder, 'ansible.cfg'),
            ANSIBLE_LOCAL_TEMP: join(folder, '.ansible'),
            ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
            ANSIBLE_NOCOLOR: '1',
          },
        },
        shown: [...shownSettings, 'ansible-playbook', ...args, `--forks ${forks}`].join(' '),
        async before() {
          await rm(sockets, { recursive: true, force: true });
          await mkdir(sockets, { mode: 0o700 });
        },
        after: async () => {},
      };
    },
  };
}

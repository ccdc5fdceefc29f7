import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { ansiblePeer } from './ansible.ts';

/** Ansible with the strategy that keeps a Python on each host and sends it modules through one connection. */
export const mitogen = ansiblePeer(
  'Mitogen',
  ['ansible-core', 'ansible-mitogen'],
  '',
  ['ANSIBLE_STRATEGY=mitogen_linear'],
  () => `strategy_plugins = ${strategyFolder()}\nstrategy = mitogen_linear\n`,
);

function strategyFolder(): string {
  const files = execFileSync('dpkg', ['-L', 'ansible-mitogen'], { encoding: 'utf8' }).split('\n');
  const file = files.find((path) => path.endsWith('/ansible_mitogen/plugins/strategy/mitogen_linear.py'));
  if (file === undefined) throw new Error('ansible-mitogen has no strategy mitogen_linear');
  return dirname(file);
}

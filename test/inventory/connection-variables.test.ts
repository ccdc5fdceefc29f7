import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { becomeOf, targetOf } from '../../engine/inventory/connection-variables.ts';
import type { Host } from '../../engine/inventory/inventory.ts';
import { matchHosts } from '../../engine/inventory/patterns.ts';
import { mistakesOf, parse, variablesOf } from './rig.ts';

const bare: Host = { name: 'n1', groups: ['all'], layers: [], isImplicit: false };
const target = (variables: Record<string, unknown>) => targetOf(bare, variables);

describe('connection variables', () => {
  it('without any, a host is reached by ssh under its name', () => {
    expect(target({})).to.deep.equal({ name: 'n1', connection: 'ssh', address: 'n1' });
  });

  it('say all that a target has', () => {
    const found = target({
      ansible_host: '192.0.2.1',
      ansible_port: '2222',
      ansible_user: 1000,
      ansible_ssh_private_key_file: '~/key',
      ansible_password: 'geheim',
      ansible_timeout: 5,
      ansible_ssh_common_args: '-J bastion -o ServerAliveInterval=5',
      ansible_ssh_extra_args: '-o ServerAliveInterval=7 -o HostKeyAlias=x',
    });
    const { password, ...rest } = found;
    expect(password?.reveal()).to.equal('geheim');
    expect(rest).to.deep.equal({
      name: 'n1',
      connection: 'ssh',
      address: '192.0.2.1',
      port: 2222,
      user: '1000',
      privateKeyFile: `${homedir()}/key`,
      sshOptions: { proxyjump: 'bastion', serveraliveinterval: '5', hostkeyalias: 'x' },
      connectTimeoutMs: 5000,
    });
  });

  it('have aliases; null is as if it were not there', () => {
    expect(target({ ansible_ssh_host: 'a', ansible_ssh_user: 'u', ansible_user: null })).to.include({
      address: 'a',
      user: 'u',
    });
    expect(target({ ansible_private_key_file: 'k' }).privateKeyFile).to.equal(resolve('k'));
  });

  it('localhost is local only when the inventory does not name it', () => {
    const { inventory } = parse('localhost');
    const [named] = matchHosts(inventory, 'localhost');
    const [implicit] = matchHosts(parse('n1').inventory, 'localhost');
    expect(named && targetOf(named, variablesOf(named)).connection).to.equal('ssh');
    expect(implicit && targetOf(implicit, variablesOf(implicit)).connection).to.equal('local');
  });

  it('say who to become; yes and no are words of Ansible', () => {
    expect(becomeOf({})).to.deep.equal({ isEnabled: false, become: { user: 'root', method: 'sudo' } });
    expect(becomeOf({ ansible_become: 'yes', ansible_become_user: 'etcd', ansible_become_method: 'su' })).to.deep.equal(
      {
        isEnabled: true,
        become: { user: 'etcd', method: 'su' },
      },
    );
    for (const name of ['ansible_become_password', 'ansible_become_pass']) {
      expect(becomeOf({ [name]: 'geheim' }).become.password?.reveal()).to.equal('geheim');
      expect(becomeOf({ [name]: new Secret('geheim') }).become.password?.reveal()).to.equal('geheim');
    }
  });

  const mistakes: [variables: Record<string, unknown>, message: string][] = [
    [{ ansible_port: 0 }, 'ansible_port must be a number from 1 to 65535, not 0'],
    [{ ansible_port: 'ssh' }, 'ansible_port must be a number from 1 to 65535, not "ssh"'],
    [{ ansible_host: ['a'] }, 'ansible_host must be a text, not a list'],
    [{ ansible_user: '' }, 'ansible_user must be a text, not ""'],
    [{ ansible_password: { a: 'geheim' } }, 'ansible_password must be a text, not a map'],
    [{ ansible_connection: 'docker' }, 'ansible_connection must be ssh or local, not "docker"'],
    [{ ansible_timeout: -1 }, 'ansible_timeout must be a number of seconds above 0, not -1'],
    [
      { ansible_ssh_private_key_file: '~bob/key' },
      `ansible_ssh_private_key_file cannot begin with another user's home, as "~bob/key" does`,
    ],
    [
      { ansible_ssh_common_args: '-W x' },
      'ansible_ssh_common_args cannot be used: ssh arguments: "-W" is not supported',
    ],
  ];
  for (const [variables, message] of mistakes) {
    it(message, () => expect(() => target(variables)).to.throw(message));
  }

  it('becoming is a matter of true and false, and of methods that exist', () => {
    expect(() => becomeOf({ ansible_become: 'maybe' })).to.throw('ansible_become must be true or false, not "maybe"');
    expect(() => becomeOf({ ansible_become_method: 'runas' })).to.throw(
      'ansible_become_method must be sudo or su or doas, not "runas"',
    );
  });

  it('a value that a template makes wrong is reported at its place', async () => {
    const host = parse('h p=none ansible_port="{{ p }}"').inventory.hosts.get('h');
    const printed = await mistakesOf(() => host && targetOf(host, variablesOf(host)));
    expect(printed).to.equal(`hosts.ini:1:23: error: ansible_port must be a number from 1 to 65535, not "none"
  1 | h p=none ansible_port="{{ p }}"
                            ^^^^^^^^^`);
  });

  const doubts: Record<string, string> = {
    ansible_hots: 'did you mean "ansible_host"?',
    ansible_becom: 'did you mean "ansible_become"?',
    ansible_ssh_privat_key_file: 'did you mean "ansible_ssh_private_key_file"?',
    ansible_host_key_checking: 'use the option --host-key-checking',
    ansible_python_interpreter: '',
    ansible_ssh_user: '',
    ansible_my_own_thing: '',
    anything_else: '',
  };
  for (const [name, hint] of Object.entries(doubts)) {
    it(`${name} ${hint ? `raises a doubt: ${hint}` : 'raises no doubt'}`, () => {
      const hints = parse(`h ${name}=x`).diagnostics.map((diagnostic) => diagnostic.hint);
      expect(hints).to.deep.equal(hint ? [hint] : []);
    });
  }
});

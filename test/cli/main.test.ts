import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Command } from 'commander';
import type { Cli } from '../../engine/cli/cli.ts';
import { createProgram } from '../../engine/cli/program.ts';
import { projectRoot, runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

describe('runbook', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8')) as { version: string };
    expect(await runCli(['--version'])).to.deep.equal({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('loads next to nothing to say its version: it costs at most twice a bare node', () =>
    // Not timed here: the machine may be busy with other things.
    withTemporaryFolder(async (folder) => {
      for (const path of ['package.json', 'bin/runbook.cjs']) cpSync(join(projectRoot, path), join(folder, path));
      const { stdout } = spawnSync(process.execPath, ['bin/runbook.cjs', '--version'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    }));

  it('explains itself: commands and exit codes', async () => {
    const { exitCode, stdout } = await runCli(['--help']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('run a playbook, or say what it would do').and.to.include('130  interrupted');
    const { stdout: play } = await runCli(['help', 'play']);
    expect(play).to.include('--check').and.to.include('Examples:').and.to.include('3  with --check: something differs');
    expect(play).not.to.include('default: []').and.not.to.include('default: false');
  });

  it('says the same of an option wherever a command takes it', () => {
    const said = new Map<string, Set<string>>();
    for (const command of allCommands(createProgram(idle))) {
      for (const { long, flags, description } of command.options) {
        // What is put out, which host is meant and what an inventory's absence means belong to the command.
        if (long === '--output' || long === '--host') continue;
        // A plan has all values but the secret ones.
        if (long === '--extra-vars' && command.name() === 'apply') continue;
        const shared = `${flags}: ${description.replace(/; none: .*$/, '').replace(/, besides .*; repeatable/, '; repeatable')}`;
        said.set(long ?? flags, (said.get(long ?? flags) ?? new Set()).add(shared));
      }
    }
    expect([...said.values()].filter((texts) => texts.size > 1).map((texts) => [...texts])).to.deep.equal([]);
  });

  it('explains every option, and shows every command by examples', () => {
    const program = createProgram(idle);
    for (const command of allCommands(program)) {
      for (const { flags, description } of command.options) expect(description, flags).not.to.equal('');
    }
    for (const command of program.commands) {
      let help = '';
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
        getOutHelpWidth: () => 80,
        getOutHasColors: () => false,
      });
      command.outputHelp();
      expect(help, command.name()).to.include('Examples:\n');
    }
  });

  it('works on 50 hosts at a time unless it is told otherwise', async () => {
    expect((await runCli(['play', '--help'])).stdout).to.match(/--forks <n>.*\(default:\s+50\)/s);
  });

  it('shows its help when it is given nothing to do, as an error', async () => {
    const { exitCode, stdout, stderr } = await runCli([]);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 5, stdout: '' });
    expect(stderr).to.match(/^Usage: runbook/);
  });

  const mistakes: [title: string, args: readonly string[], stderr: string][] = [
    [
      'an unknown option',
      ['play', 'x', '--chekc'],
      "runbook: unknown option '--chekc'\n  hint: did you mean --check?\n",
    ],
    ['an unknown command', ['pley'], "runbook: unknown command 'pley'\n  hint: did you mean play?\n"],
    ['no playbook', ['play'], "runbook: missing required argument 'playbook'\n  hint: see runbook play --help\n"],
    [
      'a wrong number',
      ['play', 'x', '--forks', '0'],
      "runbook: option '-f, --forks <n>' argument '0' is invalid. It must be a whole number from 1.\n  hint: see runbook play --help\n",
    ],
    [
      'tags that an unset variable left empty',
      ['play', 'x', '--tags', ''],
      "runbook: option '-t, --tags <tags>' argument '' is invalid. It names no tag.\n  hint: see runbook play --help\n",
    ],
    [
      'a folder for a file',
      ['play', projectRoot],
      `runbook: cannot read the playbook ${projectRoot}: it is a folder\n`,
    ],
    [
      'a folder of modules that is not there',
      ['modules', '--modules', 'nope'],
      'error: --modules nope: there is no such file\n',
    ],
    [
      'a wrong choice',
      ['modules', '--color', 'blue'],
      "runbook: option '--color <when>' argument 'blue' is invalid. Allowed choices are auto, always, never.\n  hint: see runbook modules --help\n",
    ],
    [
      'an unknown module',
      ['doc', 'sytemd'],
      'runbook: there is no module or keyword "sytemd"\n  hint: did you mean "systemd"?\n',
    ],
    [
      'a password that cannot be asked',
      ['play', 'x', '-K'],
      'runbook: "sudo password" cannot be asked: standard input is no terminal\n  hint: run it from a terminal, use a key, or name a file with --become-password-file\n',
    ],
  ];
  for (const [title, args, stderr] of mistakes) {
    it(`answers ${title} with what to do, without a stack, and exit code 5`, async () => {
      expect(await runCli(args)).to.deep.equal({ exitCode: 5, stdout: '', stderr });
    });
  }
});

// Help asks nothing of the process.
const idle = {} as Cli;

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

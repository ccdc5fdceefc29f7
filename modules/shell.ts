import { type Diff, defineModule, sh } from '../engine/index.ts';
import {
  type CommandLine,
  commandDescription,
  commandMistakes,
  commandProperties,
  commandReturns,
  diffCommand,
  factsOfCommands,
  probeCommand,
  resultOfCommand,
  runCommand,
  unverifiableCommand,
} from './lib/command.ts';

export default defineModule({
  name: 'shell',
  summary: 'Runs shell text with /bin/sh',
  description: `The text is that of a POSIX \`sh\`, which goes on after a command that fails: start it with \`set -e\` to stop there.
A secret does not belong into the text, where other users of the host can see it, but into \`stdin\`.

${commandDescription}`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['cmd'],
    properties: {
      cmd: { type: 'string', minLength: 1, description: 'The text to run' },
      ...commandProperties,
    },
  },
  returns: commandReturns,
  examples: `
- name: Stop the containers that Docker still runs
  shell:
    cmd: docker ps -q | xargs -r docker stop
    only_if: docker ps -q | grep -q .
    timeout: 300
- name: Which cgroup version the host has
  shell:
    cmd: stat -fc %T /sys/fs/cgroup
    reads: true
  register: cgroups
`,
  check: (args) => commandMistakes(args),
  invalidates: factsOfCommands,
  probe: (args) => probeCommand(args, lineOf(args)),
  diff: (current, args, { predicted }): Diff => diffCommand(current, args, lineOf(args), predicted),
  apply: ({ args }) => runCommand(args, lineOf(args)),
  unverifiable: (args) => unverifiableCommand(args),
  result: (current) => resultOfCommand(current),
});

function lineOf({ cmd }: { readonly cmd: string }): CommandLine {
  return { script: sh`sh -c ${cmd}`, text: cmd };
}

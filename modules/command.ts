import { type Diff, defineModule, failure, quoteWord, sh, splitWords } from '../engine/index.ts';
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

interface Words {
  readonly cmd?: string | undefined;
  readonly argv?: readonly string[] | undefined;
}

export default defineModule({
  name: 'command',
  summary: 'Runs a command without a shell',
  description: `\`cmd\` is split into words by a shell's quoting rules and nothing else: no variables, no \`*\`, no pipes.
${commandDescription}`,
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      cmd: { type: 'string', minLength: 1, description: 'The command with its arguments, quoted as for a shell' },
      argv: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description: 'The command and its arguments as a list, taken as they are; instead of cmd',
      },
      ...commandProperties,
    },
  },
  loneArgument: 'cmd',
  returns: commandReturns,
  examples: `
- name: Forget which units failed
  command: systemctl reset-failed
- name: Which version runs
  command:
    cmd: containerd --version
    reads: true
  register: version
- name: Make the key once
  command:
    argv: [ssh-keygen, -q, -t, ed25519, -N, "", -f, /root/.ssh/id_ed25519]
    creates: /root/.ssh/id_ed25519
`,
  check: (args) => [...wordMistakes(args), ...commandMistakes(args)],
  invalidates: factsOfCommands,
  probe: (args) => probeCommand(args, lineOf(args)),
  diff: (current, args, { predicted }): Diff => diffCommand(current, args, lineOf(args), predicted),
  apply: ({ args }) => runCommand(args, lineOf(args)),
  unverifiable: (args) => unverifiableCommand(args),
  result: (current) => resultOfCommand(current),
});

function lineOf({ cmd, argv }: Words): CommandLine {
  const words = argv ?? wordsOf(cmd ?? '');
  return { script: sh`${words}`, text: cmd ?? words.map(quoteWord).join(' ') };
}

function wordsOf(cmd: string): string[] {
  const words = splitWords(cmd);
  if ('mistake' in words) throw failure(`cmd: ${words.mistake}`);
  if (words.length === 0) throw failure('cmd is empty');
  return words.map((word) => word.value);
}

function wordMistakes({ cmd, argv }: Words): string[] {
  if ((cmd === undefined) === (argv === undefined)) return ['exactly one of "cmd" and "argv" is required'];
  if (cmd === undefined) return assignmentMistakes(argv?.[0]);
  const words = splitWords(cmd);
  if ('mistake' in words) return [`cmd: ${words.mistake}`];
  if (words.length === 0) return ['"cmd" is empty'];
  const assignments = assignmentMistakes(words[0]?.value);
  if (assignments.length > 0) return assignments;
  const operator = words.find((word) => !word.isQuoted && /^(\d?[<>].*|\|\|?|&&?|;)$/.test(word.value));
  if (!operator) return [];
  return [`"${operator.raw}" means nothing to command, which runs no shell: use the shell module, or quote it`];
}

/** The host's shell would take it for an assignment, and run what follows or nothing at all. */
function assignmentMistakes(first: string | undefined): string[] {
  const name = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(first ?? '')?.[1];
  return name === undefined ? [] : [`"${first}" is no command: set variables with environment: { ${name}: … }`];
}

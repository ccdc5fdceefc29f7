import { defineAction, failure, type Probe, type ProbeOutput, probe, sh, type Wait } from '../engine/index.ts';
import { type Answer, commandProbe, httpSocketProbe, portProbe, socketProbe } from './lib/answering.ts';
import { pathMistakes } from './lib/file-state.ts';

interface Arguments {
  readonly port?: number | undefined;
  readonly host: string;
  readonly path?: string | undefined;
  readonly socket?: string | undefined;
  readonly http?: string | undefined;
  readonly command?: string | undefined;
  readonly unit?: string | undefined;
  readonly state?: 'started' | 'stopped' | 'present' | 'absent' | undefined;
  readonly timeout: number;
  readonly interval: number;
}

const subjects = ['port', 'path', 'socket', 'command', 'unit'] as const;

export default defineAction({
  name: 'wait-for',
  summary: 'Waits until a port, path, socket, command or unit is as it should be',
  description: `Asks on the host, with what it has. A unix socket counts only when something accepts a connection on it.
Check mode asks once, and answers "unknown" when it is not so yet.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      port: { type: 'integer', minimum: 1, maximum: 65535, description: 'TCP port' },
      host: {
        type: 'string',
        default: '127.0.0.1',
        description: 'Where the port is, as the host of the task sees it',
      },
      path: { type: 'string', minLength: 1, description: 'File, folder or link' },
      socket: { type: 'string', minLength: 1, description: 'Unix socket that must accept a connection' },
      http: {
        type: 'string',
        pattern: '^/',
        description: 'Path of an HTTP GET over the socket that must give a 2xx status, for example /_ping',
      },
      command: { type: 'string', minLength: 1, description: 'Shell text that changes nothing and must succeed' },
      unit: { type: 'string', minLength: 1, description: 'systemd unit that must be active' },
      state: {
        enum: ['started', 'stopped', 'present', 'absent'],
        description: 'started or stopped for port, socket and unit; present or absent for path. Default: the first',
      },
      timeout: { type: 'number', minimum: 0, default: 60, description: 'Seconds until the task fails' },
      interval: { type: 'number', minimum: 0.05, default: 1, description: 'Seconds between two asks' },
    },
  },
  returns: { elapsed: { type: 'number', description: 'Seconds that it took; not known in check mode' } },
  examples: `
- name: containerd answers
  wait-for:
    socket: /run/containerd/containerd.sock
    timeout: 30
- name: Docker answers
  wait-for:
    socket: /run/docker.sock
    http: /_ping
- name: Nothing listens on the kubelet's port any more
  wait-for:
    port: 10250
    state: stopped
`,
  check: (args) => mistakes(args),
  run: async (args, context) => {
    const wait = waitOf(args);
    if (context.isCheckMode) {
      const answer = wait.done(await context.probe(wait.probe));
      if (answer === true) return { message: `it is so: ${wait.what}` };
      return { unknown: `would wait for ${wait.what}: ${answer}` };
    }
    const started = context.clock.now();
    await context.wait(wait);
    return { values: { elapsed: (context.clock.now() - started) / 1000 } };
  },
});

function mistakes(args: Arguments): string[] {
  const given = subjects.filter((name) => args[name] !== undefined);
  const subject = given[0];
  if (given.length !== 1 || subject === undefined) {
    const but = given.length === 0 ? 'none is given' : `there are ${given.join(' and ')}`;
    return [`exactly one of ${subjects.join(', ')} is required, but ${but}`];
  }
  const found: string[] = [];
  const isPresence = args.state === 'present' || args.state === 'absent';
  if (args.state !== undefined && subject === 'command') found.push('"state" means nothing for a command');
  else if (args.state !== undefined && isPresence !== (subject === 'path')) {
    found.push(`"state" of a ${subject} is ${subject === 'path' ? 'present or absent' : 'started or stopped'}`);
  }
  if (args.http !== undefined && args.socket === undefined) found.push('"http" needs "socket"');
  if (args.http !== undefined && args.state === 'stopped') found.push('"http" cannot show that something is stopped');
  if (args.path !== undefined) found.push(...pathMistakes('path', args.path));
  if (args.socket !== undefined) found.push(...pathMistakes('socket', args.socket));
  return found;
}

/** What to wait for; the pieces are those of the subject that is given. */
function waitOf(args: Arguments): Wait<Answer> {
  const isWanted = args.state !== 'stopped' && args.state !== 'absent';
  const subject = subjectOf(args);
  const what = `${subject.name} ${isWanted ? subject.wanted : subject.unwanted}`;
  return {
    what,
    probe: subject.probe,
    done: (answer) => {
      if (isWanted) return answer;
      return answer === true ? `it ${subject.still}` : true;
    },
    timeoutMs: args.timeout * 1000,
    intervalMs: args.interval * 1000,
  };
}

interface Subject {
  readonly name: string;
  readonly wanted: string;
  readonly unwanted: string;
  readonly still: string;
  readonly probe: Probe<Answer>;
}

function subjectOf(args: Arguments): Subject {
  if (args.port !== undefined) {
    const where = `port ${args.port} of ${args.host}`;
    return { ...listening, name: where, probe: portProbe(args.host, args.port) };
  }
  if (args.socket !== undefined) {
    const asked = args.http === undefined ? socketProbe(args.socket) : httpSocketProbe(args.socket, args.http);
    return { ...listening, name: `socket ${args.socket}`, probe: asked };
  }
  if (args.path !== undefined) {
    const script = sh`if [ -e ${args.path} ] || [ -L ${args.path} ]; then echo there; fi`;
    return {
      name: args.path,
      wanted: 'to appear',
      unwanted: 'to be gone',
      still: 'is still there',
      probe: probe(script, ({ stdout }) => (stdout.trim() === 'there' ? true : 'it does not exist')),
    };
  }
  if (args.unit !== undefined) {
    const script = sh`systemctl show ${args.unit} -p LoadState -p ActiveState -p SubState`;
    return {
      name: args.unit,
      wanted: 'to be active',
      unwanted: 'to stop',
      still: 'is still active',
      probe: probe(script, (output) => readUnit(output, args.state === 'stopped')),
    };
  }
  const text = args.command ?? '';
  return {
    name: `"${text.trim().split('\n', 1)[0]}"`,
    wanted: 'to succeed',
    unwanted: 'to fail',
    still: 'still succeeds',
    probe: commandProbe(text, Math.max(args.timeout, 1) * 1000),
  };
}

const listening = { wanted: 'to answer', unwanted: 'to be closed', still: 'still answers' };

function readUnit({ rc, stdout, stderr }: ProbeOutput, isStopWanted: boolean): Answer {
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const state = field('ActiveState');
  if (rc !== 0 || state === '') throw failure('systemctl gave no answer', stderr);
  if (state === 'active') return true;
  // On its way is neither: a unit that is deactivating has not stopped, one that restarts is not active.
  const isOver = state === 'inactive' || state === 'failed';
  if (isStopWanted && !isOver) return true;
  return field('LoadState') === 'not-found' ? 'there is no such unit' : `it is ${state} (${field('SubState')})`;
}

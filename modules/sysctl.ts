import {
  type Change,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  type ProbeOutput,
  probe,
  type Script,
  type Step,
  sh,
  unknown,
} from '../engine/index.ts';
import { cleanPath, expectedFile, type FileState, parseFile, pathMistakes } from './lib/file-state.ts';
import { askLineFile, lineFileChanges, textOf, writeLineFile } from './lib/line-file.ts';
import { whoMayProvide } from './lib/pending-providers.ts';

interface Arguments {
  readonly values: Readonly<Record<string, string | number>>;
  readonly file: string;
  readonly ignore_missing: boolean;
}

interface Current {
  /** By path below /proc/sys; a key that the kernel does not have is not in it. */
  readonly live: ReadonlyMap<string, string>;
  readonly file: FileState;
  /** Lines of the host's other configuration files that set one of the keys, in the order in which they are read. */
  readonly others: readonly { readonly file: string; readonly key: string; readonly value: string }[];
}

/** The modules that bring keys with them, by the path below /proc/sys. */
const providers: readonly (readonly [RegExp, string])[] = [
  [/^net\/bridge\//, 'br_netfilter'],
  [/^net\/netfilter\/nf_conntrack/, 'nf_conntrack'],
  [/^net\/ipv4\/vs\//, 'ip_vs'],
];

export default defineModule({
  name: 'sysctl',
  summary: 'Sets kernel parameters, now and for the next boot',
  description: `Both the running kernel's value and the line in the file are compared. Other lines of the file are kept.
A file that is read later at boot and sets another value is an error that names it: the parameter would not survive a
reboot. The order is that of sysctl.d(5): by file name, whichever of /etc, /run, /usr/local/lib, /usr/lib and /lib it is in.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['values'],
    properties: {
      values: {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
        minProperties: 1,
        description:
          'Parameters with their values. As for sysctl(8), a name that has dots in it is written with slashes: net/ipv4/conf/eth0.100/forwarding',
        examples: [{ 'net.ipv4.ip_forward': 1 }],
      },
      file: {
        type: 'string',
        default: '/etc/sysctl.d/99-runbook.conf',
        description: 'The file that sets them at boot',
      },
      ignore_missing: {
        type: 'boolean',
        default: false,
        description: 'Only write into the file what the running kernel does not know, instead of failing',
      },
    },
  },
  returns: {
    values: { type: 'object', description: 'What the kernel has now, by parameter; null where it has none' },
  },
  examples: `
- name: What pods need of the network
  sysctl:
    file: /etc/sysctl.d/99-kubernetes-cri.conf
    values:
      net.bridge.bridge-nf-call-iptables: 1
      net.bridge.bridge-nf-call-ip6tables: 1
      net.ipv4.ip_forward: 1
`,
  check: (args) => [
    ...pathMistakes('file', args.file),
    ...(args.file.endsWith('.conf') ? [] : ['"file" must end in .conf, or it is not read at boot']),
    ...Object.entries(args.values).flatMap(([key, value]) => [
      ...(/^[\w:@-]+([./][\w:@,-]+)+$/.test(key) ? [] : [`${JSON.stringify(key)} is no name of a kernel parameter`]),
      ...(/[\n\r]/.test(String(value)) ? [`the value of ${key} has more than one line`] : []),
    ]),
  ],
  // kernel.hostname, and the ones that switch IPv6 off.
  invalidates: ['hostname', 'fqdn', 'addresses'],
  probe: (args) => probe(question(args), (output) => parse(args, output)),
  diff: (current: Current, args, { predicted }): Diff => {
    const changes: Change[] = [];
    for (const [key, value] of Object.entries(args.values)) {
      const answer = compareLive(key, normal(value), current, args, predicted);
      if ('unknown' in answer) return answer;
      changes.push(...answer);
    }
    refuseOverrides(current, args, predicted);
    const file = expectedFile(current.file, predicted);
    return [...changes, ...lineFileChanges(file, edit(textOf(file), args.values))];
  },
  *apply({ args, current, changes }): Generator<Step, void> {
    const pending = Object.entries(args.values).filter(([key]) => changes.some((c) => c.resource === resourceOf(key)));
    if (pending.length > 0) {
      yield exec(sh.all(pending.map(([key, value]) => setScript(key, normal(value)))), {
        purpose: `setting ${pending.map(([key]) => key).join(', ')}`,
        moreFollows: changes.some((change) => change.path === 'content'),
      });
    }
    // After it: a value that the kernel refuses is not kept for the next boot.
    yield* writeLineFile(current.file, changes);
  },
  result: ({ live }, args) => ({
    values: Object.fromEntries(Object.keys(args.values).map((key) => [key, live.get(pathOf(key)) ?? null])),
  }),
});

/** The path below /proc/sys. If the first separator is a dot, dots and slashes change places: sysctl.d(5). */
function pathOf(key: string): string {
  if (/^[^./]*\//.test(key)) return key;
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

/** The name under which check mode remembers a parameter. */
function resourceOf(key: string): string {
  return `sysctl:${pathOf(key)}`;
}

/** The kernel separates by tabs what people separate by spaces. */
function normal(value: string | number): string {
  return String(value).trim().split(/\s+/).join(' ');
}

function question(args: Arguments): Script {
  const paths = Object.keys(args.values).map(pathOf);
  return sh.lines([
    sh`for k in ${paths}; do
[ ! -e "/proc/sys/$k" ] || printf 'live=%s=%s\\n' "$k" "$(cat "/proc/sys/$k" 2>/dev/null | tr '\\t\\n' '  ')"
done`,
    // One line for each setting, with its file; only lines that end in the last part of a wanted key can matter.
    sh`for d in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
for f in "$d"/*.conf; do
[ ! -e "$f" ] || printf 'file=%s\\n' "$f"
[ ! -r "$f" ] || grep -E ${linePattern(paths)} "$f" 2>/dev/null | sed "s|^|set=$f:|"
done; done`,
    // Without systemd, sysctl --system reads this one last; systemd reads it only where a link in sysctl.d leads to it.
    sh`[ -d /run/systemd/system ] || grep -E ${linePattern(paths)} /etc/sysctl.conf 2>/dev/null | sed 's|^|set=/etc/sysctl.conf:|'`,
    sh`echo '==file'`,
    askLineFile(args.file),
  ]);
}

function linePattern(paths: readonly string[]): string {
  const ends = paths.map((path) => (path.split(/[./]/).at(-1) ?? '').replace(/[^\w-]/g, '.'));
  return `(${[...new Set(ends)].join('|')})[[:space:]]*=`;
}

function parse(args: Arguments, { stdout }: ProbeOutput): Current {
  const [head = '', file = ''] = stdout.split(/^==file\n/m, 2);
  const wanted = new Set(Object.keys(args.values).map(pathOf));
  const live = new Map<string, string>();
  for (const [, key = '', value = ''] of head.matchAll(/^live=([^=]*)=(.*)$/gm)) live.set(key, normal(value));
  const used = filesInOrder([...head.matchAll(/^file=(.*)$/gm)].map((match) => match[1] ?? ''));
  const others: Current['others'][number][] = [];
  for (const [, path = '', line = ''] of head.matchAll(/^set=([^:]*):(.*)$/gm)) {
    const setting = parseLine(line);
    if (!setting || !wanted.has(setting.path)) continue;
    if (path === '/etc/sysctl.conf' || used.includes(path))
      others.push({ file: path, key: setting.path, value: setting.value });
  }
  const place = (path: string): number => (path === '/etc/sysctl.conf' ? used.length : used.indexOf(path));
  others.sort((a, b) => place(a.file) - place(b.file));
  return { live, others, file: parseFile(args.file, file) };
}

/** Of files with the same name the one in the first folder counts; all are read in the order of their names. */
function filesInOrder(files: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const file of files) {
    const name = baseName(file);
    if (!byName.has(name)) byName.set(name, file);
  }
  return [...byName.values()].sort((a, b) => (baseName(a) < baseName(b) ? -1 : 1));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `-net.ipv4.ip_forward = 1`: the dash means that a failure is no matter. */
function parseLine(line: string): { path: string; value: string } | undefined {
  const match = /^\s*-?\s*([^\s=#;]+)\s*=(.*)$/.exec(line);
  return match ? { path: pathOf(match[1] ?? ''), value: normal(match[2] ?? '') } : undefined;
}

function compareLive(key: string, wanted: string, current: Current, args: Arguments, predicted: Predicted): Diff {
  const resource = resourceOf(key);
  const expected = predicted.of(resource)[key];
  const is = typeof expected === 'string' ? expected : current.live.get(pathOf(key));
  if (is === wanted) return [];
  if (is !== undefined) return [{ path: key, before: is, after: wanted, resource }];
  if (args.ignore_missing) return [];
  const provider = providers.find(([pattern]) => pattern.test(pathOf(key)))?.[1];
  if (provider !== undefined && predicted.of(`kernel-module:${provider}`).loaded === true) {
    return [{ path: key, before: null, after: wanted, resource }];
  }
  const reason = whoMayProvide(predicted, `kernel parameter ${key}`);
  if (reason !== undefined) return unknown(reason);
  const hint = provider === undefined ? '' : `; the kernel module ${provider} brings it, load that first`;
  throw failure(`this host's kernel has no parameter ${key}${hint}`);
}

/** A file that is read later and says something else wins at boot. */
function refuseOverrides(current: Current, args: Arguments, predicted: Predicted): void {
  const name = baseName(args.file);
  for (const [key, value] of Object.entries(args.values)) {
    // Where a file says a key twice, its last line counts.
    const last = current.others.filter((other) => other.key === pathOf(key)).at(-1);
    if (!last || last.file === cleanPath(args.file) || last.value === normal(value)) continue;
    const isLater = last.file === '/etc/sysctl.conf' || baseName(last.file) > name;
    const isShadowed = baseName(last.file) === name;
    const changes = predicted.of(`file:${last.file}`);
    if (!isLater || isShadowed || changes.exists === false || changes.content !== undefined) continue;
    throw failure(
      `${last.file} is read after ${args.file} at boot and sets ${key} = ${last.value}, not ${normal(value)}; change it there, or give a "file" whose name sorts later`,
    );
  }
}

/** The file with the wanted lines: a key that it has is changed in its place, others come at the end. */
function edit(text: string, values: Arguments['values']): string {
  const missing = new Map(Object.entries(values).map(([key, value]) => [pathOf(key), `${key} = ${normal(value)}`]));
  const wanted = new Map(missing);
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const kept: string[] = [];
  for (const line of lines) {
    const setting = /^\s*[#;]/.test(line) ? undefined : parseLine(line);
    const own = setting && wanted.get(setting.path);
    if (!setting || own === undefined) {
      kept.push(line);
      continue;
    }
    // A second line for a key would win over the first.
    if (!missing.delete(setting.path)) continue;
    kept.push(own.endsWith(` = ${setting.value}`) ? line : own);
  }
  return [...kept, ...missing.values()].map((line) => `${line}\n`).join('');
}

/** By sysctl where there is one, since it says what was wrong; minimal systems have none. */
function setScript(key: string, value: string): Script {
  const path = pathOf(key);
  return sh`PATH=$PATH:/usr/sbin:/sbin; if command -v sysctl >/dev/null; then sysctl -w ${`${path}=${value}`} >/dev/null
else printf '%s\\n' ${value} >${`/proc/sys/${path}`}; fi`;
}

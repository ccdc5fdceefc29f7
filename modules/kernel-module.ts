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
  type StepResult,
  sh,
  unknown,
} from '../engine/index.ts';
import { expectedFile, type FileState, parseFile, pathMistakes } from './lib/file-state.ts';
import { askLineFile, lineFileChanges, textOf, writeLineFile } from './lib/line-file.ts';
import { whoMayProvide } from './lib/pending-providers.ts';

type Value = string | number | boolean;

interface Arguments {
  readonly name: string;
  readonly params?: Readonly<Record<string, Value>> | undefined;
  readonly persistent: boolean;
  readonly file?: string | undefined;
  readonly effect?: string | undefined;
}

interface Current {
  /** Why it counts as loaded; undefined when it does not. */
  readonly sign: 'listed' | 'in /sys/module' | 'built in' | 'its effect' | undefined;
  /** What modprobe says when the kernel has no such module. */
  readonly refusal: string;
  /** Parameters that the running kernel shows. */
  readonly params: ReadonlyMap<string, string>;
  /** The file of modules-load.d(5), when asked for. */
  readonly loadFile: FileState | undefined;
  /** The file of modprobe.d(5), when asked for. */
  readonly optionsFile: FileState | undefined;
}

/** What a module does that a user can see: where it is built in, nothing else shows that it is there. */
const knownEffects: Readonly<Record<string, string>> = {
  overlay: 'fs:overlay',
  br_netfilter: '/proc/sys/net/bridge/bridge-nf-call-iptables',
  nf_conntrack: '/proc/sys/net/netfilter/nf_conntrack_max',
  ip_vs: '/proc/net/ip_vs',
  tun: '/sys/class/misc/tun',
};

export default defineModule({
  name: 'kernel-module',
  summary: 'Has a kernel module loaded, now and with `persistent` after a reboot',
  description: `Judged by what is there, not by \`lsmod\`: a module that is built into the kernel is loaded, though \`modprobe\`
may fail for it and nothing lists it. So it counts as loaded when it is listed in /proc/modules, or in /sys/module, or in
modules.builtin, or when its effect is there. It never unloads a module.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9_-]+$',
        description: 'The module, without .ko; - and _ are the same',
      },
      params: {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
        description: 'Parameters to load it with; with persistent also written to /etc/modprobe.d/runbook-NAME.conf',
      },
      persistent: {
        type: 'boolean',
        default: false,
        description: 'Load it at boot too: a line in a file of modules-load.d(5), whose other lines are kept',
      },
      file: {
        type: 'string',
        description: 'The file for persistent. Default: /etc/modules-load.d/NAME.conf',
        examples: ['/etc/modules-load.d/containerd.conf'],
      },
      effect: {
        type: 'string',
        pattern: '^(/|fs:).+',
        description: `What shows that it works: a path, or fs:NAME for a file system. Known for ${Object.keys(knownEffects).join(', ')}`,
      },
    },
  },
  returns: {
    loaded: { type: 'boolean', description: 'Whether it is loaded or built in' },
    sign: { description: 'What shows that it is there, null when nothing does' },
    params: { type: 'object', description: 'Its parameters by name' },
  },
  examples: `
- name: What pods need of the kernel
  kernel-module:
    name: "{{ item }}"
    persistent: true
    file: /etc/modules-load.d/containerd.conf
  loop: [overlay, br_netfilter]
`,
  check: (args) => [
    ...(args.file === undefined ? [] : pathMistakes('file', args.file)),
    ...(args.file !== undefined && !args.persistent ? ['"file" is for persistent: true'] : []),
    ...Object.entries(args.params ?? {})
      .filter(([name, value]) => !/^\w+$/.test(name) || /\s/.test(String(value)))
      .map(([name]) => `the parameter ${JSON.stringify(name)} or its value contains what a module parameter cannot`),
  ],
  probe: (args) => probe(question(args), (output) => parse(args, output)),
  diff: (current: Current, args, { predicted }): Diff => {
    const name = kernelName(args.name);
    const resource = `kernel-module:${name}`;
    const changes: Change[] = [];
    if (current.sign === undefined && predicted.of(resource).loaded !== true) {
      if (current.refusal !== '') {
        const reason = whoMayProvide(predicted, `kernel module ${name}`);
        if (reason !== undefined) return unknown(reason);
        throw failure(`this host's kernel has no module ${name}`, current.refusal);
      }
      changes.push({ path: 'loaded', before: false, after: true, resource });
    }
    refuseOtherParams(current, args);
    return [...changes, ...persistence(current, args, predicted)];
  },
  *apply({ args, current, changes }): Generator<Step, void, StepResult> {
    if (changes.some((change) => change.path === 'loaded')) yield* load(args, changes);
    if (current.loadFile) yield* writeLineFile(current.loadFile, changes);
    if (current.optionsFile) yield* writeLineFile(current.optionsFile, changes);
  },
  result: (current) => ({
    loaded: current.sign !== undefined,
    sign: current.sign ?? null,
    params: Object.fromEntries(current.params),
  }),
});

/** The kernel's spelling: it has no dashes in module names. */
function kernelName(name: string): string {
  return name.replaceAll('-', '_');
}

function loadFileOf(args: Arguments): string | undefined {
  return args.persistent ? (args.file ?? `/etc/modules-load.d/${args.name}.conf`) : undefined;
}

function optionsFileOf(args: Arguments): string | undefined {
  const hasParams = Object.keys(args.params ?? {}).length > 0;
  return args.persistent && hasParams ? `/etc/modprobe.d/runbook-${args.name}.conf` : undefined;
}

function question(args: Arguments): Script {
  const name = kernelName(args.name);
  const builtIn = `/${name.replaceAll('_', '[_-]')}\\.ko`;
  const [loadFile, optionsFile] = [loadFileOf(args), optionsFileOf(args)];
  return sh.lines([
    // sudo's PATH lacks it on some distributions, and a user's always.
    sh`PATH=$PATH:/usr/sbin:/sbin`,
    sh`if grep -q ${`^${name} `} /proc/modules 2>/dev/null; then echo 'sign=listed'
elif [ -d ${`/sys/module/${name}`} ]; then echo 'sign=in /sys/module'
elif grep -q ${builtIn} "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null; then echo 'sign=built in'
elif ${effectTest(args)}; then echo 'sign=its effect'
else modprobe -n ${args.name} 2>&1 | sed 's/^/modprobe=/'
fi`,
    sh`for p in ${Object.keys(args.params ?? {})}; do
f=${`/sys/module/${name}/parameters/`}$p; [ ! -r "$f" ] || printf 'param=%s %s\\n' "$p" "$(cat "$f")"
done`,
    ...(loadFile === undefined ? [] : [sh`echo '==load'`, askLineFile(loadFile)]),
    ...(optionsFile === undefined ? [] : [sh`echo '==options'`, askLineFile(optionsFile)]),
  ]);
}

function effectTest(args: Arguments): Script {
  const effect = args.effect ?? knownEffects[kernelName(args.name)];
  if (effect === undefined) return sh`false`;
  if (effect.startsWith('fs:')) return sh`grep -qw ${effect.slice(3)} /proc/filesystems`;
  return sh`[ -e ${effect} ]`;
}

function parse(args: Arguments, { stdout }: ProbeOutput): Current {
  const [head = '', ...sections] = stdout.split(/^==(?=load$|options$)/m);
  const file = (section: string, path: string | undefined): FileState | undefined => {
    const text = sections.find((s) => s.startsWith(`${section}\n`))?.slice(section.length + 1);
    return path === undefined ? undefined : parseFile(path, text ?? '');
  };
  const sign = /^sign=(.*)$/m.exec(head)?.[1];
  const said = [...head.matchAll(/^modprobe=(.*)$/gm)].map((match) => match[1] ?? '').join('\n');
  return {
    // The script prints nothing else.
    sign: sign as Current['sign'],
    // Any other complaint (no modprobe, busybox without -n) says nothing about the module: trying it will tell.
    refusal: /module .* not found/i.test(said) ? said : '',
    params: new Map([...head.matchAll(/^param=(\S+) (.*)$/gm)].map((match) => [match[1] ?? '', match[2] ?? ''])),
    loadFile: file('load', loadFileOf(args)),
    optionsFile: file('options', optionsFileOf(args)),
  };
}

/** Parameters are taken when a module is loaded; one that is loaded with others is the user's to unload. */
function refuseOtherParams(current: Current, args: Arguments): void {
  const others: string[] = [];
  for (const [name, wanted] of Object.entries(args.params ?? {})) {
    const is = current.params.get(name);
    if (is !== undefined && plain(is) !== plain(wanted)) others.push(`${name}=${is} instead of ${spell(wanted)}`);
  }
  if (current.sign === undefined || others.length === 0) return;
  throw failure(
    `${args.name} is loaded with ${others.join(', ')}; parameters are taken when a module is loaded: unload it or reboot`,
  );
}

function spell(value: Value): string {
  return typeof value === 'boolean' ? (value ? 'Y' : 'N') : String(value);
}

/** Booleans are shown as Y and N, and may be written as 1 and 0 (module_param(9)). */
function plain(value: Value): string {
  const text = spell(value);
  if (/^(y|1|true)$/i.test(text)) return '1';
  return /^(n|0|false)$/i.test(text) ? '0' : text;
}

function assignments(args: Arguments): string[] {
  return Object.entries(args.params ?? {}).map(([name, value]) => `${name}=${spell(value)}`);
}

function persistence(current: Current, args: Arguments, predicted: Predicted): Change[] {
  const changes: Change[] = [];
  if (current.loadFile) {
    const file = expectedFile(current.loadFile, predicted);
    const text = textOf(file);
    const isThere = text.split('\n').some((line) => kernelName(line.trim()) === kernelName(args.name));
    const head = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    changes.push(...lineFileChanges(file, isThere ? text : `${head}${args.name}\n`));
  }
  if (current.optionsFile) {
    const file = expectedFile(current.optionsFile, predicted);
    changes.push(...lineFileChanges(file, `options ${args.name} ${assignments(args).join(' ')}\n`));
  }
  return changes;
}

function* load(args: Arguments, changes: readonly Change[]): Generator<Step, void, StepResult> {
  const answer = yield exec(sh`PATH=$PATH:/usr/sbin:/sbin; modprobe ${args.name} ${assignments(args)}`, {
    purpose: `loading ${args.name}`,
    okCodes: 'any',
    moreFollows: changes.some((change) => change.path === 'content'),
  });
  if (answer.rc === 0) return;
  // It is built in, or was loaded by another name: what counts is whether it is there.
  const asked = yield exec(question(args), { purpose: `asking whether ${args.name} is there`, okCodes: 'any' });
  if (parse(args, asked).sign !== undefined) return;
  throw failure(`${args.name} could not be loaded: modprobe: exit status ${answer.rc}`, answer.stderr);
}

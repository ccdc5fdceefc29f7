import {
  type Change,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  probe,
  put,
  Secret,
  type Step,
  unknown,
} from '../engine/index.ts';
import type { ConfigFormat } from './lib/config/edit.ts';
import { formatKeyPath, type KeyPath, parseKeyPath } from './lib/config/key-path.ts';
import { leafPaths, planConfig, type WantedConfig } from './lib/config/plan.ts';
import { hasSecret, hideChange, hideSecrets, revealData } from './lib/config/secrets.ts';
import { shownDigest } from './lib/file-content.ts';
import {
  asText,
  attributeChanges,
  creationChanges,
  describeFile,
  type ExpectedFile,
  expectedFile,
  type FileState,
  fileResource,
  modeOfNewFile,
  namesOf,
  parseFile,
  pathMistakes,
  replacementProperties,
  replacementReturns,
  requireFolder,
  setAttributes,
  undeterminedAttribute,
  validateMistakes,
  validation,
} from './lib/file-state.ts';
import { whoMayProvide } from './lib/pending-providers.ts';

type FormatName = 'toml' | 'yaml' | 'json' | 'ini' | 'env';

interface Arguments {
  readonly path: string;
  readonly format?: FormatName | undefined;
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove: readonly (string | readonly string[])[];
  readonly flags?:
    | {
        readonly variable: string;
        readonly set: Readonly<Record<string, string | number | boolean | null>>;
        readonly remove: readonly string[];
      }
    | undefined;
  readonly create: boolean;
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly backup: boolean;
  readonly validate?: string | undefined;
}

/** The whole file travels to the controller and back. Bytes. */
const sizeLimit = 1024 * 1024;

const extensions: Readonly<Record<string, FormatName>> = {
  toml: 'toml',
  yaml: 'yaml',
  yml: 'yaml',
  json: 'json',
  conflist: 'json',
  env: 'env',
  ini: 'ini',
  cfg: 'ini',
  cnf: 'ini',
  conf: 'ini',
  service: 'ini',
  socket: 'ini',
  timer: 'ini',
  mount: 'ini',
  slice: 'ini',
  target: 'ini',
  path: 'ini',
  network: 'ini',
  link: 'ini',
  netdev: 'ini',
};

export default defineModule({
  name: 'config-file',
  summary: 'Keeps keys of a TOML, YAML, JSON, INI or env file; all else in the file stays',
  description: `Comments, order and layout are kept, and a file that is as wanted is not written at all. The file is read, edited
on the controller, read back to see that only the wanted keys changed, and replaced atomically. A file that cannot be
parsed, or not be edited without harm, is refused. A link is followed.

- A value in \`set\` replaces the whole value of its key; maps are merged, lists are not.
- INI: \`set\` is section → key → value; a list of values is the key several times, as in systemd units.
- env: quotes and \`export\` are kept. \`flags\` edits the command line in a variable flag by flag: \`--x=1\`, \`--x 1\` and
  \`--x\` are known, all other flags and their order are kept.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'Absolute path of the file on the host' },
      format: {
        enum: ['toml', 'yaml', 'json', 'ini', 'env'],
        description: 'Default: by the name of the file, where .conf and unit files are INI',
      },
      set: {
        type: 'object',
        additionalProperties: true,
        secret: true,
        default: {},
        description: 'Keys with the values that they must have, as nested maps',
      },
      remove: {
        type: 'array',
        default: [],
        description: 'Keys that must not be there, each a path of keys',
        items: {
          description: 'As text, a."b.c".d with parts that hold dots in quotes, or as a list of keys',
          anyOf: [
            { type: 'string', minLength: 1, description: 'As text' },
            {
              type: 'array',
              minItems: 1,
              items: { type: 'string', description: 'A key' },
              description: 'As a list of keys',
            },
          ],
        },
      },
      flags: {
        type: 'object',
        additionalProperties: false,
        required: ['variable'],
        description: 'Flags of a command line that a variable of an env file holds',
        properties: {
          variable: { type: 'string', minLength: 1, description: 'Name of the variable' },
          set: {
            type: 'object',
            default: {},
            description: 'Flags by exact name, dashes included, with their values; null is a flag without a value',
            additionalProperties: {
              anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }, { type: 'null' }],
            },
          },
          remove: {
            type: 'array',
            items: { type: 'string', description: 'A flag' },
            default: [],
            description: 'Flags by exact name that must not be there',
          },
        },
      },
      create: {
        type: 'boolean',
        default: false,
        description: 'Make the file, and the variable of flags, when it is not there',
      },
      ...replacementProperties,
    },
  },
  returns: {
    path: { type: 'string', description: 'The path of the file' },
    ...replacementReturns,
  },
  examples: `
- name: The sandbox image of containerd
  config-file:
    path: /etc/containerd/config.toml
    set:
      plugins:
        io.containerd.grpc.v1.cri:
          sandbox_image: registry.k8s.io/pause:3.6
          containerd: { runtimes: { runc: { options: { SystemdCgroup: true } } } }
    remove:
      - plugins."io.containerd.grpc.v1.cri".registry.mirrors
    validate: containerd --config %s config dump >/dev/null
- name: The kubelet speaks to containerd
  config-file:
    path: /var/lib/kubelet/kubeadm-flags.env
    flags:
      variable: KUBELET_KUBEADM_ARGS
      set:
        --container-runtime: remote
        --container-runtime-endpoint: unix:///run/containerd/containerd.sock
      remove: [--network-plugin, --cni-bin-dir, --cni-conf-dir]
- name: Restart for ever
  config-file:
    path: /etc/systemd/system/containerd.service.d/10-runbook.conf
    create: true
    set:
      Service:
        Restart: always
        ExecStart: ["", /usr/local/bin/containerd]
`,
  check: (args) => mistakes(args),
  desired: (args) => loadFormat(formatOf(args) ?? 'ini'),
  probe: ({ path, owner, group }) =>
    probe(describeFile(path, { follow: true, digest: true, contentUpTo: sizeLimit, owner, group }), ({ stdout }) =>
      parseFile(path, stdout),
    ),
  diff: (current, args, { desired, predicted }): Diff => diffConfig(current, args, desired, predicted),
  *apply({ args, desired, current, changes }): Generator<Step, Record<string, unknown>> {
    const isWritten = changes.some(({ path, resource }) => resource === fileResource(args.path) && path === 'content');
    if (!isWritten) {
      const attributes = setAttributes(current, changes);
      if (attributes) yield exec(attributes, { purpose: `setting attributes of ${args.path}` });
      return {};
    }
    const { text } = planConfig(args.path, textOf(current), wantedOf(args), desired);
    const { mode, owner, group, backup } = args;
    const { stdout } = yield put(current.realPath, hasSecret(args.set) ? new Secret(text) : text, {
      mode: mode ?? (current.type === null ? modeOfNewFile({ isSecret: hasSecret(args.set) }) : undefined),
      owner,
      group,
      backup,
      validate: validation(args.validate),
    });
    return stdout.trim() === '' ? {} : { backup: stdout.trim() };
  },
  result: (current, { set }) => ({
    path: current.path,
    sha256: shownDigest(current, { isSecret: hasSecret(set) }),
    mode: current.mode ?? null,
  }),
});

function diffConfig(current: FileState, args: Arguments, format: ConfigFormat, predicted: Predicted): Diff {
  const expected = expectedFile(current, predicted);
  const { path } = expected;
  if (expected.type === 'link') return unknown(`an earlier task would make ${path} a link`);
  if (expected.type === 'directory' || expected.type === 'other') throw failure(`${path} is no file`);
  const names = namesOf(expected);
  if (expected.type === null) {
    const reason = reasonForMissing(expected, args, predicted);
    if (reason !== undefined) return unknown(reason);
    const plan = planConfig(path, '', wantedOf(args), format);
    const attributes = { ...args, mode: args.mode ?? modeOfNewFile({ isSecret: hasSecret(args.set) }) };
    return [
      ...creationChanges(expected, 'file'),
      ...hideSecrets(plan.changes, args.set),
      shownContent(args, expected, { path: 'content', before: null, after: plan.text, ...names }),
      ...attributeChanges(expected, attributes, predicted),
    ];
  }
  if (!expected.isContentKnown) return unknown(`an earlier task would write ${path}; its content is not known`);
  const before = textOf(expected);
  const plan = planConfig(path, before, wantedOf(args), format);
  const change: Change = { path: 'content', before, after: plan.text, ...names };
  const content = plan.text === before ? [] : [shownContent(args, expected, change)];
  const undetermined = undeterminedAttribute(expected, args);
  if (undetermined !== undefined && content.length === 0) return unknown(undetermined);
  return [...hideSecrets(plan.changes, args.set), ...content, ...attributeChanges(expected, args, predicted)];
}

/** A file with a secret in it is not shown: nobody can tell which of its lines hold another one. */
function shownContent({ set }: Arguments, expected: ExpectedFile, change: Change): Change {
  return hasSecret(set) || expected.isSecret ? hideChange(change) : change;
}

/** Fails when the file will not be there; a reason when that cannot be known; undefined when it is to be made. */
function reasonForMissing(expected: FileState, args: Arguments, predicted: Predicted): string | undefined {
  if (args.create) return requireFolder(expected, predicted);
  const reason = whoMayProvide(predicted, `file ${expected.path}`);
  if (reason !== undefined) return reason;
  throw failure(`${expected.path} does not exist; create: true makes it`);
}

function textOf(file: FileState): string {
  if (file.type === null) return '';
  if (file.content === undefined) throw failure(`${file.path} is larger than 1 MiB, so it is not edited`);
  const text = asText(file.content);
  if (text === undefined) throw failure(`${file.path} is no UTF-8 text, so it is not edited`);
  return text;
}

function wantedOf({ set, remove, flags, create }: Arguments): WantedConfig {
  return {
    set: revealData(set),
    isSecret: hasSecret(set),
    remove: remove.map(keysOf).filter(isKeyPath),
    flags,
    create,
  };
}

function keysOf(path: string | readonly string[]): KeyPath | { readonly mistake: string } {
  return typeof path === 'string' ? parseKeyPath(path) : path;
}

function isKeyPath(keys: KeyPath | { readonly mistake: string }): keys is KeyPath {
  return !('mistake' in keys);
}

function formatOf({ format, path }: Pick<Arguments, 'format' | 'path'>): FormatName | undefined {
  return format ?? extensions[/\.([^./]+)$/.exec(path)?.[1] ?? ''];
}

/** The packages behind the formats are loaded by the tasks that need them. */
async function loadFormat(name: FormatName): Promise<ConfigFormat> {
  switch (name) {
    case 'toml':
      return (await import('./lib/config/toml.ts')).toml;
    case 'yaml':
      return (await import('./lib/config/yaml.ts')).yaml;
    case 'json':
      return (await import('./lib/config/json.ts')).json;
    case 'ini':
      return (await import('./lib/config/ini.ts')).ini;
    case 'env':
      return (await import('./lib/config/env.ts')).env;
  }
}

function mistakes(args: Arguments): string[] {
  const format = formatOf(args);
  const found = [...pathMistakes('path', args.path), ...validateMistakes(args.validate)];
  if (format === undefined) found.push(`"format" is required: the name of ${args.path} does not tell it`);
  const removed = args.remove.map(keysOf);
  for (const keys of removed) if (!isKeyPath(keys)) found.push(`"remove": ${keys.mistake}`);
  const set = leafPaths(args.set);
  for (const keys of removed.filter(isKeyPath)) {
    // Removing what is above or below a key that is set would make each run undo a part of itself.
    const other = set.find((path) => keys.every((key, i) => i >= path.length || path[i] === key));
    if (other)
      found.push(`${formatKeyPath(other)} is set and ${formatKeyPath(keys)} removed: they contradict each other`);
  }
  const depth = format === 'env' ? 1 : format === 'ini' ? 2 : Number.POSITIVE_INFINITY;
  for (const keys of [...set, ...removed.filter(isKeyPath)]) {
    if (keys.length > depth)
      found.push(`${formatKeyPath(keys)} is deeper than a key in ${format === 'env' ? 'an env' : 'an INI'} file`);
  }
  return [...found, ...flagMistakes(args, format)];
}

function flagMistakes({ flags, set }: Arguments, format: FormatName | undefined): string[] {
  if (!flags) return [];
  const found: string[] = [];
  if (format !== 'env') found.push('"flags" is for env files');
  if (Object.hasOwn(set, flags.variable)) found.push(`${flags.variable} is in "set" and in "flags"`);
  const names = [...Object.keys(flags.set), ...flags.remove];
  for (const name of names) {
    if (!/^-[^\s=]+$/.test(name))
      found.push(`"${name}" is no flag: write its exact name with its dashes, without a value`);
  }
  const both = flags.remove.find((name) => Object.hasOwn(flags.set, name));
  if (both !== undefined) found.push(`${both} is set and removed`);
  return found;
}

import {
  type Change,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  probe,
  type Script,
  type Step,
  sh,
  unknown,
} from '../engine/index.ts';
import {
  attributeChanges,
  attributeProperties,
  cleanPath,
  creationChanges,
  describeFile,
  expectedFile,
  type FileState,
  fileResource,
  fullMode,
  namesOf,
  parseFile,
  pathMistakes,
  requireFolder,
  setAttributes,
  treeChangeName,
  undeterminedAttribute,
} from './lib/file-state.ts';
import { whoMayMake, whoMayProvide } from './lib/pending-providers.ts';

interface Arguments {
  readonly path: string;
  readonly state: 'file' | 'directory' | 'link' | 'absent';
  readonly target?: string | undefined;
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly recurse: boolean;
  readonly force: boolean;
}

interface Current {
  readonly file: FileState;
  /** Mount points at the path or below it, where it would be removed. */
  readonly mounts: readonly string[];
  /** Entries of the tree that differ, by attribute. */
  readonly differing: Readonly<Record<'mode' | 'owner' | 'group', number>>;
}

export default defineModule({
  name: 'file',
  summary: 'Keeps a folder, a link or the attributes of a file; removes paths',
  description: `- \`state: file\` only sets attributes: it fails when there is no file. Use \`copy\` or \`file-template\` to write one.
- \`state: directory\` makes the folders above it too. A link to a folder counts as the folder.
- \`state: absent\` removes whole trees. It refuses \`/\` and everything that is a mount point or contains one.
- With \`recurse\`, owner and group are those of every entry; \`mode\` is that of the folders, and files get its read and
  write bits, and its execute bits where they are executable already.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'Absolute path on the host' },
      state: {
        enum: ['file', 'directory', 'link', 'absent'],
        default: 'file',
        description: 'What must be there; file means that an existing file gets the attributes',
      },
      target: { type: 'string', minLength: 1, description: 'Where a link points, as written into the link' },
      ...attributeProperties,
      recurse: {
        type: 'boolean',
        default: false,
        description: 'Set owner, group and mode of everything in the folder too',
      },
      force: {
        type: 'boolean',
        default: false,
        description: 'Let a link replace a file, or a folder with all that is in it',
      },
    },
  },
  returns: {
    path: { type: 'string', description: 'The path' },
    exists: { type: 'boolean', description: 'Whether it is there' },
    type: { description: 'file, directory, link or other; null when it is not there' },
    mode: { description: 'Its permission bits as octal digits; null when it is not there' },
    owner: { description: "Its owner's name; null when it is not there" },
    group: { description: "Its group's name; null when it is not there" },
    target: { description: 'Where a link leads; null when it is none' },
  },
  examples: `
- name: The folder of the registry mirrors
  file:
    path: /etc/containerd/certs.d
    state: directory
    mode: "0755"
- name: No left-over configuration
  file:
    path: /etc/cni/net.d/10-bridge.conf
    state: absent
- name: The short name
  file:
    path: /usr/local/bin/k
    state: link
    target: /usr/bin/kubectl
`,
  check: (args) => [
    ...pathMistakes('path', args.path),
    ...(args.state === 'link' && args.target === undefined ? ['"target" is required for state: link'] : []),
    ...(args.state !== 'link' && args.target !== undefined ? ['"target" is for state: link'] : []),
    ...(args.state === 'link' && args.mode !== undefined ? ['a link has no mode: leave "mode" out'] : []),
    ...(args.state !== 'directory' && args.recurse ? ['"recurse" is for state: directory'] : []),
    ...(args.state !== 'link' && args.force ? ['"force" is for state: link'] : []),
    ...(args.state === 'absent' && cleanPath(args.path) === '/' ? ['"/" cannot be removed'] : []),
  ],
  probe: (args) => probe(question(args), ({ stdout }) => parse(args, stdout)),
  diff: (current: Current, args, { predicted }): Diff => {
    switch (args.state) {
      case 'absent':
        return diffAbsent(current, args, predicted);
      case 'link':
        return diffLink(current, args, predicted);
      case 'directory':
        return diffDirectory(current, args, predicted);
      case 'file':
        return diffFile(current, args, predicted);
    }
  },
  *apply({ args, current, changes, id }): Generator<Step, void> {
    const path = cleanPath(args.path);
    if (args.state === 'absent') {
      yield change(sh`rm -rf ${path}`, `removing ${path}`);
      return;
    }
    const attributes = setAttributes(current.file, changes);
    const making = makingScript(args, current, changes, id);
    if (making) yield change(sh.all([making, ...(attributes ? [attributes] : [])]), `making ${path}`);
    else if (attributes) yield change(attributes, `setting attributes of ${path}`);
    const tree = treeScript(args, changes);
    if (tree) yield change(tree, `setting attributes below ${path}`);
  },
  result: ({ file }) => ({
    path: file.path,
    exists: file.type !== null,
    type: file.type,
    mode: file.mode ?? null,
    owner: file.owner ?? null,
    group: file.group ?? null,
    target: file.target ?? null,
  }),
});

/** Makes the link or the folder; undefined where it is there. */
function makingScript(args: Arguments, { file }: Current, changes: readonly Change[], id: string): Script | undefined {
  const isRelinked = args.state === 'link' && changes.some((c) => c.path === 'target');
  if (isRelinked) return linkScript(file, cleanPath(args.path), args.target ?? '', id);
  if (args.state !== 'directory' || file.type !== null) return undefined;
  return sh`umask 022 && mkdir -p ${file.realPath}`;
}

function change(script: Script, purpose: string): Step {
  return exec(script, { purpose });
}

function question(args: Arguments): Script {
  const isFollowed = args.state === 'file' || args.state === 'directory';
  const scripts = [describeFile(args.path, { follow: isFollowed, owner: args.owner, group: args.group })];
  if (args.state === 'absent' || args.force) scripts.push(mountsScript);
  if (args.recurse) scripts.push(...differences(args).map(([name, entries]) => countScript(name, entries)));
  return sh.lines(scripts);
}

/** Mount points at `$p` or below. The kernel writes spaces in paths as octal escapes, which `printf %b` undoes. */
const mountsScript = sh`if [ "$t" = directory ] && [ -r /proc/self/mountinfo ]; then
r=$(cd "$p" && pwd -P) && while read -r _ _ _ _ m _; do
m=$(printf %b "$m"); case $m in "$r" | "$r"/*) printf 'mount=%s\n' "$m" ;; esac
done </proc/self/mountinfo; fi`;

type Attribute = 'mode' | 'owner' | 'group';

/** The tests of `find` for what differs below the path, and the command that repairs it, by attribute. */
function differences(args: Arguments): [Attribute, readonly { test: Script; repair: Script }[]][] {
  const all: [Attribute, { test: Script; repair: Script }[]][] = [];
  if (args.owner !== undefined) {
    all.push(['owner', [{ test: sh`! -user ${args.owner}`, repair: sh`chown -h ${args.owner}` }]]);
  }
  if (args.group !== undefined) {
    all.push(['group', [{ test: sh`! -group ${args.group}`, repair: sh`chgrp -h ${args.group}` }]]);
  }
  if (args.mode !== undefined) {
    const folders = fullMode(args.mode);
    // Set-id bits are for folders: nobody means to make every file of a tree set-gid.
    const executables = `0${folders.slice(1)}`;
    const plain = executables.replace(/[1-7]/g, (digit) => String(Number(digit) & 6));
    const isExecutable = sh`'(' -perm -100 -o -perm -010 -o -perm -001 ')'`;
    all.push([
      'mode',
      [
        { test: sh`-type d ! -perm ${folders}`, repair: sh`chmod ${`0${folders}`}` },
        { test: sh`-type f ${isExecutable} ! -perm ${executables}`, repair: sh`chmod ${executables}` },
        { test: sh`-type f ! ${isExecutable} ! -perm ${plain}`, repair: sh`chmod ${plain}` },
      ],
    ]);
  }
  return all;
}

function countScript(name: Attribute, entries: readonly { test: Script }[]): Script {
  const counts = entries.map(({ test }) => sh`find "$p/" -mindepth 1 ${test} -print`);
  return sh`if [ "$t" = directory ]; then printf ${`${name}_below=%s\n`} "$( { ${sh.lines(counts)}
} | wc -l)"; fi`;
}

function treeScript(args: Arguments, changes: readonly Change[]): Script | undefined {
  const wanted = differences(args).filter(([name]) => changes.some((c) => c.path === treeChangeName(name)));
  const scripts = wanted.flatMap(([, entries]) =>
    entries.map(({ test, repair }) => sh`find ${`${cleanPath(args.path)}/`} -mindepth 1 ${test} -exec ${repair} {} +`),
  );
  return scripts.length === 0 ? undefined : sh.all(scripts);
}

function parse(args: Arguments, stdout: string): Current {
  const file = parseFile(args.path, stdout);
  const asked = differences(args).map(([name]) => name);
  const count = (name: Attribute): number => {
    if (!args.recurse || file.type !== 'directory' || !asked.includes(name)) return 0;
    const answer = new RegExp(`^${name}_below= *(\\d+)$`, 'm').exec(stdout)?.[1];
    if (answer === undefined) throw failure(`the tree below ${args.path} cannot be examined`, stdout);
    return Number(answer);
  };
  return {
    file,
    mounts: [...stdout.matchAll(/^mount=(.*)$/gm)].map((match) => match[1] ?? ''),
    differing: { mode: count('mode'), owner: count('owner'), group: count('group') },
  };
}

function diffAbsent({ file, mounts }: Current, args: Arguments, predicted: Predicted): Diff {
  const path = cleanPath(args.path);
  if (path === '/') throw failure('/ cannot be removed');
  const expected = expectedFile(file, predicted);
  const resource = fileResource(path);
  if (expected.type === null) {
    // What an earlier task removes, nothing brings back; what is only missing so far, a command may make.
    const isSettled = predicted.of(resource).exists === false;
    const reason = isSettled ? undefined : whoMayMake(predicted, `path ${path}`);
    return reason === undefined ? [] : unknown(reason);
  }
  refuseMounts(path, mounts);
  return [{ path: 'exists', before: true, after: false, ...namesOf(file) }];
}

function refuseMounts(path: string, mounts: readonly string[]): void {
  if (mounts.length === 0) return;
  throw failure(`${path} is a mount point or contains one, so it is not removed; unmount first`, mounts.join('\n'));
}

function diffLink({ file, mounts }: Current, args: Arguments, predicted: Predicted): Diff {
  const expected = expectedFile(file, predicted);
  if (!expected.isTypeKnown) return unknown(`an earlier task would make ${expected.path}; what it is is not known`);
  const changes: Change[] = [];
  if (expected.type !== 'link') {
    if (expected.type !== null && !args.force) {
      const kind = expected.type === 'directory' ? 'a folder' : 'a file';
      throw failure(`${file.path} is ${kind}, not a link; force: true replaces it`);
    }
    if (expected.type !== null) refuseMounts(file.path, mounts);
    const reason = requireFolder(expected, predicted);
    if (reason !== undefined) return unknown(reason);
    changes.push(...creationChanges(expected, 'link'));
  }
  if (expected.type !== 'link' || expected.target !== args.target) {
    const before = expected.type === 'link' ? (expected.target ?? null) : null;
    changes.push({ path: 'target', before, after: args.target, ...namesOf(file) });
  }
  return [...changes, ...attributeChanges(expected, attributesOf(args), predicted)];
}

function diffDirectory(current: Current, args: Arguments, predicted: Predicted): Diff {
  const expected = expectedFile(current.file, predicted);
  if (!expected.isTypeKnown) return unknown(`an earlier task would make ${expected.path}; what it is is not known`);
  const { path } = expected;
  if (expected.type === 'link') return unknown(`an earlier task would make ${path} a link`);
  if (expected.type !== null && expected.type !== 'directory') throw failure(`${path} is a file, not a folder`);
  if (expected.type === null && expected.obstacle !== undefined) {
    throw failure(`${expected.obstacle} is no folder, so ${path} cannot be in it`);
  }
  const creation = expected.type === null ? creationChanges(expected, 'directory') : [];
  const attributes = attributeChanges(expected, attributesOf(args), predicted);
  const undetermined = undeterminedAttribute(expected, args);
  if (undetermined !== undefined && creation.length === 0) return unknown(undetermined);
  const pending = args.recurse && creation.length === 0 ? pendingBelow(expected, args, predicted) : undefined;
  if (pending !== undefined) {
    return unknown(`an earlier task would change ${pending.slice('file:'.length)}; whether it fits shows then`);
  }
  return [...creation, ...attributes, ...(creation.length === 0 ? belowChanges(current, args) : [])];
}

/** What earlier tasks would change in the folder, if that may be what is asked for. */
function pendingBelow(file: FileState, args: Arguments, predicted: Predicted): string | undefined {
  const { resource, alias } = namesOf(file);
  const asked = differences(args).map(([name]) => treeChangeName(name));
  const isOther = (name: string): boolean =>
    name.endsWith('/') && !asked.some((path) => predicted.of(name)[path] !== undefined);
  return [resource, alias]
    .flatMap((name) => (name === undefined ? [] : predicted.under(`${name}/`)))
    .find((name) => !isOther(name));
}

function belowChanges({ differing, file }: Current, args: Arguments): Change[] {
  const { resource, alias } = namesOf(file);
  const names = { resource: `${resource}/`, ...(alias !== undefined && { alias: `${alias}/` }) };
  const changes: Change[] = [];
  for (const [name] of differences(args)) {
    const count = differing[name];
    if (count === 0) continue;
    changes.push({
      path: treeChangeName(name),
      before: `${count} ${count === 1 ? 'differs' : 'differ'}`,
      after: args[name],
      ...names,
    });
  }
  return changes;
}

function diffFile({ file }: Current, args: Arguments, predicted: Predicted): Diff {
  const expected = expectedFile(file, predicted);
  if (!expected.isTypeKnown) return unknown(`an earlier task would make ${expected.path}; what it is is not known`);
  const { path } = expected;
  if (expected.type === null) {
    const reason = whoMayProvide(predicted, `file ${path}`);
    if (reason !== undefined) return unknown(reason);
    throw failure(`${path} does not exist; state: file only sets attributes, copy and file-template write files`);
  }
  if (expected.type === 'link') return unknown(`an earlier task would make ${path} a link`);
  if (expected.type === 'directory') throw failure(`${path} is a folder, not a file`);
  const undetermined = undeterminedAttribute(expected, args);
  if (undetermined !== undefined) return unknown(undetermined);
  return attributeChanges(expected, attributesOf(args), predicted);
}

function attributesOf(args: Arguments): Pick<Arguments, 'mode' | 'owner' | 'group'> {
  return { mode: args.mode, owner: args.owner, group: args.group };
}

/** A link in place of what is there, by a rename where `mv` can: nobody finds the path empty in between. */
function linkScript(file: FileState, path: string, target: string, id: string): Script {
  const temporary = `${path}.runbook-${id}`;
  const swap = sh`ln -s -- ${target} ${temporary} && mv -fT ${temporary} ${path}`;
  if (file.type === 'directory') return sh`rm -rf ${path} && ln -s -- ${target} ${path}`;
  // Without -T (old busybox), mv would put the link into a folder that the old link leads to.
  return sh`{ ${swap}; } 2>/dev/null || { rm -f ${temporary}; ln -sfn -- ${target} ${path}; }`;
}

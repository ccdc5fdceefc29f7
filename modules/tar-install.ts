import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type Change,
  type Content,
  type Controller,
  type Diff,
  defineModule,
  exec,
  failure,
  type ProbeOutput,
  probe,
  put,
  RunbookError,
  type Step,
  type StepResult,
} from '../engine/index.ts';
import { type Member, readMembers } from './lib/archive-members.ts';
import { attributeProperties, cleanPath, fileResource, fullMode, pathMistakes } from './lib/file-state.ts';
import {
  exitStatus,
  fetchScript,
  type Installation,
  installScript,
  prepareScript,
  questionScript,
  removeScript,
  stagingFolder,
} from './lib/tar-install-scripts.ts';

interface Arguments {
  readonly src: string;
  readonly dest: string;
  readonly sha256?: string | undefined;
  readonly via: 'controller' | 'target';
  readonly name?: string | undefined;
  readonly strip_components: number;
  readonly include: readonly string[];
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly version?: { readonly command: string; readonly expect: string } | undefined;
  readonly state_dir?: string | undefined;
}

interface Desired {
  /** As the task names it. */
  readonly src: string;
  readonly installation: Installation;
  /** What the host fetches itself. */
  readonly url?: string | undefined;
  /** What is put on the host; undefined when the host has or gets the archive itself. */
  readonly pushed?: { readonly content: Content; readonly sha256: string } | undefined;
  /** What the archive installs, where the controller can read it. */
  readonly members?: readonly Member[] | undefined;
}

interface Installed {
  readonly path: string;
  readonly sha256: string | undefined;
  readonly mode: string | undefined;
  readonly owner: string | undefined;
}

interface Current {
  /** What the manifest says; undefined without one. */
  readonly manifest:
    | {
        readonly archive: string;
        readonly options: string;
        readonly label: string;
        readonly version: string;
        readonly count: number;
      }
    | undefined;
  /** Every file is as it was left. */
  readonly isIntact: boolean;
  /** The manifest's files, where they matter. */
  readonly files: readonly Installed[];
  readonly missing: readonly string[];
  readonly differing: readonly string[];
  /** Modes and owners of the manifest's files as they are. */
  readonly now: ReadonlyMap<string, { readonly mode: string; readonly owner: string }>;
  /** Digests of what is at the places of the archive's files; `-` for what is no file. */
  readonly have: ReadonlyMap<string, string>;
  /** Where links at those places lead. */
  readonly linked: ReadonlyMap<string, string>;
  readonly missingFolders: readonly string[];
}

export default defineModule({
  name: 'tar-install',
  summary: 'Installs the files of a release archive, verified, and replaces running programs safely',
  description: `The archive is unpacked beside its destination, checked, and each file is then put in place by a rename: a program that runs
keeps its old file, and nothing is ever half-written. Before that, nothing on the host is touched: a digest that differs,
a member or link that leaves the folder, a program that does not run on this host, or another version than promised end
the task with everything as it was.

What was installed is remembered in a manifest on the host (\`/var/lib/runbook/tar-install/NAME\`), so that a second run
asks once and transfers nothing, a file that was changed or removed is installed again, and files that a new version no
longer has are removed. Keep \`name\` the same from version to version.

Archives are tar, plain, gzip, or whatever the host's tar can read. An archive is fetched by the controller, once for all
hosts, and pushed; \`via: target\` has each host fetch it with curl or wget.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['src', 'dest'],
    properties: {
      src: {
        type: 'string',
        minLength: 1,
        description: 'The archive: a file of the controller (also in files/), or a URL (http, https, file)',
      },
      sha256: {
        type: 'string',
        pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
        description: "The archive's digest. Required for a URL and with via: target; checked for a file too when given",
      },
      via: {
        enum: ['controller', 'target'],
        default: 'controller',
        description: 'Who gets the archive. With target, src is a URL that the host can reach or a path on it',
      },
      dest: {
        type: 'string',
        minLength: 1,
        description: 'Folder on the host to unpack into; made when it is not there',
      },
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
        description: 'Name of the manifest. Default: from dest and the archive, without its version',
      },
      strip_components: {
        type: 'integer',
        minimum: 0,
        default: 0,
        description: 'How many leading folders of the members to leave out',
      },
      include: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        default: [],
        description: 'Shell patterns of members to install, after stripping; * matches slashes too. Default: all',
        examples: [['bin/containerd*', 'bin/ctr']],
      },
      mode: { ...attributeProperties.mode, description: "Permission bits of every file. Default: the archive's" },
      owner: { ...attributeProperties.owner, description: 'Owner of every file. Default: the user who unpacks, root' },
      group: {
        ...attributeProperties.group,
        description: 'Group of every file. Default: that of the user who unpacks',
      },
      version: {
        type: 'object',
        additionalProperties: false,
        required: ['command', 'expect'],
        properties: {
          command: {
            type: 'string',
            minLength: 1,
            description: 'Command that prints the version, run on the unpacked files, in their folder',
            examples: ['./bin/containerd --version'],
          },
          expect: { type: 'string', minLength: 1, description: 'Text that must occur in what it prints' },
        },
        description: 'Read the version back before anything is replaced',
      },
      state_dir: {
        type: 'string',
        description:
          'Folder of the manifest. Default: /var/lib/runbook/tar-install, and for another user than root ~/.local/state/runbook/tar-install',
      },
    },
  },
  examples: `
- name: containerd
  tar-install:
    src: https://github.com/containerd/containerd/releases/download/v1.7.27/containerd-1.7.27-linux-amd64.tar.gz
    sha256: "{{ containerd_sha256 }}"
    dest: /usr/local
    version: { command: ./bin/containerd --version, expect: v1.7.27 }
  notify: Restart containerd
- name: Two of the CNI plugins, from a file beside the playbook
  tar-install:
    src: cni-plugins-linux-amd64-v1.1.1.tgz
    dest: /opt/cni/bin
    include: [loopback, portmap]
    mode: "0755"
`,
  check: (args) => [
    ...pathMistakes('dest', args.dest),
    ...(args.state_dir === undefined ? [] : pathMistakes('state_dir', args.state_dir)),
    ...(isRemote(args.src) && args.sha256 === undefined ? ['"sha256" is required for a URL'] : []),
    ...(args.via === 'target' && args.sha256 === undefined ? ['"sha256" is required with via: target'] : []),
    ...(args.via === 'target' && !isRemote(args.src) && !/^(file:\/\/)?\//.test(args.src)
      ? ['with via: target, "src" must be a URL or an absolute path on the host']
      : []),
    ...(/^[a-z]+:\/\//.test(args.src) && !/^(https?|file):\/\//.test(args.src)
      ? ['"src" must be a path or a URL with http, https or file']
      : []),
    ...args.include
      .filter((pattern) => /^\/|\n|^\.\//.test(pattern))
      .map((pattern) => `the include ${JSON.stringify(pattern)} must be a member's name: no leading / or ./`),
  ],
  desired: describeArchive,
  probe: (args, desired) => probe(question(desired), (output) => parse(args, output), { timeoutMs: 300_000 }),
  diff: (current: Current, _args, { desired, predicted }): Diff => {
    const { installation } = desired;
    const resource = `tar-install:${installation.name}`;
    const after = labelOf(installation.label, installation.sha256);
    if (predicted.of(resource).archive === after) return [];
    const { manifest } = current;
    const isInstalled = manifest?.archive === installation.sha256 && manifest.options === installation.options;
    if (isInstalled) return current.isIntact ? [] : driftOf(current);
    const before = manifest ? labelOf(manifest.label, manifest.archive) : null;
    // The same archive with other options is another installation of it.
    const change: Change = {
      path: 'archive',
      before,
      after: before === after ? `${after}, with other options` : after,
      resource,
    };
    return [change, ...fileChanges(current, desired)];
  },
  *apply({ desired }): Generator<Step, void, StepResult> {
    const { installation } = desired;
    const { name, label } = installation;
    try {
      yield exec(prepareScript(installation), { purpose: `making room for ${label}` });
      if (desired.pushed) yield put(installation.archive, desired.pushed, { mode: '0600' });
      if (desired.url !== undefined) yield* fetch(installation, desired.url);
      const script = installScript(installation);
      judge(
        yield exec(script, { purpose: `installing ${label} into ${installation.dest || '/'}`, okCodes: 'any' }),
        desired,
      );
    } catch (error) {
      try {
        yield exec(removeScript(installation), { purpose: `removing what ${name} left` });
      } catch {
        // What went wrong first is what the user has to know; the next run removes it.
      }
      throw error;
    }
  },
  result: ({ manifest }, _args, { installation }) => ({
    name: installation.name,
    archive: manifest?.label ?? null,
    sha256: manifest?.archive ?? null,
    version: manifest?.version || null,
    files: manifest?.count ?? 0,
  }),
});

function isRemote(src: string): boolean {
  return /^https?:\/\//.test(src);
}

async function describeArchive(args: Arguments, controller: Controller): Promise<Desired> {
  const wanted = args.sha256?.replace(/^sha256:/, '').toLowerCase();
  const dest = cleanPath(args.dest) === '/' ? '' : cleanPath(args.dest);
  const label = decodeURIComponent(
    args.src
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) || args.src,
  );
  const name = args.name ?? defaultName(dest, label);
  const base = {
    name,
    dest,
    label,
    archive: `${stagingFolder({ dest, name })}/archive`,
    strip: args.strip_components,
    include: args.include,
    mode: args.mode === undefined ? undefined : fullMode(args.mode),
    owner: args.owner,
    group: args.group,
    version: args.version,
    stateDir: args.state_dir,
  };
  const decisive = [dest, base.strip, base.include, base.mode, base.owner, base.group];
  const options = createHash('sha256').update(JSON.stringify(decisive)).digest('hex').slice(0, 16);
  if (args.via === 'target' && wanted !== undefined) {
    const installation = { ...base, options, sha256: wanted };
    if (isRemote(args.src)) return { src: args.src, installation, url: args.src };
    return { src: args.src, installation: { ...installation, archive: args.src.replace(/^file:\/\//, '') } };
  }
  const path = await locate(args.src, wanted, controller);
  const { content, sha256 } = await controller.content(path);
  if (wanted !== undefined && sha256 !== wanted) throw mismatch(args.src, sha256, wanted);
  const members = await readMembers(path, { strip: base.strip, include: base.include });
  return { src: args.src, installation: { ...base, options, sha256 }, pushed: { content, sha256 }, members };
}

async function locate(src: string, sha256: string | undefined, controller: Controller): Promise<string> {
  if (isRemote(src) && sha256 !== undefined) return controller.download(src, sha256);
  return controller.find(src.startsWith('file://') ? fileURLToPath(src) : src, 'files');
}

/** `/usr/local` and `containerd-1.7.27-linux-amd64.tar.gz` are `usr-local-containerd`. */
function defaultName(dest: string, label: string): string {
  const stem = label.replace(/(\.tar)?\.(gz|xz|bz2|zst)$|\.(tar|tgz|txz|tbz2?)$/, '').replace(/[-_.]v?\d.*$/, '');
  const slug = `${dest}/${stem}`.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return slug || 'archive';
}

function labelOf(label: string, sha256: string): string {
  return `${label} (sha256 ${sha256.slice(0, 12)})`;
}

function mismatch(src: string, actual: string, wanted: string): RunbookError {
  return new RunbookError('digest-mismatch', `${src} has sha256 ${actual}, not ${wanted}`, {
    hint: 'compare with the sums that the release publishes; nothing was installed',
  });
}

function question({ installation, members = [] }: Desired): ReturnType<typeof questionScript> {
  const { dest } = installation;
  const paths = members.map((member) => `${dest}/${member.path}`);
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at));
  }
  return questionScript(installation, paths, [...folders].sort());
}

function parse(args: Arguments, { rc, stdout, stderr }: ProbeOutput): Current {
  if (rc !== 0) throw failure(`what is installed in ${args.dest} cannot be told`, stderr || stdout);
  const field = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const all = (name: string): string[] =>
    [...stdout.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((m) => m[1] ?? '');
  const files: Installed[] = [];
  for (const [, sha256, mode, owner, path = ''] of stdout.matchAll(/^file (\S+) (\S+) (\S+) (.*)$/gm)) {
    files.push({ path, sha256, mode, owner });
  }
  for (const [, path = ''] of stdout.matchAll(/^link (.*)\t.*$/gm)) {
    files.push({ path, sha256: undefined, mode: undefined, owner: undefined });
  }
  const pairs = (name: string): [string, string][] =>
    all(name).map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]);
  const now = [...stdout.matchAll(/^now=(\S+) (\S+) (.*)$/gm)].map(
    ([, mode = '', owner = '', path = '']) => [path, { mode, owner }] as const,
  );
  const archive = field('archive');
  return {
    manifest:
      archive === ''
        ? undefined
        : {
            archive,
            options: field('options'),
            label: field('label'),
            version: field('version'),
            count: Number(field('count')),
          },
    isIntact: /^intact$/m.test(stdout) || isUnchanged(files, all('missing'), all('differs'), new Map(now)),
    files,
    missing: all('missing'),
    differing: all('differs'),
    now: new Map(now),
    have: new Map(pairs('have')),
    linked: new Map(all('linked').map((line) => [line.replace(/\t.*$/, ''), line.replace(/^.*\t/, '')])),
    missingFolders: all('nofolder'),
  };
}

/** Touched or restored from a backup, and still the same. */
function isUnchanged(
  files: readonly Installed[],
  missing: readonly string[],
  differing: readonly string[],
  now: Current['now'],
): boolean {
  if (files.length === 0 || missing.length > 0 || differing.length > 0) return false;
  return files.every(({ path, mode, owner }) => {
    const is = now.get(path);
    return is === undefined || (is.mode === mode && is.owner === owner);
  });
}

function driftOf({ files, missing, differing, now }: Current): Change[] {
  const changes: Change[] = [];
  for (const { path, sha256, mode, owner } of files) {
    const resource = fileResource(path);
    const is = now.get(path);
    if (missing.includes(path)) changes.push({ path: 'exists', before: false, after: true, resource });
    else if (differing.includes(path)) {
      changes.push({ path: 'sha256', before: '(changed since)', after: sha256 ?? '(as installed)', resource });
    }
    if (is && mode !== undefined && is.mode !== mode) {
      changes.push({ path: 'mode', before: fullMode(is.mode), after: fullMode(mode), resource });
    }
    if (is && is.owner !== owner) changes.push({ path: 'owner and group', before: is.owner, after: owner, resource });
  }
  return changes;
}

/** File by file, for the tasks after it: a unit that the archive brings will be there. */
function fileChanges(current: Current, { installation, members }: Desired): Change[] {
  if (members === undefined) return [];
  const changes: Change[] = [];
  const add = (full: string, path: string, before: unknown, after: unknown): void => {
    changes.push({ path, before, after, resource: fileResource(full) });
  };
  for (const folder of current.missingFolders) {
    add(folder, 'exists', false, true);
    add(folder, 'type', null, 'directory');
  }
  const paths = new Set<string>();
  for (const { path, sha256, target } of members) {
    const full = `${installation.dest}/${path}`;
    paths.add(full);
    const [is, leads] = [current.have.get(full), current.linked.get(full)];
    if (is === undefined && leads === undefined) add(full, 'exists', false, true);
    if (target !== undefined) {
      if (leads === undefined) add(full, 'type', is === undefined ? null : 'file', 'link');
      if (leads !== target) add(full, 'target', leads ?? null, target);
      continue;
    }
    if (leads !== undefined) add(full, 'type', 'link', 'file');
    if (sha256 !== undefined && sha256 !== is) add(full, 'sha256', is ?? null, sha256);
  }
  for (const { path } of current.files) {
    if (!paths.has(path) && !current.missing.includes(path)) {
      add(path, 'exists', true, false);
    }
  }
  return changes;
}

function* fetch(installation: Installation, url: string): Generator<Step, void, StepResult> {
  const answer = yield exec(fetchScript(installation, url), { purpose: `fetching ${url}`, okCodes: 'any' });
  if (answer.rc === 0) return;
  if (answer.rc === exitStatus.problem) throw failure(answer.stderr.trim());
  throw new RunbookError('download-failed', `the host cannot fetch ${url}: ${answer.stderr.trim()}`);
}

function judge(answer: StepResult, { installation, src }: Desired): void {
  if (answer.rc === 0) return;
  if (answer.rc === exitStatus.digest) throw mismatch(src, answer.stdout.trim(), installation.sha256);
  if (answer.rc === exitStatus.problem) throw failure(`${installation.label}: ${answer.stderr.trim()}`);
  throw failure(`${installation.label} could not be installed: exit status ${answer.rc}`, answer.stderr);
}

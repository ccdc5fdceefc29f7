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
  type Predicted,
  type ProbeOutput,
  probe,
  put,
  RunbookError,
  type Step,
  type StepResult,
  unknown,
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
  /** What is put on the host, once it is needed; undefined when the host has or gets the archive itself. */
  readonly pushed?: { readonly content: Content; readonly sha256: string } | undefined;
}

/** See `prepare` of a module. */
type Implied = Omit<Change, 'before'>;

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
  /** The destination and the folders above it, as far as they are not there. */
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
asks once and fetches and transfers nothing, a file that was changed or removed is installed again, and files that a new
version no longer has are removed. Keep \`name\` the same from version to version.

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
  returns: {
    name: { type: 'string', description: 'The name of the installation' },
    archive: { description: 'What was installed, null when nothing is' },
    sha256: { description: 'The digest of its archive, null when nothing is installed' },
    version: { description: 'The version that it tells, null when it tells none' },
    files: { type: 'integer', description: 'How many files belong to it' },
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
  controllerFiles: ({ src, via = 'controller' }) =>
    via === 'controller' && !/^[a-z]+:\/\//.test(String(src)) ? ['src'] : [],
  desired: describeArchive,
  invalidates: ['container_runtimes', 'kubelet'],
  probe: (args, desired) =>
    probe(questionScript(desired.installation), (output) => parse(args, output), { timeoutMs: 300_000 }),
  diff: (current: Current, _args, { desired, predicted }): Diff => {
    const { installation } = desired;
    const resource = resourceOf(installation);
    const after = labelOf(installation.label, installation.sha256);
    const said = predicted.of(resource);
    if (said.archive === after) return predictedDrift(said.files, predicted);
    const { manifest } = current;
    if (isInstalled(current, installation)) {
      if (!current.isIntact) return driftOf(current);
      const touched = predicted.under(`file:${installation.dest}/`)[0];
      if (touched === undefined) return [];
      return unknown(
        `an earlier task would change ${touched.slice('file:'.length)}; whether it is of the archive shows then`,
      );
    }
    const before = manifest ? labelOf(manifest.label, manifest.archive) : null;
    // The same archive with other options is another installation of it.
    return [{ path: 'archive', before, after: before === after ? `${after}, with other options` : after, resource }];
  },
  prepare: (args, context, controller) => fetchArchive(args, context, controller),
  *apply({ desired }): Generator<Step, void, StepResult> {
    const { installation } = desired;
    const { name, label } = installation;
    try {
      yield exec(prepareScript(installation), { purpose: `making room for ${label}`, moreFollows: true });
      if (desired.pushed) yield put(installation.archive, desired.pushed, { mode: '0600', moreFollows: true });
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

function resourceOf({ name }: Installation): string {
  return `tar-install:${name}`;
}

function isRemote(src: string): boolean {
  return /^https?:\/\//.test(src);
}

async function describeArchive(args: Arguments, controller: Controller): Promise<Desired> {
  const wanted = digestIn(args);
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
  // Hosts are judged by the digest alone: where it is given, nothing is fetched for one that has the archive.
  const isElsewhere = args.via === 'target' || isRemote(args.src);
  const sha256 = isElsewhere && wanted !== undefined ? wanted : (await readArchive(args, controller)).sha256;
  const installation = { ...base, options, sha256 };
  if (args.via === 'controller') return { src: args.src, installation };
  if (isRemote(args.src)) return { src: args.src, installation, url: args.src };
  return { src: args.src, installation: { ...installation, archive: args.src.replace(/^file:\/\//, '') } };
}

/** Gets what is pushed, and lists its files for the tasks after it. A host that gets it itself needs nothing of this. */
async function fetchArchive(
  args: Arguments,
  { desired, current }: { readonly desired: Desired; readonly current: Current },
  controller: Controller,
): Promise<{ desired: Desired; implied?: Implied[] }> {
  const { installation } = desired;
  // Nobody knows what a pending archive brings that only the host reads.
  const unlisted: Implied = { path: 'isUnlisted', after: true, resource: resourceOf(installation) };
  if (args.via === 'target') return { desired, implied: [unlisted] };
  const { path, ...pushed } = await readArchive(args, controller);
  // It also refuses what the host would refuse.
  const members = await readMembers(path, installation);
  const complete = { ...desired, pushed };
  // What has changed since the archive was installed is in the changes.
  if (isInstalled(current, installation)) return { desired: complete };
  if (members === undefined) return { desired: complete, implied: [unlisted] };
  return { desired: complete, implied: filesOf(members, current, installation) };
}

/** The archive as the controller has it, after a download if need be. */
async function readArchive(
  args: Arguments,
  controller: Controller,
): Promise<{ readonly path: string; readonly content: Content; readonly sha256: string }> {
  const { src } = args;
  const wanted = digestIn(args);
  const path =
    isRemote(src) && wanted !== undefined
      ? await controller.download(src, wanted)
      : await controller.find(src.startsWith('file://') ? fileURLToPath(src) : src, 'files');
  const { content, sha256 } = await controller.content(path);
  if (wanted !== undefined && sha256 !== wanted) throw mismatch(src, sha256, wanted);
  return { path, content, sha256 };
}

/** The wanted digest as sha256sum writes it. */
function digestIn({ sha256 }: Arguments): string | undefined {
  return sha256?.replace(/^sha256:/, '').toLowerCase();
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

function isInstalled({ manifest }: Current, { sha256, options }: Installation): boolean {
  return manifest?.archive === sha256 && manifest.options === options;
}

/** What earlier tasks would do to files that one before them would install. */
function predictedDrift(files: unknown, predicted: Predicted): Change[] {
  if (!Array.isArray(files)) return [];
  return (files as readonly Implied[]).flatMap(({ path, after, resource = '' }) => {
    const is = predicted.of(resource);
    if (is.exists === false) return path === 'exists' ? [{ path, before: false, after, resource }] : [];
    return is[path] === after ? [] : [{ path, before: is[path] ?? null, after, resource }];
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

/** What the archive brings and what it no longer has: a unit file that a task after it needs will be there. */
function filesOf(
  members: readonly Member[],
  { files, missingFolders }: Current,
  installation: Installation,
): Implied[] {
  const { dest, owner, group } = installation;
  const folders = new Set<string>();
  const implied: Implied[] = [];
  const imply = (full: string, attributes: Readonly<Record<string, unknown>>): void => {
    const resource = fileResource(full);
    for (const [path, after] of Object.entries(attributes)) implied.push({ path, after, resource });
  };
  for (const { path, sha256, mode, target } of members) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      folders.add(`${dest}/${path.slice(0, at)}`);
    }
    if (target !== undefined) imply(`${dest}/${path}`, { exists: true, type: 'link', target });
    else {
      const named = { ...(owner !== undefined && { owner }), ...(group !== undefined && { group }) };
      const attributes = { isNew: true, exists: true, type: 'file', mode: installation.mode ?? mode, ...named };
      imply(`${dest}/${path}`, { ...attributes, ...(sha256 !== undefined && { sha256 }) });
    }
  }
  implied.push({ path: 'files', after: [...implied], resource: resourceOf(installation) });
  for (const folder of folders) imply(folder, { exists: true, type: 'directory', mode: null });
  for (const folder of missingFolders) imply(folder, { exists: true, type: 'directory' });
  const kept = new Set(members.map(({ path }) => `${dest}/${path}`));
  for (const { path } of files) if (!kept.has(path)) imply(path, { exists: false });
  return implied;
}

function* fetch(installation: Installation, url: string): Generator<Step, void, StepResult> {
  const answer = yield exec(fetchScript(installation, url), {
    purpose: `fetching ${url}`,
    okCodes: 'any',
    moreFollows: true,
  });
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

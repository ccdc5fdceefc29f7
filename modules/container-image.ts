import {
  type Change,
  type Content,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  type ProbeOutput,
  probe,
  put,
  RunbookError,
  type Script,
  type Step,
  type StepResult,
  sh,
  unknown,
} from '../engine/index.ts';
import { cleanPath, pathMistakes } from './lib/file-state.ts';
import { type ArchivedImage, findImage, fullReference, readImageTables, repositoryOf } from './lib/image-archive.ts';
import { whoMayProvide } from './lib/pending-providers.ts';

interface Arguments {
  readonly ref: string;
  readonly state: 'present' | 'absent';
  readonly archive?: string | undefined;
  readonly remote_archive?: string | undefined;
  readonly pull?: boolean | undefined;
  readonly digest?: string | undefined;
  readonly namespace: string;
  readonly pinned?: boolean | undefined;
  readonly address: string;
}

interface Desired {
  readonly ref: string;
  readonly archive?: { readonly content: Content; readonly sha256: string } | undefined;
  /** What the controller knows of the image before it is asked for. */
  readonly image: ArchivedImage;
}

interface Current {
  /** Undefined when containerd answered, else why it did not. */
  readonly silence: string | undefined;
  /** True when containerd has never stored anything on this host. */
  readonly isFresh: boolean;
  readonly image: { readonly digest: string; readonly config: string | undefined; readonly labels: string } | undefined;
  /** The archive on the host, when one is named and there. */
  readonly remote: ArchivedImage | undefined;
}

/** The label by which the CRI plugin knows an image that the kubelet must not remove. */
const pinLabel = 'io.cri-containerd.pinned';

export default defineModule({
  name: 'container-image',
  summary: 'Has an image in containerd, from an archive or a registry, compared by digest',
  description: `The image is there when containerd has it under its name with the wanted digest: that of \`digest\`, or of the archive's
own table of contents. Without either, its name is enough. Archives are those of \`docker save\`, \`ctr images export\`,
\`skopeo copy … oci-archive:\`. The namespace is the kubelet's by default; an image in another one is invisible to it.
Images are pulled without credentials, through \`/etc/containerd/certs.d\` where that exists.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['ref'],
    properties: {
      ref: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@-]*$',
        description: "The image's name; without a registry it is Docker Hub's, without a tag it is latest",
        examples: ['registry.k8s.io/pause:3.9'],
      },
      state: { enum: ['present', 'absent'], default: 'present', description: 'Whether containerd has it' },
      archive: {
        type: 'string',
        minLength: 1,
        description: 'Archive on the controller (also in files/) to import it from',
      },
      remote_archive: { type: 'string', minLength: 1, description: 'Archive on the host to import it from' },
      pull: {
        type: 'boolean',
        description:
          'Get it from its registry. Default: true without an archive; false then means that it must be there',
      },
      digest: {
        type: 'string',
        pattern: '^sha256:[0-9a-f]{64}$',
        description: 'The digest that it must have, as `ctr images ls` shows it',
      },
      namespace: {
        type: 'string',
        pattern: '^[A-Za-z0-9._-]+$',
        default: 'k8s.io',
        description: "containerd's namespace; the kubelet's is k8s.io",
      },
      pinned: {
        type: 'boolean',
        description: 'Whether the kubelet must keep it when it makes room. Default: left alone',
      },
      address: {
        type: 'string',
        default: '/run/containerd/containerd.sock',
        description: "containerd's socket",
      },
    },
  },
  returns: {
    ref: { type: 'string', description: 'The full name of the image' },
    digest: { description: 'Its digest, null when it is not there' },
    pinned: { type: 'boolean', description: 'Whether the kubelet may not remove it' },
  },
  examples: `
- name: The pause image is there before the kubelet starts
  container-image:
    ref: registry.k8s.io/pause:3.9
    archive: pause-3.9.tar
    pinned: true
- name: An image from its registry
  container-image:
    ref: docker.io/library/busybox:1.36
    digest: "{{ busybox_digest }}"
`,
  check: (args) => [
    ...(args.archive !== undefined && args.remote_archive !== undefined
      ? ['give either "archive" or "remote_archive"']
      : []),
    ...(args.pull && (args.archive ?? args.remote_archive) !== undefined ? ['give either an archive or "pull"'] : []),
    ...(args.remote_archive === undefined ? [] : pathMistakes('remote_archive', args.remote_archive)),
    ...pathMistakes('address', args.address),
    ...(args.state === 'absent' && (args.archive ?? args.remote_archive ?? args.digest ?? args.pinned) !== undefined
      ? ['an image that is absent has no archive, digest or pin']
      : []),
  ],
  controllerFiles: () => ['archive'],
  desired: async (args, controller): Promise<Desired> => {
    const ref = fullReference(args.ref);
    const digest = args.digest ?? /@(sha256:[0-9a-f]{64})$/.exec(ref)?.[1];
    if (args.archive === undefined) return { ref, image: { digest } };
    const path = await controller.find(args.archive, 'files');
    const image = findImage(await readImageTables(path), ref, path);
    if (digest !== undefined && image.digest !== undefined && image.digest !== digest) {
      throw new RunbookError('digest-mismatch', `${path} holds ${ref} with digest ${image.digest}, not ${digest}`);
    }
    const { content, sha256 } = await controller.content(path);
    return { ref, archive: { content, sha256 }, image: { ...image, digest: digest ?? image.digest } };
  },
  probe: (args, desired) => probe(question(args, desired), (output) => parse(args, desired, output)),
  diff: (current: Current, args, { desired, predicted }): Diff => {
    const resource = `image:${args.namespace}/${desired.ref}`;
    if (current.silence !== undefined) {
      const reason = judgeSilence(current, args, predicted);
      if (reason !== undefined) return unknown(reason);
    }
    const said = predicted.of(resource);
    const wasMade = typeof said.digest === 'string' || said.digest === null;
    const is = wasMade ? (said.digest as string | null) : (current.image?.digest ?? null);
    if (args.state === 'absent') return is === null ? [] : [{ path: 'digest', before: is, after: null, resource }];

    const changes: Change[] = [];
    const isWanted = is !== null && (wasMade || isImage(current, desired));
    if (!isWanted) {
      requireSource(current, args, desired, predicted);
      const { digest, config } = { ...current.remote, ...defined(desired.image) };
      const after = digest ?? (config === undefined ? 'whatever its source has' : `image id ${config}`);
      changes.push({ path: 'digest', before: is, after, resource });
    }
    const isPinned = said.pinned ?? current.image?.labels.includes(`${pinLabel}=pinned`) ?? false;
    // Import and pull keep the labels that the name had.
    if (args.pinned !== undefined && args.pinned !== isPinned) {
      changes.push({ path: 'pinned', before: isPinned, after: args.pinned, resource });
    }
    return changes;
  },
  *apply({ args, desired, current, changes, id }): Generator<Step, void, StepResult> {
    const { ref } = desired;
    const isPinChanged = changes.some((change) => change.path === 'pinned');
    if (changes.some((change) => change.path === 'digest')) {
      if (args.state === 'absent') {
        yield exec(sh`${ctr(args)} images rm --sync ${ref}`, { purpose: `removing ${ref}` });
        return;
      }
      if (desired.archive) yield* importPushed(args, desired, id);
      else if (args.remote_archive !== undefined) {
        const image = { ...current.remote, ...defined(desired.image) };
        yield* importFile(args, ref, args.remote_archive, image, isPinChanged);
      } else yield* pull(args, desired);
    }
    if (isPinChanged) {
      // An empty value takes the label away.
      const label = `${pinLabel}=${args.pinned ? 'pinned' : ''}`;
      yield exec(sh`${ctr(args)} images label ${ref} ${label}`, {
        purpose: `${args.pinned ? '' : 'un'}pinning ${ref}`,
      });
    }
  },
  result: ({ image }, _args, desired) => ({
    ref: desired.ref,
    digest: image?.digest ?? null,
    pinned: image?.labels.includes(`${pinLabel}=pinned`) ?? false,
  }),
});

function ctr(args: Arguments): Script {
  return sh`PATH=$PATH:/usr/local/bin ctr -a ${args.address} --connect-timeout 10s -n ${args.namespace}`;
}

/** Only what is given: an undefined must not hide what another source knows. */
function defined(image: ArchivedImage): ArchivedImage {
  return Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined));
}

function question(args: Arguments, desired: Desired): Script {
  // A digest of the configuration can only be compared with what the image's manifest says.
  const needsManifest =
    desired.image.digest === undefined && (desired.image.config !== undefined || args.remote_archive !== undefined);
  return sh.lines([
    args.remote_archive === undefined ? sh`:` : tablesScript(args.remote_archive),
    sh`[ -e /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db ] || echo fresh=1
PATH=$PATH:/usr/local/bin
if ! command -v ctr >/dev/null; then echo 'silence=there is no ctr on this host'; exit 0; fi
if [ ! -S ${args.address} ]; then echo silence=${`there is no socket ${args.address}`}; exit 0; fi
out=$(${ctr(args)} images ls ${`name==${JSON.stringify(desired.ref)}`} 2>&1) || { printf 'silence=%s\\n' "$out" | tr '\\n' ' '; exit 0; }
printf '==images\\n%s\\n' "$out"`,
    needsManifest
      ? sh`d=$(printf '%s\\n' "$out" | awk 'NR == 2 { print $3 }')
[ -z "$d" ] || { echo ==manifest; ${ctr(args)} content get "$d" | head -c 65536; }`
      : sh`:`,
  ]);
}

function tablesScript(archive: string): Script {
  return sh`if [ -f ${archive} ]; then
for t in index.json manifest.json; do printf '==%s\\n' "$t"; tar -xOf ${archive} "$t" 2>/dev/null; echo; done
echo ==end
fi`;
}

function parse(args: Arguments, desired: Desired, { stdout }: ProbeOutput): Current {
  const parts = stdout.split(/^==(.*)\n/m);
  const section = (name: string): string | undefined => {
    const at = parts.findIndex((part, i) => i % 2 === 1 && part === name);
    return at < 0 ? undefined : parts[at + 1];
  };
  const index = section('index.json')?.trim() || undefined;
  const docker = section('manifest.json')?.trim() || undefined;
  const isThere = section('end') !== undefined;
  // REF TYPE DIGEST SIZE UNIT PLATFORMS LABELS
  const row = section('images')
    ?.split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .find(([name]) => name === desired.ref);
  return {
    silence: /^silence=(.*)$/m.exec(stdout)?.[1]?.trim(),
    isFresh: /^fresh=1$/m.test(stdout),
    image: row && { digest: row[2] ?? '', config: configOf(section('manifest')), labels: row.slice(6).join(' ') },
    remote: isThere ? findImage({ index, docker }, desired.ref, args.remote_archive ?? '') : undefined,
  };
}

function configOf(manifest: string | undefined): string | undefined {
  try {
    const parsed = JSON.parse(manifest ?? '') as { config?: { digest?: string } } | null;
    return parsed?.config?.digest;
  } catch {
    // An index of several platforms, cut short: it says nothing of a configuration.
    return undefined;
  }
}

function isImage({ image, remote }: Current, desired: Desired): boolean {
  if (!image) return false;
  const { digest, config } = { ...remote, ...defined(desired.image) };
  if (digest !== undefined) return image.digest === digest;
  return config === undefined || image.config === config;
}

/** containerd does not answer: an error, unless check mode expects it to be there by then. */
function judgeSilence(current: Current, args: Arguments, predicted: Predicted): string | undefined {
  const isExpected =
    predicted.of('unit:containerd.service').ActiveState === 'active' ||
    ['/usr/local/bin/containerd', '/usr/bin/containerd', '/usr/local/bin/ctr', '/usr/bin/ctr'].some(
      (path) => predicted.of(`file:${path}`).exists === true,
    );
  if (!isExpected && whoMayProvide(predicted, 'containerd') === undefined) {
    throw failure(`containerd does not answer at ${args.address}`, current.silence ?? '');
  }
  // A store that was never used is empty, so that what is wanted is surely pending.
  if (current.isFresh && isExpected) return undefined;
  return `containerd does not answer yet (${current.silence}); the images that it has show when it runs`;
}

/** Raises when there is nothing to take the image from. */
function requireSource(current: Current, args: Arguments, desired: Desired, predicted: Predicted): void {
  if (args.remote_archive !== undefined && !current.remote) {
    if (
      predicted.of(`file:${cleanPath(args.remote_archive)}`).exists === true ||
      whoMayProvide(predicted, 'the archive') !== undefined
    )
      return;
    throw failure(`${args.remote_archive} does not exist on this host, and containerd does not have ${desired.ref}`);
  }
  const { digest } = current.remote ?? {};
  if (args.digest !== undefined && digest !== undefined && digest !== args.digest) {
    const message = `${args.remote_archive} holds ${desired.ref} with digest ${digest}, not ${args.digest}`;
    throw new RunbookError('digest-mismatch', message);
  }
  if (args.pull === false && args.archive === undefined && args.remote_archive === undefined) {
    throw failure(
      `containerd does not have ${desired.ref}${args.digest ? ` with digest ${args.digest}` : ''}, and pull is false`,
    );
  }
}

function* importPushed(args: Arguments, desired: Desired, id: string): Generator<Step, void, StepResult> {
  if (!desired.archive) return;
  // Not in /tmp, which may be in memory.
  const path = `/var/tmp/runbook-image-${id}.tar`;
  const remove = exec(sh`rm -f ${path}`, { purpose: `removing ${path}` });
  try {
    yield put(path, desired.archive, { mode: '0600', moreFollows: true });
    yield* importFile(args, desired.ref, path, desired.image, true);
  } catch (error) {
    try {
      yield remove;
    } catch {
      // What went wrong first is what the user has to know.
    }
    throw error;
  }
  yield remove;
}

function* importFile(
  args: Arguments,
  ref: string,
  path: string,
  image: ArchivedImage,
  moreFollows: boolean,
): Generator<Step, void, StepResult> {
  const base = image.baseName === undefined ? [] : ['--base-name', image.baseName];
  // ctr 1.6 does not read compressed archives.
  const script = sh`m=$(head -c 2 ${path} | od -An -tx1 | tr -d ' ')
if [ "$m" = 1f8b ]; then gzip -dc ${path} | ${ctr(args)} images import ${base} -
else ${ctr(args)} images import ${base} ${path}; fi`;
  const answer = yield exec(script, { purpose: `importing ${ref}`, okCodes: 'any', moreFollows });
  if (answer.rc === 0) return;
  const isPartial = /content digest .*not found/.test(answer.stderr);
  const hint = isPartial
    ? '; the archive lacks layers that its index names: save it for one platform (--platform)'
    : '';
  throw failure(`${ref} could not be imported: ctr: exit status ${answer.rc}${hint}`, answer.stderr || answer.stdout);
}

/** With a digest exactly that is pulled, so that a tag which has moved replaces nothing. */
function* pull(args: Arguments, desired: Desired): Generator<Step, void, StepResult> {
  const { ref, image } = desired;
  const exact = image.digest === undefined || ref.includes('@') ? ref : `${repositoryOf(ref)}@${image.digest}`;
  const get = sh`d=/etc/containerd/certs.d; [ -d "$d" ] || d=; ${ctr(args)} images pull \${d:+--hosts-dir "$d"} ${exact} >/dev/null`;
  const scripts = [get];
  if (exact !== ref) {
    // The CRI plugin keeps such names itself: pods that name a digest would not find their image without.
    scripts.unshift(sh`had=$(${ctr(args)} images ls -q ${`name==${JSON.stringify(exact)}`})`);
    scripts.push(
      sh`${ctr(args)} images tag --force ${exact} ${ref}`,
      sh`[ -n "$had" ] || ${ctr(args)} images rm ${exact}`,
    );
  }
  const answer = yield exec(sh.all(scripts), { purpose: `pulling ${exact}`, okCodes: 'any' });
  if (answer.rc === 0) return;
  throw failure(`${exact} could not be pulled: ctr: exit status ${answer.rc}`, answer.stderr || answer.stdout);
}

import { basename } from 'node:path/posix';
import {
  type Controller,
  type Diff,
  defineModule,
  exec,
  failure,
  type Predicted,
  probe,
  type Script,
  type Secret,
  type Step,
  type StepResult,
  sh,
  unknown,
} from '../engine/index.ts';
import {
  attributesToPut,
  diffContent,
  isContentChanged,
  pathBeside,
  putFile,
  renameScript,
  shownDigest,
  shownUpTo,
  type WantedFile,
  wantedText,
} from './lib/file-content.ts';
import {
  asText,
  cleanPath,
  describeFile,
  expectedFile,
  type FileState,
  parseFile,
  pathMistakes,
  replacementProperties,
  replacementReturns,
  setAttributes,
  validateMistakes,
  validation,
} from './lib/file-state.ts';
import { whoMayProvide } from './lib/pending-providers.ts';

interface Arguments {
  readonly src?: string | undefined;
  readonly content?: string | Secret | undefined;
  readonly dest: string;
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly backup: boolean;
  readonly validate?: string | undefined;
  readonly remote_src: boolean;
}

interface Current {
  readonly dest: FileState;
  /** The file of the host that is copied, with `remote_src`. */
  readonly source?: FileState | undefined;
}

export default defineModule({
  name: 'copy',
  summary: 'Keeps a file equal to one of the controller, to a text, or to another file of the host',
  description: `The file is compared by digest, and replaced atomically: nobody ever sees half of it. A link at \`dest\` is
replaced by a file. The folder of \`dest\` must be there. Copies one file, not a folder.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['dest'],
    properties: {
      src: {
        type: 'string',
        minLength: 1,
        description:
          'File to copy: absolute, or looked up in files/ beside the task. With remote_src a path on the host',
      },
      content: { type: 'string', secret: true, description: 'The text of the file, instead of src' },
      dest: {
        type: 'string',
        minLength: 1,
        description:
          'Absolute path on the host; with "/" at its end the folder to put the file into, under its own name',
      },
      ...replacementProperties,
      remote_src: { type: 'boolean', default: false, description: 'src is a path on the host' },
    },
  },
  returns: {
    dest: { type: 'string', description: 'The path of the file' },
    ...replacementReturns,
  },
  examples: `
- name: The kernel modules that containerd needs
  copy:
    dest: /etc/modules-load.d/containerd.conf
    content: |
      overlay
      br_netfilter
- name: A sudo rule, checked before it counts
  copy:
    src: maintenance.sudoers
    dest: /etc/sudoers.d/maintenance
    mode: "0440"
    validate: visudo -cf %s
- name: A copy of the flags to go back to
  copy:
    src: /var/lib/kubelet/kubeadm-flags.env
    dest: /var/lib/kubelet/kubeadm-flags.env.before
    remote_src: true
`,
  check: (args) => [
    ...((args.src === undefined) === (args.content === undefined)
      ? ['exactly one of "src" and "content" is required']
      : []),
    ...pathMistakes('dest', args.dest),
    ...(args.content !== undefined && args.dest.endsWith('/')
      ? ['"dest" must name the file when there is no "src" to take its name from']
      : []),
    ...(args.remote_src && args.content !== undefined ? ['"remote_src" needs "src"'] : []),
    ...(args.remote_src && args.src !== undefined ? pathMistakes('src', args.src) : []),
    ...validateMistakes(args.validate),
  ],
  controllerFiles: ({ remote_src = false }) => (remote_src === false ? ['src'] : []),
  desired: async (args, controller) => (args.remote_src ? undefined : wanted(args, controller)),
  probe: (args, desired) => {
    const dest = destOf(args);
    const { owner, group } = args;
    if (desired) {
      const question = { digest: true, contentUpTo: shownUpTo, unlessSha256: desired.sha256, owner, group };
      return probe(describeFile(dest, question), ({ stdout }): Current => ({ dest: parseFile(dest, stdout) }));
    }
    return probe(remoteQuestion(args, dest), ({ stdout }) => parseRemote(args, stdout));
  },
  diff: (current, args, { desired, predicted }): Diff => {
    if (desired) return diffContent(current.dest, desired, args, predicted);
    const source = expectedSource(current, predicted);
    if ('unknown' in source) return source;
    return diffContent(current.dest, source, args, predicted);
  },
  *apply({ args, desired, current, changes, id }): Generator<Step, Record<string, unknown>, StepResult> {
    const path = destOf(args);
    if (!isContentChanged(changes)) {
      const attributes = setAttributes(current.dest, changes);
      if (attributes) yield exec(attributes, { purpose: `setting attributes of ${path}` });
      return {};
    }
    if (!desired) {
      const { stdout } = yield exec(remoteCopy(args, current, id), { purpose: `copying ${args.src} to ${path}` });
      return args.backup && stdout.trim() !== '' ? { backup: stdout.trim() } : {};
    }
    return yield* putFile(current.dest, desired, args, id);
  },
  result: ({ dest }, _args, desired) => ({
    dest: dest.path,
    sha256: shownDigest(dest, desired),
    mode: dest.mode ?? null,
  }),
});

function destOf(args: Arguments): string {
  if (args.dest.endsWith('/') && args.src !== undefined) return cleanPath(`${args.dest}${basename(args.src)}`);
  return cleanPath(args.dest);
}

async function wanted(args: Arguments, controller: Controller): Promise<WantedFile> {
  const dest = destOf(args);
  if (args.content !== undefined) return wantedText(dest, args.content);
  const path = await controller.find(args.src ?? '', 'files');
  const file = await controller.content(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EISDIR') throw failure(`${path} is a folder; copy takes one file (loop over its files)`);
    throw error;
  });
  const text = file.size <= shownUpTo ? asText(await controller.read(path)) : undefined;
  return { dest, ...file, text };
}

// Not in base64's alphabet, so no content can look like it.
const separator = '---- runbook';

function remoteQuestion(args: Arguments, dest: string): Script {
  const { owner, group } = args;
  const content = (path: Script): Script =>
    sh`if [ -f ${path} ] && [ "$(stat -Lc %s ${path})" -le ${shownUpTo} ]; then base64 <${path}; else echo none; fi`;
  return sh.lines([
    describeFile(args.src ?? '', { follow: true, digest: true }),
    sh`sp=$p hs=$h
echo ${separator}`,
    describeFile(dest, { digest: true, owner, group }),
    // Only when they differ are they worth their way.
    sh`if [ "$hs" != "$h" ] && [ -n "$hs" ]; then echo ${separator}
${content(sh`"$sp"`)}
echo ${separator}
${content(sh`"$p"`)}
fi`,
  ]);
}

function parseRemote(args: Arguments, stdout: string): Current {
  const [ofSource = '', ofDest = '', sourceBytes, destBytes] = stdout.split(`${separator}\n`);
  const decode = (text: string | undefined): Buffer | undefined =>
    text === undefined || text === 'none\n' ? undefined : Buffer.from(text, 'base64');
  return {
    source: { ...parseFile(args.src ?? '', ofSource), content: decode(sourceBytes) },
    dest: { ...parseFile(destOf(args), ofDest), content: decode(destBytes) },
  };
}

function expectedSource(
  { source }: Current,
  predicted: Predicted,
): { sha256: string; size: number; text?: string | undefined } | { unknown: string } {
  if (!source) throw failure('there is no file to copy');
  const file = expectedFile(source, predicted);
  if (file.type === null) {
    const reason = whoMayProvide(predicted, `file ${file.path}`);
    if (reason !== undefined) return unknown(reason);
    throw failure(`${file.path} does not exist on the host`);
  }
  if (file.type === 'directory') throw failure(`${file.path} is a folder; copy takes one file`);
  if (file.sha256 === undefined || file.size === undefined) {
    return unknown(`an earlier task would write ${file.path}; its content is not known`);
  }
  return { sha256: file.sha256, size: file.size, text: asText(file.content) };
}

/** The same promise as a put: complete, checked, with its attributes, or not visible at all. */
function remoteCopy(args: Arguments, { dest, source }: Current, id: string): Script {
  const path = destOf(args);
  const temporary = pathBeside(path, id);
  const keeps = dest.type === 'file';
  const mode = attributesToPut(dest, {}, args).mode ?? dest.mode;
  const owner = args.owner ?? (keeps ? dest.uid : undefined);
  const group = args.group ?? (keeps ? dest.gid : undefined);
  const check = validation(args.validate);
  return sh.lines([
    sh`set -e
umask 077
src=${args.src ?? ''} dest=${path} tmp=${temporary}
trap 'rm -f "$tmp"' EXIT
cat "$src" >"$tmp"
h=$(sha256sum <"$tmp")
[ "\${h%% *}" = ${source?.sha256 ?? ''} ] || { echo "$src changed while it was copied" >&2; exit 1; }`,
    owner === undefined ? sh`:` : sh`chown ${owner} "$tmp"`,
    group === undefined ? sh`:` : sh`chgrp ${group} "$tmp"`,
    mode === undefined ? sh`:` : sh`chmod ${mode} "$tmp"`,
    check ? sh`${check(temporary)} >&2` : sh`:`,
    args.backup && keeps
      ? sh`backup="$dest.$(date -u +%Y%m%dT%H%M%SZ)~"
cp -p "$dest" "$backup"
echo "$backup"`
      : sh`:`,
    // A sync of one file is not known to every sync.
    sh`sync "$tmp" 2>/dev/null || sync`,
    renameScript(temporary, path),
  ]);
}

import { type Diff, defineModule, exec, probe, type Step, type StepResult } from '../engine/index.ts';
import { diffContent, isContentChanged, putFile, shownDigest, shownUpTo, wantedText } from './lib/file-content.ts';
import {
  cleanPath,
  describeFile,
  parseFile,
  pathMistakes,
  replacementProperties,
  replacementReturns,
  setAttributes,
  validateMistakes,
} from './lib/file-state.ts';

export default defineModule({
  name: 'file-template',
  summary: 'Keeps a file equal to a rendered template',
  description: `The template is Handlebars with the task's variables; a name that is not defined is an error with its place.
The file is replaced atomically, and only when its bytes differ; a link at \`dest\` is replaced by a file. The folder of
\`dest\` must be there.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['src', 'dest'],
    properties: {
      src: {
        type: 'string',
        format: 'template',
        minLength: 1,
        description: 'Template to render: absolute, or looked up in templates/ beside the task',
      },
      dest: { type: 'string', minLength: 1, description: 'Absolute path of the file on the host' },
      vars: {
        type: 'object',
        additionalProperties: true,
        secret: true,
        description: "Values for this template only, over the task's variables",
      },
      ...replacementProperties,
      validate: {
        ...replacementProperties.validate,
        examples: ['containerd --config %s config dump'],
      },
    },
  },
  returns: {
    dest: { type: 'string', description: 'The path of the file' },
    ...replacementReturns,
  },
  examples: `
- name: The configuration of containerd
  file-template:
    src: containerd.toml.hbs
    dest: /etc/containerd/config.toml
    mode: "0644"
    backup: true
    validate: containerd --config %s config dump >/dev/null
    vars:
      sandbox_image: registry.k8s.io/pause:3.6
`,
  check: (args) => [
    ...pathMistakes('dest', args.dest),
    ...(args.dest.endsWith('/') ? ['"dest" must name the file, not its folder'] : []),
    ...validateMistakes(args.validate),
  ],
  desired: async (args, controller) => {
    const template = await controller.find(args.src, 'templates');
    return wantedText(cleanPath(args.dest), await controller.template(template, args.vars));
  },
  probe: ({ owner, group }, { dest, sha256 }) =>
    probe(
      describeFile(dest, { digest: true, contentUpTo: shownUpTo, unlessSha256: sha256, owner, group }),
      ({ stdout }) => parseFile(dest, stdout),
    ),
  diff: (current, args, { desired, predicted }): Diff => diffContent(current, desired, args, predicted),
  *apply({ args, desired, current, changes, id }): Generator<Step, Record<string, unknown>, StepResult> {
    if (!isContentChanged(changes)) {
      const attributes = setAttributes(current, changes);
      if (attributes) yield exec(attributes, { purpose: `setting attributes of ${desired.dest}` });
      return {};
    }
    return yield* putFile(current, desired, args, id);
  },
  result: (current, _args, desired) => ({
    dest: current.path,
    sha256: shownDigest(current, desired),
    mode: current.mode ?? null,
  }),
});

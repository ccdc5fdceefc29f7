import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import type { Diff } from '../../engine/module/contract.ts';
import type { Step } from '../../engine/module/step.ts';
import containerImage from '../../modules/container-image.ts';
import { fullReference, repositoryOf } from '../../modules/lib/image-archive.ts';
import {
  diffOf,
  localController,
  output,
  predicted,
  runLocally,
  stepsOf,
  withTemporaryFolder,
} from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

const ref = 'registry.k8s.io/pause:3.9';
const digest = 'sha256:2c6dec01126f08960690c32fe698c9a76612327de52b58ed748ad65a427b3202';
const otherDigest = 'sha256:1c75c55282a200395a2b23710fc3bc834cc6a87fbe2e1370dd0fe9503397e2d4';
const config = 'sha256:720a205217a1d6948ae2fdbeefe7fceca65eeba8d0d41089a31faa3c3cb98201';

/** What the probe prints when containerd 1.6 answers. */
function listing(...rows: { digest: string; labels?: string }[]): string {
  const lines = rows.map(
    (row) =>
      `${ref} application/vnd.oci.image.manifest.v1+json ${row.digest} 1.9 MiB linux/amd64 ${row.labels ?? '-'} `,
  );
  return `==images\n${['REF TYPE DIGEST SIZE PLATFORMS LABELS ', ...lines].join('\n')}\n`;
}

const index = JSON.stringify({
  schemaVersion: 2,
  manifests: [{ digest, annotations: { 'io.containerd.image.name': ref, 'org.opencontainers.image.ref.name': '3.9' } }],
});
const tagOnlyIndex = JSON.stringify({
  manifests: [{ digest, annotations: { 'org.opencontainers.image.ref.name': '3.9' } }],
});
const docker = JSON.stringify([{ Config: `${config.slice(7)}.json`, RepoTags: [ref], Layers: ['a/layer.tar'] }]);

/** An archive on the controller with these tables of contents, and its bytes after a large layer. */
async function withArchive<T>(
  files: Record<string, string>,
  body: (options: { controller: ReturnType<typeof localController> }) => Promise<T>,
  flags = '-cf',
): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const tree = join(folder, 'tree');
    await mkdir(tree);
    await writeFile(join(tree, 'layer'), Buffer.alloc(3_000_001, 7));
    for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text);
    execFileSync('tar', [flags, join(folder, 'image.tar'), '-C', tree, 'layer', ...Object.keys(files)]);
    return body({ controller: localController(folder) });
  });
}

function changesOf(diff: Diff): Record<string, unknown> {
  if ('unknown' in diff) return { unknown: diff.unknown };
  return Object.fromEntries(diff.map((c) => [c.path, [c.before, c.after]]));
}

function textsOf(steps: readonly Step[]): string[] {
  return steps.map((step) => (step.kind === 'exec' ? (step.purpose ?? '') : step.kind));
}

describe('container-image', () => {
  it('knows names as containerd keeps them', () => {
    const cases: Record<string, string> = {
      busybox: 'docker.io/library/busybox:latest',
      'busybox:1.36': 'docker.io/library/busybox:1.36',
      'calico/node:v3': 'docker.io/calico/node:v3',
      'localhost/x': 'localhost/x:latest',
      '10.0.0.1:5000/a/b': '10.0.0.1:5000/a/b:latest',
      [ref]: ref,
      [`registry.k8s.io/pause@${digest}`]: `registry.k8s.io/pause@${digest}`,
    };
    for (const [given, full] of Object.entries(cases)) expect(fullReference(given), given).to.equal(full);
    expect(repositoryOf('10.0.0.1:5000/a/b:1')).to.equal('10.0.0.1:5000/a/b');
    expect(repositoryOf(`a.io/b:1@${digest}`)).to.equal('a.io/b');
  });

  describe('compares what containerd answered', () => {
    const cases: { name: string; args: Record<string, unknown>; answer: string; changes: Record<string, unknown> }[] = [
      { name: 'an image under its name', args: { ref }, answer: listing({ digest }), changes: {} },
      { name: 'with its digest', args: { ref, digest }, answer: listing({ digest }), changes: {} },
      {
        name: 'with another digest',
        args: { ref, digest },
        answer: listing({ digest: otherDigest }),
        changes: { digest: [otherDigest, digest] },
      },
      {
        name: 'no image',
        args: { ref },
        answer: listing(),
        changes: { digest: [null, 'whatever its source has'] },
      },
      {
        name: 'an image that is not pinned',
        args: { ref, pinned: true },
        answer: listing({ digest, labels: 'io.cri-containerd.image=managed' }),
        changes: { pinned: [false, true] },
      },
      {
        name: 'an image that is pinned',
        args: { ref, pinned: true },
        answer: listing({ digest, labels: 'io.cri-containerd.image=managed,io.cri-containerd.pinned=pinned' }),
        changes: {},
      },
      {
        name: 'an image that must go',
        args: { ref, state: 'absent' },
        answer: listing({ digest }),
        changes: { digest: [digest, null] },
      },
      { name: 'an image that is gone', args: { ref, state: 'absent' }, answer: listing(), changes: {} },
      {
        name: "an archive of the host's with another digest",
        args: { ref, remote_archive: '/opt/pause.tar' },
        answer: `==index.json\n${index}\n==manifest.json\n\n==end\n${listing({ digest: otherDigest })}`,
        changes: { digest: [otherDigest, digest] },
      },
      {
        name: 'an archive of docker save by the image id',
        args: { ref, remote_archive: '/opt/pause.tar' },
        answer: `==index.json\n\n==manifest.json\n${docker}\n==end\n${listing({ digest })}==manifest\n{"config":{"digest":"${config}"}}`,
        changes: {},
      },
      {
        name: 'an archive that is gone again',
        args: { ref, remote_archive: '/opt/pause.tar' },
        answer: listing({ digest }),
        changes: {},
      },
    ];
    for (const { name, args, answer, changes } of cases) {
      it(name, async () => {
        expect(changesOf(await diffOf(containerImage, args, output(answer)))).to.deep.equal(changes);
      });
    }
  });

  describe('reads an archive of the controller', () => {
    const args = { ref, archive: 'image.tar' };

    it('an OCI layout: by its digest', () =>
      withArchive({ 'index.json': index, 'manifest.json': docker }, async (options) => {
        expect(await diffOf(containerImage, args, output(listing({ digest })), options)).to.deep.equal([]);
        const stale = await diffOf(containerImage, args, output(listing({ digest: otherDigest })), options);
        expect(changesOf(stale)).to.deep.equal({ digest: [otherDigest, digest] });
      }));

    it('one of docker save: by the image id', () =>
      withArchive({ 'manifest.json': docker }, async (options) => {
        const answer = `${listing({ digest: otherDigest })}==manifest\n{"config":{"digest":"${config}"}}`;
        expect(await diffOf(containerImage, args, output(answer), options)).to.deep.equal([]);
        const absent = await diffOf(containerImage, args, output(listing()), options);
        expect(changesOf(absent)).to.deep.equal({ digest: [null, `image id ${config}`] });
      }));

    it('a compressed one', () =>
      withArchive(
        { 'index.json': index },
        async (options) => {
          expect(await diffOf(containerImage, args, output(listing({ digest })), options)).to.deep.equal([]);
        },
        '-czf',
      ));

    it('that does not hold the image: names what it holds', () =>
      withArchive({ 'index.json': index }, async (options) => {
        const message = await failureOf(diffOf(containerImage, { ...args, ref: 'pause:3.6' }, output(''), options));
        expect(message).to.match(
          /image\.tar does not hold docker\.io\/library\/pause:3\.6; it holds registry\.k8s\.io\/pause:3\.9$/,
        );
      }));

    it('with another digest than the task wants', () =>
      withArchive({ 'index.json': index }, async (options) => {
        const message = await failureOf(diffOf(containerImage, { ...args, digest: otherDigest }, output(''), options));
        expect(message).to.match(new RegExp(`holds ${ref} with digest ${digest}, not ${otherDigest}$`));
      }));

    it('that is none', () =>
      withArchive({ 'README.md': 'x' }, async (options) => {
        expect(await failureOf(diffOf(containerImage, args, output(''), options))).to.match(/is not an image archive/);
      }));

    it('puts, imports and removes it', () =>
      withArchive({ 'index.json': index }, async (options) => {
        const steps = await stepsOf(containerImage, { ...args, pinned: true }, output(listing()), options);
        expect(textsOf(steps)).to.deep.equal([
          'put',
          `importing ${ref}`,
          'removing /var/tmp/runbook-image-test.tar',
          `pinning ${ref}`,
        ]);
      }));

    it('gives an image that the archive only tags its repository', () =>
      withArchive({ 'index.json': tagOnlyIndex }, async (options) => {
        const steps = await stepsOf(containerImage, args, output(listing()), options);
        expect(steps[1]).to.have.nested.property('script.text').that.includes('--base-name registry.k8s.io/pause ');
      }));

    it('explains an import that fails', () =>
      withArchive({ 'index.json': index }, async (options) => {
        const refused = output('', 1, `ctr: content digest ${digest}: not found\n`);
        const answers = [output(''), refused];
        const message = await failureOf(stepsOf(containerImage, args, output(listing()), { ...options, answers }));
        expect(message).to.match(
          /could not be imported: ctr: exit status 1; the archive lacks layers .*\nctr: content digest/,
        );
      }));
  });

  it('pulls by digest, so that a tag that has moved replaces nothing', async () => {
    const steps = await stepsOf(containerImage, { ref, digest }, output(listing()));
    expect(textsOf(steps)).to.deep.equal([`pulling registry.k8s.io/pause@${digest}`]);
    expect(steps[0])
      .to.have.nested.property('script.text')
      .that.includes(`images tag --force registry.k8s.io/pause@${digest} ${ref}`);
  });

  it('keeps the name by digest that was there before the pull', async () => {
    const [step] = await stepsOf(containerImage, { ref, digest }, output(listing()));
    const exact = `registry.k8s.io/pause@${digest}`;
    if (step?.kind !== 'exec') throw new Error('there is no step');
    const { script } = step;
    const fake = (name: string) => sh`ctr() {
for last; do :; done
case $* in *'images ls'*) echo ${name} ;; *'images rm'*) echo "removed $last" ;; esac
}
${script}`;
    expect((await runLocally(fake(''))).stdout).to.equal(`removed ${exact}\n`);
    expect(await runLocally(fake(exact))).to.include({ rc: 0, stdout: '' });
  });

  it('pulls nothing with pull: false', async () => {
    const message = await failureOf(diffOf(containerImage, { ref, pull: false }, output(listing())));
    expect(message).to.equal(`containerd does not have ${ref}, and pull is false`);
  });

  it("refuses an archive of the host's that is not there", async () => {
    const args = { ref, remote_archive: '/opt/x.tar' };
    expect(await failureOf(diffOf(containerImage, args, output(listing())))).to.match(/^\/opt\/x\.tar does not exist/);
    const context = { predicted: predicted({ 'file:/opt/x.tar': { exists: true } }) };
    expect(await diffOf(containerImage, args, output(listing()), context)).to.have.length(1);
  });

  describe('containerd that does not answer', () => {
    const silent = 'silence=there is no socket /run/containerd/containerd.sock\n';
    const willRun = predicted({ 'unit:containerd.service': { ActiveState: 'active' } });

    it('is an error', async () => {
      expect(await failureOf(diffOf(containerImage, { ref }, output(silent)))).to.equal(
        'containerd does not answer at /run/containerd/containerd.sock\nthere is no socket /run/containerd/containerd.sock',
      );
    });

    it('is pending in a check that would start it for the first time', async () => {
      const diff = await diffOf(containerImage, { ref, digest }, output(`fresh=1\n${silent}`), { predicted: willRun });
      expect(changesOf(diff)).to.deep.equal({ digest: [null, digest] });
    });

    it('is unknown in a check that would start it again', async () => {
      const diff = await diffOf(containerImage, { ref, digest }, output(silent), { predicted: willRun });
      expect(diff)
        .to.have.property('unknown')
        .that.matches(/the images that it has show when it runs/);
    });

    it('is unknown after a command that was not run', async () => {
      const context = { predicted: predicted({ command: { command: 'apt-get install containerd' } }) };
      expect(await diffOf(containerImage, { ref }, output(silent), context)).to.have.property('unknown');
    });
  });

  it('knows in check mode what an earlier task would import', async () => {
    const context = { predicted: predicted({ [`image:k8s.io/${ref}`]: { digest } }) };
    expect(await diffOf(containerImage, { ref, digest }, output(listing()), context)).to.deep.equal([]);
  });

  it('judges arguments together', () => {
    expect(mistakesOf(containerImage, { ref, archive: 'a', remote_archive: '/b' })).to.have.length(1);
    expect(mistakesOf(containerImage, { ref, archive: 'a', pull: true })).to.have.length(1);
    expect(mistakesOf(containerImage, { ref, state: 'absent', pinned: true })).to.have.length(1);
    expect(mistakesOf(containerImage, { ref: 'a b' })).to.have.length(1);
  });
});

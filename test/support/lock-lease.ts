/** A lease as a user writes one beside a playbook: a file on the host that says who holds it. */
export const lockLease = `
import { defineLease, exec, failure, probe, sh } from 'runbook';

const read = (path) => exec(sh\`cat \${path} 2>/dev/null\`, { okCodes: 'any', purpose: 'reading ' + path });

export default defineLease({
  name: 'lock-file',
  summary: 'Holds a lock file on the host',
  schema: {
    type: 'object', additionalProperties: false, required: ['path'],
    properties: {
      path: { type: 'string', description: 'The file.' },
      pause: { type: 'number', default: 0, description: 'Seconds between the two halves of taking it.' },
      refuse: { type: 'boolean', default: false, description: 'Fails after the first half.' },
    },
  },
  probe: ({ path }) => probe(sh\`cat \${path} 2>/dev/null || true\`, ({ stdout }) => stdout.trim()),
  diff: (holder, { path }) => (holder === '' ? [{ path, before: null, after: 'held' }] : []),
  grant: ({ args, runId }) => ({ path: args.path, owner: runId }),
  *acquire({ args, grant }) {
    const { stdout } = yield read(grant.path);
    if (stdout.trim() !== '' && stdout.trim() !== grant.owner) throw failure('held by ' + stdout.trim());
    yield exec(sh\`printf '%s\\\\n' \${grant.owner} > \${grant.path}\`, { purpose: 'taking ' + grant.path });
    if (args.pause > 0) yield exec(sh\`sleep \${args.pause}\`, { purpose: 'the other half' });
    if (args.refuse) throw failure('refused');
  },
  renewEveryMs: 20,
  *renew({ grant }) {
    const { stdout } = yield read(grant.path);
    const owner = stdout.trim();
    if (owner === grant.owner) {
      yield exec(sh\`echo renewed >> \${grant.path + '.renewed'}\`);
      return;
    }
    yield exec(sh\`: > \${grant.path + '.noticed'}\`);
    return { lost: owner === '' ? grant.path + ' was removed' : grant.path + ' is held by ' + owner };
  },
  *release({ grant, isUndo }) {
    const { stdout } = yield read(grant.path);
    const owner = stdout.trim();
    if (owner === grant.owner) yield exec(sh\`rm \${grant.path}\`, { purpose: 'removing ' + grant.path });
    else if (!isUndo) return { lost: owner === '' ? grant.path + ' was removed' : grant.path + ' is held by ' + owner };
  },
});
`;

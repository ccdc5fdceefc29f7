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
  sh,
  unknown,
} from '../engine/index.ts';
import { holderOf, namePattern, requireTool } from './lib/accounts.ts';
import { whoInstalls, whoMayMake } from './lib/pending-providers.ts';

interface Arguments {
  readonly name: string;
  readonly state: 'present' | 'absent';
  readonly gid?: number | undefined;
  readonly system: boolean;
}

interface Current {
  /** Undefined when the host has no such group. */
  readonly group: { readonly gid: number; readonly members: readonly string[] } | undefined;
  /** Who has the wanted gid. */
  readonly holder: string | undefined;
  /** Users whose primary group it is; asked when it is to go. */
  readonly primaryOf: readonly string[];
  readonly hasTools: boolean;
}

export default defineModule({
  name: 'group',
  summary: 'Keeps a group of the host, or removes it',
  description: `Knows what \`getent\` knows, and changes local groups with groupadd, groupmod and groupdel. A new \`gid\` is that of
the group alone: files keep the number that they have. A group that is a user's primary one is not removed.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', pattern: namePattern, description: 'The group' },
      state: { enum: ['present', 'absent'], default: 'present', description: 'Whether the host has it' },
      gid: { type: 'integer', minimum: 0, description: 'Its number. Default: kept; the next free one for a new group' },
      system: { type: 'boolean', default: false, description: 'A new group gets a number of those for the system' },
    },
  },
  returns: {
    exists: { type: 'boolean', description: 'Whether the host has it' },
    gid: { description: 'Its number, null without a group' },
    members: { type: 'array', items: { type: 'string' }, description: 'Users that have it besides their primary one' },
  },
  examples: `
- name: The group that may use Docker's socket
  group: { name: docker, system: true }
`,
  check: (args) => (args.state === 'absent' && args.gid !== undefined ? ['a group that is absent has no gid'] : []),
  probe: (args) => probe(question(args), parse),
  diff: (current: Current, args, { predicted }): Diff => {
    const changes = args.state === 'absent' ? absence(current, args, predicted) : presence(current, args, predicted);
    if (!('unknown' in changes) && changes.length > 0) requireTool(current.hasTools, 'groupadd', predicted);
    return changes;
  },
  *apply({ args, changes }): Generator<Step, void> {
    yield exec(commandFor(args, changes), {
      purpose: `${args.state === 'absent' ? 'removing' : 'setting'} the group ${args.name}`,
    });
  },
  result: ({ group }) => ({ exists: group !== undefined, gid: group?.gid ?? null, members: group?.members ?? [] }),
});

function question({ name, gid, state }: Arguments): Script {
  // A group that stays may be anybody's.
  const primaryOf = sh`n=\${g#*:*:}; n=\${n%%:*}
[ -z "$n" ] || awk -F: -v n="$n" '$4 == n { print "primary=" $1 }' /etc/passwd`;
  return sh`export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
ask() { if command -v getent >/dev/null; then getent "$1" "$2"; else grep "^$2:" "/etc/$1"; fi; }
g=$(ask group ${name}); [ -z "$g" ] || printf 'group=%s\\n' "$g"
${gid === undefined ? sh`:` : sh`h=$(cut -d: -f1,3 /etc/group | grep ${`:${gid}$`}); [ -z "$h" ] || printf 'holder=%s\\n' "\${h%%:*}"`}
${state === 'absent' ? primaryOf : sh`:`}
command -v groupadd >/dev/null && echo tools=1
exit 0`;
}

function parse({ stdout }: ProbeOutput): Current {
  const [, gid, members = ''] = /^group=[^:]*:[^:]*:(\d+):(.*)$/m.exec(stdout) ?? [];
  return {
    group: gid === undefined ? undefined : { gid: Number(gid), members: members.split(',').filter(Boolean) },
    holder: /^holder=(.*)$/m.exec(stdout)?.[1],
    primaryOf: [...stdout.matchAll(/^primary=(.*)$/gm)].map((match) => match[1] ?? ''),
    hasTools: /^tools=1$/m.test(stdout),
  };
}

function absence({ group, primaryOf }: Current, { name }: Arguments, predicted: Predicted): Diff {
  const resource = `group:${name}`;
  const { exists } = predicted.of(resource);
  if (exists === false) return [];
  if (group === undefined && exists !== true) {
    const reason = whoMayMake(predicted, `group ${name}`);
    return reason === undefined ? [] : unknown(reason);
  }
  const user = primaryOf.find((one) => predicted.of(`user:${one}`).exists !== false);
  if (user !== undefined) throw failure(`the group ${name} is the primary group of ${user}, so it is not removed`);
  return [{ path: 'exists', before: true, after: false, resource }];
}

function presence({ group, holder }: Current, { name, gid }: Arguments, predicted: Predicted): Diff {
  const resource = `group:${name}`;
  const said = predicted.of(resource);
  const isThere = said.exists === true || (said.exists !== false && group !== undefined);
  const is = said.exists === true ? said.gid : isThere ? (said.gid ?? group?.gid) : undefined;
  if (!isThere) {
    const reason = whoInstalls(predicted, `group ${name}`);
    if (reason !== undefined) return unknown(reason);
  }
  if (isThere && gid !== undefined && is === undefined)
    return unknown(`an earlier task would make the group ${name}; its gid is not known`);
  if (isThere && (gid === undefined || gid === is)) return [];
  const other = holderOf('group', { name, number: gid, now: holder }, predicted);
  if (other !== undefined) throw failure(`the gid ${gid} is that of the group ${other}`);
  const changes: Change[] = [];
  if (!isThere) changes.push({ path: 'exists', before: false, after: true, resource });
  if (gid !== undefined) changes.push({ path: 'gid', before: is ?? null, after: gid, resource });
  return changes;
}

function commandFor({ name, state, gid, system }: Arguments, changes: readonly Change[]): Script {
  const number = gid === undefined ? [] : ['-g', String(gid)];
  const path = sh`PATH=$PATH:/usr/sbin:/sbin;`;
  if (state === 'absent') return sh`${path} groupdel ${name}`;
  if (!changes.some((change) => change.path === 'exists')) return sh`${path} groupmod ${number} ${name}`;
  return sh`${path} groupadd ${number} ${system ? ['-r'] : []} ${name}`;
}

import { createHash } from 'node:crypto';
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
  Secret,
  type Step,
  sh,
  unknown,
} from '../engine/index.ts';
import { holderOf, namePattern, requireTool } from './lib/accounts.ts';
import { fileResource, pathMistakes } from './lib/file-state.ts';
import { whoInstalls, whoMayMake, whoMayProvide } from './lib/pending-providers.ts';

interface Arguments {
  readonly name: string;
  readonly state: 'present' | 'absent';
  readonly uid?: number | undefined;
  readonly group?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly append: boolean;
  readonly shell?: string | undefined;
  readonly home?: string | undefined;
  readonly create_home: boolean;
  readonly system: boolean;
  readonly comment?: string | undefined;
  readonly password?: string | Secret | undefined;
  readonly remove_home: boolean;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly group: string;
  /** Those besides the primary one. */
  readonly groups: readonly string[];
  readonly shell: string;
  readonly home: string;
  readonly comment: string;
}

interface Current {
  /** A new user gets a group of the same name, which goes with the user. */
  readonly hasUserGroups: boolean;
  /** The group of the user's name, and whether others are in it too; undefined when there is none. */
  readonly namesake: { readonly gid: number; readonly isShared: boolean } | undefined;
  /** Undefined when the host has no such user. */
  readonly account: Account | undefined;
  /** Hex digest of the password's hash; undefined when nobody asked. */
  readonly passwordDigest: string | undefined;
  /** Who has the wanted uid. */
  readonly holder: string | undefined;
  /** Of the wanted groups those that the host does not have. */
  readonly missingGroups: readonly string[];
  /** The folder in which homes are made, as useradd says. */
  readonly homes: string;
  /** Whether the home that it has, or would get, is there. */
  readonly hasHome: boolean;
  readonly hasTools: boolean;
}

export default defineModule({
  name: 'user',
  summary: 'Keeps a user of the host, or removes one',
  description: `Knows what \`getent\` knows, and changes local users with useradd, usermod and userdel.

- \`groups\` are all that the user has besides the primary one: others are taken away, unless \`append\` says to keep them.
- \`password\` is a hash as \`mkpasswd\` or \`openssl passwd -6\` makes it. It travels on standard input and is never shown.
- A home is made with a new user only. A new \`home\` or \`uid\` of a user who is there moves no files.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', pattern: namePattern, description: 'The user' },
      state: { enum: ['present', 'absent'], default: 'present', description: 'Whether the host has it' },
      uid: { type: 'integer', minimum: 0, description: 'The number. Default: kept; the next free one for a new user' },
      group: {
        type: 'string',
        pattern: namePattern,
        description:
          'The primary group. Default: kept; as useradd does for a new user, mostly a group of the same name',
      },
      groups: {
        type: 'array',
        items: { type: 'string', pattern: namePattern },
        description: 'The other groups. Default: left alone',
      },
      append: { type: 'boolean', default: false, description: 'Keep other groups that the user has' },
      shell: { type: 'string', pattern: '^/', description: 'The login shell. Default: left alone' },
      home: {
        type: 'string',
        minLength: 1,
        description: 'The home. Default: kept; where useradd makes one for a new user',
      },
      create_home: {
        type: 'boolean',
        default: true,
        description: 'Make the home of a new user, with what is in /etc/skel. Of a system user too',
      },
      system: { type: 'boolean', default: false, description: 'A new user gets a number of those for the system' },
      comment: { type: 'string', pattern: '^[^:\\n]*$', description: "The user's real name. Default: left alone" },
      password: {
        type: 'string',
        secret: true,
        pattern: '^[^:\\n]*$',
        description: "The password's hash, as it stands in /etc/shadow. Default: left alone; a new user has none",
      },
      remove_home: {
        type: 'boolean',
        default: false,
        description: 'With state: absent, remove the home and the mail of the user, too',
      },
    },
  },
  returns: {
    exists: { type: 'boolean', description: 'Whether the host has the user' },
    uid: { description: 'The number, null without a user' },
    gid: { description: "The primary group's number, null without a user" },
    group: { description: "The primary group's name, null without a user" },
    groups: { type: 'array', items: { type: 'string' }, description: 'The other groups' },
    home: { description: 'The home, null without a user' },
    shell: { description: 'The login shell, null without a user' },
  },
  examples: `
- name: Who maintains the nodes
  user:
    name: maintenance
    groups: [sudo]
    append: true
    shell: /bin/bash
    password: "{{ maintenance_password_hash }}"
- name: Somebody who left
  user: { name: jdoe, state: absent, remove_home: true }
`,
  check: (args) => [
    ...(args.home === undefined ? [] : pathMistakes('home', args.home)),
    ...(args.state === 'present' && args.remove_home ? ['"remove_home" is for state: absent'] : []),
    ...(args.append && args.groups === undefined ? ['"append" needs "groups"'] : []),
    ...(args.state === 'absent' && args.name === 'root' ? ['root cannot be removed'] : []),
  ],
  probe: (args) => probe(question(args), parse),
  diff: (current: Current, args, { predicted }): Diff => {
    const answer = args.state === 'absent' ? absence(current, args, predicted) : presence(current, args, predicted);
    if (!('unknown' in answer) && answer.length > 0) requireTool(current.hasTools, 'useradd', predicted);
    return answer;
  },
  *apply({ args, changes }): Generator<Step, void> {
    const { name } = args;
    if (args.state === 'absent') {
      yield exec(sh`${path} userdel ${args.remove_home ? ['-r'] : []} ${name}`, {
        purpose: `removing the user ${name}`,
      });
      return;
    }
    const isNew = changes.some((change) => change.path === 'exists' && change.resource === resourceOf(args));
    const command = isNew ? addCommand(args) : modifyCommand(args, changes);
    const setsPassword = changes.some((change) => change.path === 'password');
    if (command) {
      yield exec(command, { purpose: `${isNew ? 'making' : 'changing'} the user ${name}`, moreFollows: setsPassword });
    }
    if (setsPassword) {
      const stdin = new Secret(`${name}:${revealed(args)}\n`);
      yield exec(sh`${path} chpasswd -e`, { purpose: `setting the password of ${name}`, stdin });
    }
  },
  result: ({ account }) => ({
    exists: account !== undefined,
    uid: account?.uid ?? null,
    gid: account?.gid ?? null,
    group: account?.group ?? null,
    groups: account?.groups ?? [],
    home: account?.home ?? null,
    shell: account?.shell ?? null,
  }),
});

const path = sh`PATH=$PATH:/usr/sbin:/sbin;`;

function resourceOf({ name }: Arguments): string {
  return `user:${name}`;
}

function revealed({ password }: Arguments): string {
  return password instanceof Secret ? password.reveal() : (password ?? '');
}

function question(args: Arguments): Script {
  const groups = [...(args.groups ?? []), ...(args.group === undefined ? [] : [args.group])];
  return sh.lines([
    sh`export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
ask() { if command -v getent >/dev/null; then getent "$1" "$2"; else grep "^$2:" "/etc/$1"; fi; }
u=$(ask passwd ${args.name})
if [ -n "$u" ]; then
printf 'user=%s\\nid=%s\\n' "$u" "$(id ${args.name})"
fi
b="
$(useradd -D 2>/dev/null)"
case $b in *"
HOME="*) b=\${b#*"
HOME="}; b=\${b%%"
"*} ;; *) b= ;; esac
printf 'homes=%s\\n' "\${b:-/home}"
d=\${u%:*}; d=\${d##*:}; [ -n "$d" ] || d=${args.home ?? ''}; [ -n "$d" ] || d=\${b:-/home}/${args.name}
[ ! -e "$d" ] || echo home=1
for g in ${groups}; do ask group "$g" >/dev/null || printf 'nogroup=%s\\n' "$g"; done
${namesake(args)}
command -v useradd >/dev/null && echo tools=1`,
    args.uid === undefined
      ? sh`:`
      : sh`h=$(cut -d: -f1,3 /etc/passwd | grep ${`:${args.uid}$`}); [ -z "$h" ] || printf 'holder=%s\\n' "\${h%%:*}"`,
    // The digest of a hash: neither leaves the host.
    args.password === undefined
      ? sh`:`
      : sh`if [ -n "$u" ]; then if [ -r /etc/shadow ]; then p=$(grep ${`^${args.name}:`} /etc/shadow | cut -d: -f2)
s=$(printf %s "$p" | sha256sum); printf 'password=%s\\n' "\${s%% *}"
else echo denied=1; fi; fi`,
    sh`exit 0`,
  ]);
}

/** The group of the user's name, which useradd makes and userdel removes where the host is set up so (login.defs(5)). */
function namesake({ name }: Arguments): Script {
  return sh`l=/etc/login.defs; [ -r $l ] || l=
awk -F: -v u=${name} '
FILENAME == "/etc/login.defs" { if ($0 ~ /^[ \\t]*USERGROUPS_ENAB[ \\t]+yes/) print "usergroups=1"; next }
FILENAME == "/etc/group" { if ($1 == u) { n = $3; print "namesake=" n ":" $4 } next }
n != "" && $4 == n && $1 != u { print "shared=" $1 }' $l /etc/group /etc/passwd`;
}

function parse({ stdout }: ProbeOutput): Current {
  const first = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1];
  const all = (name: string): string[] =>
    [...stdout.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((m) => m[1] ?? '');
  if (first('denied')) throw failure('/etc/shadow cannot be read, so nobody can tell which password the user has');
  const [name = '', , uid, gid, comment = '', home = '', shell = ''] = first('user')?.split(':') ?? [];
  const { group = '', groups } = groupsIn(first('id') ?? '');
  const [namesakeGid, members = ''] = first('namesake')?.split(':') ?? [];
  return {
    hasUserGroups: first('usergroups') !== undefined,
    namesake:
      namesakeGid === undefined
        ? undefined
        : {
            gid: Number(namesakeGid),
            isShared:
              first('shared') !== undefined || members.split(',').some((member) => ![name, ''].includes(member)),
          },
    account:
      uid === undefined
        ? undefined
        : {
            uid: Number(uid),
            gid: Number(gid),
            group,
            groups: groups.filter((name) => name !== group),
            shell,
            home,
            comment,
          },
    passwordDigest: first('password'),
    holder: first('holder'),
    missingGroups: all('nogroup'),
    homes: first('homes') ?? '/home',
    hasHome: first('home') !== undefined,
    hasTools: first('tools') !== undefined,
  };
}

/** `uid=998(ann) gid=998(ann) groups=998(ann),27(sudo)`; a group that has no name is known by its number. */
function groupsIn(id: string): { readonly group: string | undefined; readonly groups: readonly string[] } {
  const [, primary = '', all = ''] = /gid=(.*) groups=(.*)$/.exec(id) ?? [];
  const nameIn = (text: string): string => /^\d+\((.*)\)$/.exec(text)?.[1] ?? text;
  return { group: nameIn(primary), groups: all.split(/,(?=\d+(?:[(,]|$))/).map(nameIn) };
}

function absence(current: Current, args: Arguments, predicted: Predicted): Diff {
  const resource = resourceOf(args);
  const { exists } = predicted.of(resource);
  if (exists === false) return [];
  if (current.account === undefined && exists !== true) {
    const reason = whoMayMake(predicted, `user ${args.name}`);
    return reason === undefined ? [] : unknown(reason);
  }
  const changes: Change[] = [{ path: 'exists', before: true, after: false, resource }];
  const home = current.account?.home;
  if (args.remove_home && home !== undefined && current.hasHome) {
    changes.push({ path: 'exists', before: true, after: false, resource: fileResource(home) });
  }
  if (isNamesakeGoing(current, args, predicted)) {
    changes.push({ path: 'exists', before: true, after: false, resource: `group:${args.name}` });
  }
  return changes;
}

/** Whether userdel takes the group of the user's name with it: where it is the primary one, and of nobody else. */
function isNamesakeGoing(current: Current, { name }: Arguments, predicted: Predicted): boolean {
  const { hasUserGroups, namesake, account } = current;
  const group = predicted.of(`group:${name}`).exists;
  const said = predicted.of(`user:${name}`);
  if (!hasUserGroups || group === false || (said.group !== undefined && said.group !== name)) return false;
  if (said.exists === true) return group === true;
  return namesake !== undefined && account?.gid === namesake.gid && !namesake.isShared;
}

/** What the host has, or will have, of the user; undefined where that is not known. */
type Expected = { readonly [name in 'uid' | 'group' | 'groups' | 'shell' | 'home' | 'comment' | 'password']?: unknown };

function presence(current: Current, args: Arguments, predicted: Predicted): Diff {
  const resource = resourceOf(args);
  const said = predicted.of(resource);
  const isThere = said.exists === true || (said.exists !== false && current.account !== undefined);
  if (!isThere) {
    const reason = whoInstalls(predicted, `user ${args.name}`);
    if (reason !== undefined) return unknown(reason);
  }
  const isMade = said.exists === true;
  const is: Expected = isThere ? withoutGone({ ...(isMade ? {} : current.account), ...said }, predicted) : {};
  const changes: Change[] = isThere ? [] : creation(current, args, predicted);
  for (const [name, wanted] of Object.entries(wantedOf(args, is))) {
    const before = is[name as keyof Expected];
    if (isMade && before === undefined) {
      return unknown(`an earlier task would make the user ${args.name}; the ${name} is not known`);
    }
    if (JSON.stringify(before) !== JSON.stringify(wanted)) {
      changes.push({ path: name, before: before ?? null, after: wanted, resource });
    }
  }
  const password = passwordChange(current, args, said.password, isThere, isMade);
  if (password && 'unknown' in password) return password;
  const all = password ? [...changes, password] : changes;
  refuse(current, args, all, predicted);
  return all;
}

/** Who was in a group that an earlier task removes is not in it then. */
function withoutGone(is: Expected, predicted: Predicted): Expected {
  if (!Array.isArray(is.groups)) return is;
  const groups = (is.groups as string[]).filter((group) => predicted.of(`group:${group}`).exists !== false);
  return { ...is, groups };
}

function creation(current: Current, args: Arguments, predicted: Predicted): Change[] {
  const resource = fileResource(args.home ?? `${current.homes}/${args.name}`);
  const changes: Change[] = [{ path: 'exists', before: false, after: true, resource: resourceOf(args) }];
  if (current.hasUserGroups && args.group === undefined) {
    changes.push({ path: 'exists', before: false, after: true, resource: `group:${args.name}` });
  }
  if (!args.create_home || (predicted.of(resource).exists ?? current.hasHome) === true) return changes;
  changes.push({ path: 'exists', before: false, after: true, resource });
  // Of which mode, the host's login.defs says.
  for (const [name, after] of Object.entries({ type: 'directory', owner: args.name, mode: null })) {
    changes.push({ path: name, before: null, after, resource });
  }
  return changes;
}

/** The wanted attributes by name, groups in the order of the alphabet. */
function wantedOf(args: Arguments, is: Expected): Record<string, unknown> {
  const { uid, group, groups, shell, home, comment } = args;
  const kept = args.append && Array.isArray(is.groups) ? (is.groups as string[]) : [];
  const wanted = { uid, group, groups: groups && sameOrder([...kept, ...groups], is.groups), shell, home, comment };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

/** As the host lists them where they are the same ones, so that an order is no difference. */
function sameOrder(names: readonly string[], listed: unknown): readonly string[] {
  const wanted = [...new Set(names)].sort();
  const is = Array.isArray(listed) ? (listed as string[]) : [];
  return wanted.join() === [...is].sort().join() ? is : wanted;
}

function passwordChange(
  current: Current,
  args: Arguments,
  said: unknown,
  isThere: boolean,
  isMade: boolean,
): Change | ReturnType<typeof unknown> | undefined {
  if (args.password === undefined) return undefined;
  const hash = revealed(args);
  if (said instanceof Secret && said.reveal() === hash) return undefined;
  const isSame = !isMade && isThere && said === undefined && current.passwordDigest === digestOf(hash);
  if (isSame) return undefined;
  return {
    path: 'password',
    before: isThere ? new Secret('') : null,
    after: new Secret(hash),
    resource: resourceOf(args),
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Raises what useradd and usermod would refuse. */
function refuse(current: Current, args: Arguments, changes: readonly Change[], predicted: Predicted): void {
  const isChanged = (name: string): boolean => changes.some((change) => change.path === name);
  const holder = holderOf('user', { name: args.name, number: args.uid, now: current.holder }, predicted);
  if (isChanged('uid') && holder !== undefined) throw failure(`the uid ${args.uid} is that of the user ${holder}`);
  const isNew = changes.some(({ path, resource }) => path === 'exists' && resource === resourceOf(args));
  const isNamesakeThere = predicted.of(`group:${args.name}`).exists ?? current.namesake !== undefined;
  if (isNew && current.hasUserGroups && args.group === undefined && isNamesakeThere === true) {
    throw failure(`there is a group ${args.name} already, so useradd makes no other; say "group: ${args.name}"`);
  }
  if (!isChanged('groups') && !isChanged('group')) return;
  for (const group of [...(args.groups ?? []), ...(args.group === undefined ? [] : [args.group])]) {
    const { exists } = predicted.of(`group:${group}`);
    if (exists === false) throw failure(`an earlier task removes the group ${group}`);
    if (exists === true || !current.missingGroups.includes(group)) continue;
    if (whoMayProvide(predicted, `group ${group}`) !== undefined) continue;
    throw failure(`the group ${group} does not exist on this host; make it with the group module first`);
  }
}

function options(args: Arguments, isWanted: (name: string) => boolean): string[] {
  const { uid, group, groups, shell, home, comment } = args;
  return [
    ...(uid !== undefined && isWanted('uid') ? ['-u', String(uid)] : []),
    ...(group !== undefined && isWanted('group') ? ['-g', group] : []),
    ...(groups !== undefined && isWanted('groups') ? ['-G', groups.join(',')] : []),
    ...(shell !== undefined && isWanted('shell') ? ['-s', shell] : []),
    ...(home !== undefined && isWanted('home') ? ['-d', home] : []),
    ...(comment !== undefined && isWanted('comment') ? ['-c', comment] : []),
  ];
}

function addCommand(args: Arguments): Script {
  const all = options(args, (name) => name !== 'groups' || (args.groups ?? []).length > 0);
  return sh`${path} useradd ${all} ${args.system ? ['-r'] : []} ${args.create_home ? '-m' : '-M'} ${args.name}`;
}

function modifyCommand(args: Arguments, changes: readonly Change[]): Script | undefined {
  const changed = options(args, (name) => changes.some((change) => change.path === name));
  if (changed.length === 0) return undefined;
  const append = args.append && changed.includes('-G') ? ['-a'] : [];
  return sh`${path} usermod ${append} ${changed} ${args.name}`;
}

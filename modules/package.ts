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
  type StepResult,
  sh,
  unknown,
  waitFor,
} from '../engine/index.ts';
import { lockHolders } from './lib/apt-locks.ts';

interface Arguments {
  readonly name?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly state: 'present' | 'absent' | 'latest';
  readonly version?: string | undefined;
  readonly hold?: boolean | undefined;
  readonly purge: boolean;
  readonly update_cache: boolean;
  readonly cache_valid: number;
  readonly recommends?: boolean | undefined;
  readonly allow_removals: boolean;
  readonly lock_timeout: number;
}

interface Installed {
  readonly version: string | undefined;
  readonly isHeld: boolean;
  /** It is gone, but its configuration is there. */
  readonly hasConfiguration: boolean;
  /** What the sources have; undefined when they do not know it. */
  readonly candidate: string | undefined;
}

/** One line of what apt says that it would do. */
interface Planned {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

interface Current {
  readonly packages: ReadonlyMap<string, Installed>;
  /** What apt would do; undefined when it was not asked. */
  readonly plan: readonly Planned[] | undefined;
  /** Why apt would not do it. */
  readonly refusal: string;
  /** Seconds since the package lists were fetched; 0 where nobody wants to know. */
  readonly listsAge: number;
  /** Files of packages that are to go. */
  readonly files: readonly string[];
}

export default defineModule({
  name: 'package',
  summary: 'Has packages of the distribution installed, in a version, or removed (apt)',
  description: `For Debian and Ubuntu. What apt would install and remove besides is asked before anything is done, and is part of the
changes. A package that no source has is an error.

- A package that would be removed for another one is an error, unless \`allow_removals\` says that it may go.
- Nobody is asked: files of configuration that were changed are kept, and services that need a restart are left to you.
- Where another program holds apt's or dpkg's lock (unattended-upgrades), the task waits and says for whom.
- Check mode asks apt what it would do with the lists that the host has. Whether a pending package brings a unit, a file, a
  user or a group is not known, so that a later task which needs one is "unknown" and not an error.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      name: { type: 'string', pattern: '^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?$', description: 'One package' },
      names: {
        type: 'array',
        items: { type: 'string', pattern: '^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?$' },
        minItems: 1,
        description: 'Several packages, in one transaction',
        examples: [['curl', 'jq']],
      },
      state: {
        enum: ['present', 'absent', 'latest'],
        default: 'present',
        description: 'latest means the version that the sources have now',
      },
      version: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~-]*[*]?$',
        description: 'The version, exact or with a * at its end; an older one than there is, too',
        examples: ['1.7.28-1', '5:20.10.*'],
      },
      hold: {
        type: 'boolean',
        description: 'Whether upgrades leave the packages alone (apt-mark hold). Default: left alone',
      },
      purge: { type: 'boolean', default: false, description: 'With state: absent, remove the configuration, too' },
      update_cache: {
        type: 'boolean',
        default: false,
        description: 'Fetch the package lists before something is installed, when they are older than cache_valid',
      },
      cache_valid: {
        type: 'integer',
        minimum: 0,
        default: 3600,
        description: 'Seconds for which package lists are good',
      },
      recommends: {
        type: 'boolean',
        description: 'Whether recommended packages are installed, too. Default: as the host is configured',
      },
      allow_removals: {
        type: 'boolean',
        default: false,
        description: 'Let packages go that are not named, where apt has to remove them',
      },
      lock_timeout: {
        type: 'integer',
        minimum: 0,
        default: 300,
        description: 'Seconds to wait for another program that installs packages',
      },
    },
  },
  returns: {
    versions: { type: 'object', description: 'The installed versions by package, null where there is none' },
  },
  examples: `
- name: Docker, in the version that was tested
  package:
    name: docker-ce
    version: "5:20.10.24~*"
    hold: true
    update_cache: true
- name: Tools
  package: { names: [curl, jq], recommends: false }
`,
  check: (args) => [
    ...((args.name === undefined) === (args.names === undefined) ? ['give either "name" or "names"'] : []),
    ...(args.version !== undefined && args.names !== undefined ? ['"version" is for one package: give "name"'] : []),
    ...(args.version !== undefined && args.state !== 'present' ? ['"version" is for state: present'] : []),
    ...(args.hold && args.state === 'absent' ? ['a package that is absent cannot be held'] : []),
    ...(args.purge && args.state !== 'absent' ? ['"purge" is for state: absent'] : []),
  ],
  invalidates: ['container_runtimes', 'kubelet'],
  probe: (args) => probe(question(args), parse, { timeoutMs: 120_000 }),
  diff: (current: Current, args, { predicted }): Diff => compare(current, args, predicted),
  prepare: async (_args, { desired, current }) => ({
    desired,
    implied: current.files.map((file) => ({ path: 'exists', after: false, resource: `file:${file}` })),
  }),
  *apply({ args, current }): Generator<Step, void, StepResult> {
    const names = namesOf(args);
    if (isToFetch(args, current)) {
      yield waitForLocks(args);
      yield* apt(sh`apt-get -q update`, 'fetching the package lists', isActing(args, current));
    }
    if (isUnheld(args, current))
      yield exec(sh`apt-mark unhold ${names}`, {
        purpose: `letting ${names.join(', ')} go`,
        moreFollows: isActing(args, current) || args.hold === true,
      });
    if (isActing(args, current)) {
      yield waitForLocks(args);
      yield* apt(
        actionScript(args),
        `${args.state === 'absent' ? 'removing' : 'installing'} ${names.join(', ')}`,
        args.hold === true,
      );
    }
    if (args.hold) yield exec(sh`apt-mark hold ${names}`, { purpose: `holding ${names.join(', ')}` });
  },
  result: ({ packages }) => ({
    versions: Object.fromEntries([...packages].map(([name, { version }]) => [name, version ?? null])),
  }),
});

function namesOf(args: Pick<Arguments, 'name' | 'names'>): readonly string[] {
  return args.names ?? [args.name ?? ''];
}

/** A package as apt-get takes it: with the version that it is to have. */
function wordsOf(args: Arguments): readonly string[] {
  return namesOf(args).map((name) => (args.version === undefined ? name : `${name}=${args.version}`));
}

function question(args: Arguments): Script {
  const isAbsent = args.state === 'absent';
  // What is there but not as wanted: then apt is asked what it would do.
  const isWrong = isAbsent
    ? sh`[ "$s" = installed ]${args.purge ? sh` || [ "$s" = config-files ]` : sh``}`
    : sh`[ "$s" != installed ] || ! fits "$v" "$c"`;
  return sh`export LC_ALL=C
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then echo none=1; exit 0; fi
fits() { ${fitScript(args)}; }
candidate() { apt-cache ${inMemory} policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | head -n 1; }
need= format='\${db:Status-Status} \${db:Status-Want} \${Version}\\n'
known="
$(dpkg-query -W -f "\\\${Package} $format" ${namesOf(args)} 2>/dev/null)"
look() { # sets s, w and v to the status, the wanted status and the version of a package
s= w= v= i=
case $1 in
*:*) i="$1 $(dpkg-query -W -f "$format" "$1" 2>/dev/null)" ;;
*) case $known in *"
$1 "*) i="$1 \${known#*"
$1 "}" ;; esac ;;
esac
i=\${i%%
*}
set -- $i
s=\${2-} w=\${3-} v=\${4-}
}
for p in ${namesOf(args)}; do
look "$p"; c=
${args.state === 'latest' ? sh`c=$(candidate "$p")` : sh`:`}
if ${isWrong}; then need=1; c=$(candidate "$p"); fi
printf 'package=%s|%s|%s|%s|%s\\n' "$p" "$s" "$w" "$v" "$c"
done
${args.update_cache ? ageScript : sh`:`}
if [ -n "$need" ]; then
echo ==plan
apt-get -s -q ${inMemory} ${optionsOf(args)} ${verbOf(args)} ${wordsOf(args)} 2>&1 | grep -E '^(Inst|Remv|Purg|E:)'
fi
${isAbsent ? filesScript(args) : sh`:`}
exit 0`;
}

const ageScript = sh`printf 'age=%s\\n' "$(( $(date +%s) - $(stat -c %Y /var/lib/apt/lists 2>/dev/null || echo 0) ))"`;

/** A question must not write apt's caches, which are made anew when the lists have changed (apt.conf(5), Dir::Cache). */
const inMemory = ['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='];

/** Whether the version `$1` is as wanted, where `$2` is what the sources have. */
function fitScript({ state, version }: Arguments): Script {
  if (state === 'latest') return sh`[ "$1" = "$2" ]`;
  if (version === undefined) return sh`:`;
  if (!version.endsWith('*')) return sh`[ "$1" = ${version} ]`;
  return sh`case $1 in ${version.slice(0, -1)}*) true ;; *) false ;; esac`;
}

/** The files of packages that are to go; configuration stays unless it is purged, and folders may hold other things. */
function filesScript(args: Arguments): Script {
  const kept = args.purge
    ? sh`:`
    : sh`case "
$k
" in *"
$f
"*) continue ;; esac`;
  return sh`echo ==files
for p in ${namesOf(args)}; do
k=$(dpkg-query -W -f '\${Conffiles}\\n' "$p" 2>/dev/null | sed 's/^ //; s/ .*//')
dpkg -L "$p" 2>/dev/null | while IFS= read -r f; do
{ [ -f "$f" ] || [ -L "$f" ]; } || continue
${kept}
printf '%s\\n' "$f"
done; done`;
}

function verbOf({ state, purge }: Arguments): string {
  if (state !== 'absent') return 'install';
  return purge ? 'purge' : 'remove';
}

function optionsOf(args: Arguments): string[] {
  return [
    '-y',
    ...(args.version === undefined ? [] : ['--allow-downgrades']),
    ...(args.hold === undefined ? [] : ['--allow-change-held-packages']),
    ...(args.recommends === undefined ? [] : [`--${args.recommends ? '' : 'no-'}install-recommends`]),
  ];
}

function actionScript(args: Arguments): Script {
  const keep = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'];
  // Somebody may have taken the lock since it was free.
  const lock = ['-o', 'DPkg::Lock::Timeout=60'];
  const removals = args.allow_removals || args.state === 'absent' ? [] : ['--no-remove'];
  return sh`apt-get -q ${[...optionsOf(args), ...keep, ...lock, ...removals]} ${verbOf(args)} ${wordsOf(args)}`;
}

function* apt(script: Script, purpose: string, moreFollows: boolean): Generator<Step, void, StepResult> {
  const environment = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l', LC_ALL: 'C' };
  const answer = yield exec(sh`${script} </dev/null`, { purpose, okCodes: 'any', environment, moreFollows });
  if (answer.rc === 0) return;
  const said = `${answer.stdout}\n${answer.stderr}`.trim().split('\n').slice(-20).join('\n');
  throw failure(`${purpose}: apt-get: exit status ${answer.rc}`, said);
}

function waitForLocks({ lock_timeout: seconds }: Arguments): Step {
  return waitFor({
    what: 'other programs to be done with packages',
    probe: lockHolders(),
    done: (holders) => (holders.length === 0 ? true : holders.join(', ')),
    timeoutMs: seconds * 1000,
    intervalMs: 2000,
  });
}

function parse({ stdout, stderr }: ProbeOutput): Current {
  if (/^none=1$/m.test(stdout)) throw failure('this host has no apt: the package module knows Debian and Ubuntu only');
  const [head = '', ...sections] = stdout.split(/^==(?=plan$|files$)/m);
  const section = (name: string): string | undefined =>
    sections.find((text) => text.startsWith(`${name}\n`))?.slice(name.length + 1);
  const packages = new Map<string, Installed>();
  const lines = head.matchAll(/^package=(.*?)\|(.*?)\|(.*?)\|(.*?)\|(.*)$/gm);
  for (const [, name = '', status, want, version, candidate] of lines) {
    packages.set(name, {
      version: status === 'installed' ? version : undefined,
      isHeld: want === 'hold',
      hasConfiguration: status === 'config-files',
      candidate: candidate === '' || candidate === '(none)' ? undefined : candidate,
    });
  }
  if (packages.size === 0) throw failure('dpkg does not tell which packages are installed', stderr || stdout);
  const plan = section('plan');
  return {
    packages,
    plan: plan?.split('\n').flatMap(plannedIn),
    refusal: [...(plan ?? '').matchAll(/^E: (.*)$/gm)].map((match) => match[1] ?? '').join('\n'),
    listsAge: Number(/^age=(\d+)$/m.exec(head)?.[1] ?? 0),
    files: section('files')?.split('\n').filter(Boolean) ?? [],
  };
}

/** `Inst jq [1.5] (1.6-2 Debian:12/stable [amd64])`, `Remv docker.io [20.10.24]`. */
function plannedIn(line: string): Planned[] {
  const match = /^(Inst|Remv|Purg) (\S+)(?: \[([^\]]+)\])?(?: \((\S+))?/.exec(line);
  if (!match) return [];
  const [, verb, name = '', before = null, after = null] = match;
  return [{ name, before, after: verb === 'Inst' ? after : null }];
}

function compare(current: Current, args: Arguments, predicted: Predicted): Diff {
  const pending = namesOf(args).filter((name) => isPending(name, current, args, predicted));
  const stale = staleness(pending, current, args, predicted);
  if (stale !== undefined) return unknown(stale);
  const planned = pending.length === 0 ? [] : plannedChanges(pending, current, args, predicted);
  const isFetched = isToFetch(args, current) && (args.state === 'latest' || pending.length > 0);
  const lists = { path: 'package lists', before: `${hoursOf(current)} h old`, after: 'fetched' };
  return [...(isFetched ? [lists] : []), ...planned, ...holds(current, args, predicted)];
}

/** The version that there is, or will be. */
function versionOf(name: string, current: Current, predicted: Predicted): string | undefined {
  const said = predicted.of(resourceOf(name))[name];
  if (said === null) return undefined;
  return typeof said === 'string' ? said : current.packages.get(name)?.version;
}

function isPending(name: string, current: Current, args: Arguments, predicted: Predicted): boolean {
  const is = versionOf(name, current, predicted);
  const known = current.packages.get(name);
  if (args.state === 'absent') {
    const isLeft = known?.hasConfiguration === true && predicted.of(resourceOf(name))[name] !== null;
    return is !== undefined || (args.purge && isLeft);
  }
  if (is === undefined) return true;
  if (args.state === 'latest') return is !== known?.candidate;
  if (args.version === undefined) return false;
  return args.version.endsWith('*') ? !is.startsWith(args.version.slice(0, -1)) : is !== args.version;
}

/** Why it cannot be told what the sources have: an earlier task would change them. */
function staleness(
  pending: readonly string[],
  current: Current,
  args: Arguments,
  predicted: Predicted,
): string | undefined {
  const source = predicted.under('file:/etc/apt/')[0];
  const asksSources = args.state === 'latest' || (pending.length > 0 && current.refusal !== '');
  if (source === undefined || !asksSources) return undefined;
  return `an earlier task would change ${source.slice('file:'.length)}; what the sources have shows then`;
}

function plannedChanges(pending: readonly string[], current: Current, args: Arguments, predicted: Predicted): Change[] {
  refuse(pending, current, args, predicted);
  const isNamed = (name: string): boolean => namesOf(args).includes(name);
  const besides = (current.plan ?? []).filter(
    ({ name, after }) => !isNamed(name) && predicted.of(resourceOf(name))[name] !== after,
  );
  return [
    ...pending.map((name) => changeOf(name, current, args, predicted)),
    ...besides.map(({ name, before, after }) => ({ path: name, before, after, resource: resourceOf(name) })),
  ];
}

/** Raises what apt would refuse, and what nobody asked for. */
function refuse(pending: readonly string[], current: Current, args: Arguments, predicted: Predicted): void {
  const held = pending.find((name) => current.packages.get(name)?.isHeld && versionOf(name, current, predicted));
  if (held !== undefined && args.hold === undefined) {
    throw failure(`${held} is on hold; hold: true changes it and holds it again, hold: false lets it go`);
  }
  if (current.refusal !== '' && !isToFetch(args, current)) {
    const hint = args.update_cache || args.state === 'absent' ? '' : '; update_cache: true fetches the lists first';
    const verb = args.state === 'absent' ? 'remove' : 'install';
    throw failure(`apt cannot ${verb} ${pending.join(', ')}${hint}`, current.refusal);
  }
  const others = (current.plan ?? []).filter(({ name, after }) => after === null && !namesOf(args).includes(name));
  if (others.length === 0 || args.allow_removals) return;
  throw failure(
    `apt would remove ${others.map(({ name }) => name).join(', ')} with it; allow_removals: true accepts that`,
  );
}

function changeOf(name: string, current: Current, args: Arguments, predicted: Predicted): Change {
  const resource = resourceOf(name);
  const is = versionOf(name, current, predicted) ?? null;
  if (args.state === 'absent') return { path: name, before: is ?? 'configuration', after: null, resource };
  const planned = current.plan?.find((line) => line.name === name)?.after;
  const candidate = current.packages.get(name)?.candidate;
  return { path: name, before: is, after: planned ?? args.version ?? candidate ?? 'what the sources have', resource };
}

function holds(current: Current, args: Arguments, predicted: Predicted): Change[] {
  const { hold } = args;
  if (hold === undefined) return [];
  return namesOf(args).flatMap((name) => {
    const resource = resourceOf(name);
    const is = predicted.of(resource).hold ?? current.packages.get(name)?.isHeld ?? false;
    return is === hold ? [] : [{ path: 'hold', before: is, after: hold, resource }];
  });
}

function isToFetch(args: Arguments, { listsAge }: Current): boolean {
  return args.update_cache && args.state !== 'absent' && listsAge > args.cache_valid;
}

/** In a run nothing is predicted: apt was asked about what is to be done, and about nothing else. */
function isActing(args: Arguments, current: Current): boolean {
  return current.plan !== undefined || (args.state === 'latest' && isToFetch(args, current));
}

function isUnheld(args: Arguments, { packages }: Current): boolean {
  return args.hold === false && [...packages.values()].some(({ isHeld }) => isHeld);
}

function hoursOf({ listsAge }: Current): number {
  return Math.floor(listsAge / 3600);
}

function resourceOf(name: string): string {
  return `package:${name}`;
}

import { failure, type Predicted, type Probe, type ProbeOutput, probe, type Script, sh } from '../../engine/index.ts';

/** A unit as systemd describes it (org.freedesktop.systemd1(5), `systemctl show`). */
export interface UnitState {
  /** As the task names it, with its suffix. */
  readonly name: string;
  /** The unit's own name; another one than `name` for an alias. */
  readonly id: string;
  readonly loadState: string;
  readonly loadError: string;
  readonly activeState: string;
  readonly subState: string;
  readonly unitFileState: string;
  readonly needsReload: boolean;
  readonly restarts: number;
  readonly mainPid: number;
  /** Why it ended last: `success`, `exit-code`, `start-limit-hit`, … */
  readonly result: string;
  /** The file that systemd has read. */
  readonly fragmentPath: string;
  readonly dropInPaths: readonly string[];
  /** The first file of that name on systemd's search path: what it would read now. */
  readonly firstFile: string;
  /** True when `firstFile` is a file of its own and no link. */
  readonly isFirstFilePlain: boolean;
  /** `notify`, `simple`, `oneshot`, … of a service, else empty. */
  readonly type: string;
  readonly remainsAfterExit: boolean;
  readonly canReload: boolean;
  /** ISO 8601, UTC; null when it is not active. */
  readonly activeSince: string | null;
  /** Microseconds of the host's monotonic clock. */
  readonly activeEnterUs: number;
  readonly inactiveExitUs: number;
  /** The last lines of its journal, when the question asked for them and the unit is in trouble. */
  readonly journal: string;
}

/** The answer to {@link askUnits}. */
export interface UnitsState {
  readonly units: readonly UnitState[];
  /** Where systemd looks for unit files, the winner first. */
  readonly searchPath: readonly string[];
  /** The host's clock for `activeEnterUs`. */
  readonly nowUs: number;
}

/** The suffixes of unit names, systemd.unit(5). */
const suffix = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** Where systemd looks for the files of system units unless it is told otherwise, systemd.unit(5). */
const usualSearchPath = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  '/etc/systemd/system',
  '/etc/systemd/system.attached',
  '/run/systemd/system',
  '/run/systemd/system.attached',
  '/run/systemd/generator',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/run/systemd/generator.late',
];

/** A unit's full name: `docker` is `docker.service`, as for systemctl. */
export function unitName(name: string): string {
  return suffix.test(name) ? name : `${name}.service`;
}

/** The name under which check mode remembers a unit. */
export function unitResource(unit: Pick<UnitState, 'id'>): string {
  return `unit:${unit.id}`;
}

/** `activating (auto-restart)`. */
export function activity(unit: UnitState): string {
  return unit.subState === '' ? unit.activeState : `${unit.activeState} (${unit.subState})`;
}

/** Asks for the state of units, in one call. With `journal` a unit in trouble shows its last lines. */
export function askUnits(
  names: readonly string[],
  options: { journal?: 'when-failing' | 'always' } = {},
): Probe<UnitsState> {
  return probe(unitsScript(names, options.journal), (output) => parseUnits(names, output));
}

const properties = [
  'Id',
  'LoadState',
  'LoadError',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'NeedDaemonReload',
  'NRestarts',
  'MainPID',
  'Result',
  'FragmentPath',
  'DropInPaths',
  'Type',
  'RemainAfterExit',
  'CanReload',
  'ActiveEnterTimestamp',
  'ActiveEnterTimestampMonotonic',
  'InactiveExitTimestampMonotonic',
].join(',');

/**
 * NeedDaemonReload does not notice a new file that comes before the one in use, nor a drop-in in a folder that is new
 * (both tried with systemd 252), so the script looks itself for the first file of each name and for its drop-ins. Where
 * it knows no file, or one from somewhere else than usual, systemd is asked where it looks.
 */
function unitsScript(names: readonly string[], journal: 'when-failing' | 'always' | undefined): Script {
  return sh`export TZ=UTC
out=$(systemctl show --no-pager --all -p ${properties} -- ${names}) || exit
path=${usualSearchPath.join(' ')} known=
set --; set -f; IFS='
'
for line in $out; do case $line in FragmentPath=*)
line=\${line#*=}; set -- "$@" "$line"
case " $path " in *" \${line%/*} "*) ;; *) known=no ;; esac
esac; done
set +f; unset IFS
[ -z "$known" ] || { path=$(systemctl show --no-pager -p UnitPath); path=\${path#UnitPath=}; }
read -r up rest </proc/uptime
printf '%s\n\n==host\nuptime=%s\npath=%s\n' "$out" "$up" "$path"
for u in ${names}; do
t=; case $u in *@*.*) t=\${u%%@*}@.\${u##*.} ;; esac
w=
for n in "$u" $t; do for d in $path; do
if [ -e "$d/$n" ]; then w=$d/$n; break 2; fi
done; done
k=link; [ -L "$w" ] || k=plain
r=read; [ -z "$w" ] || [ -z "$1" ] || [ "$w" -ef "$1" ] || r=unread
printf 'first=%s %s %s\n' "$k" "$r" "$w"
[ $# = 0 ] || shift
for n in "$u" $t; do for d in $path; do for f in "$d/$n.d"/*.conf; do
[ ! -s "$f" ] || printf 'dropin=%s %s\n' "$u" "\${f##*/}"
done; done; done
done
${journal === undefined ? sh`:` : journalScript(names, journal)}`;
}

/** The lines since the last start, older ones have another cause; for a unit that was restarted since, the last ones. */
function journalScript(names: readonly string[], journal: 'when-failing' | 'always'): Script {
  const when = journal === 'always' ? sh`*` : sh`*ActiveState=failed* | *SubState=auto-restart* | *NRestarts=[1-9]*`;
  return sh`case $out in ${when})
for u in ${names}; do
printf '==journal %s\\n' "$u"
s=$(systemctl show --no-pager -p NRestarts,InactiveExitTimestamp -- "$u")
case $s in *NRestarts=[1-9]*) s= ;; *) s=\${s##*InactiveExitTimestamp=}; s=\${s%%?NRestarts*} ;; esac
journalctl -u "$u" -n 20 --no-pager -o cat -q \${s:+-S "$s"} 2>/dev/null
done ;; esac
exit 0`;
}

/** Reads the answer to {@link askUnits}. */
export function parseUnits(names: readonly string[], { rc, stdout, stderr }: ProbeOutput): UnitsState {
  if (rc === 127) throw failure('this host has no systemctl, so it is not managed by systemd');
  if (rc !== 0) throw failure(`systemd does not tell the state of ${names.join(', ')}`, stderr || stdout);
  const [shown = '', rest = ''] = stdout.split(/^==host\n/m, 2);
  const [host = '', ...journals] = rest.split(/^==journal /m);
  // One block for each name that was asked for, in that order.
  const blocks = shown.trim().split(/\n{2,}/);
  if (blocks.length !== names.length) {
    throw failure(`systemctl described ${blocks.length} of the units ${names.join(', ')}`, stdout);
  }
  const firstFiles = [...host.matchAll(/^first=(\S+) (\S+) (\S*)$/gm)];
  const path = /^path=(.*)$/m.exec(host)?.[1]?.split(' ').filter(Boolean) ?? [];
  return {
    units: names.map((name, i) => {
      const [, kind = 'plain', use = 'read', file = ''] = firstFiles[i] ?? [];
      const journal = journals.find((text) => text.startsWith(`${name}\n`))?.slice(name.length + 1) ?? '';
      const dropIns = [...host.matchAll(/^dropin=(\S+) (.*)$/gm)].filter((match) => match[1] === name);
      const files = { kind, file, isRead: use === 'read', dropIns: dropIns.map((match) => match[2] ?? '') };
      return parseUnit(name, blocks[i] ?? '', files, journal);
    }),
    searchPath: path.length > 0 ? path : usualSearchPath,
    nowUs: Number(/^uptime=([\d.]+)$/m.exec(host)?.[1] ?? 0) * 1e6,
  };
}

interface FilesOnDisk {
  readonly kind: string;
  readonly file: string;
  /** False where systemd has read another file. */
  readonly isRead: boolean;
  /** Names of the drop-ins that are there. */
  readonly dropIns: readonly string[];
}

function parseUnit(name: string, block: string, first: FilesOnDisk, journal: string): UnitState {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  const text = (key: string): string => fields.get(key) ?? '';
  const isNew = text('LoadState') === 'not-found' && first.file !== '';
  const dropInPaths = text('DropInPaths').split(' ').filter(Boolean);
  const readDropIns = new Set(dropInPaths.map((path) => path.split('/').at(-1)));
  const hasNewDropIn = text('LoadState') === 'loaded' && first.dropIns.some((file) => !readDropIns.has(file));
  const isActive = text('ActiveState') === 'active' || text('ActiveState') === 'reloading';
  return {
    name,
    id: text('Id') || name,
    loadState: text('LoadState'),
    // `org.freedesktop.systemd1.BadUnitSetting "Unit x.service has a bad unit file setting."`
    loadError: /"(.*)"/.exec(text('LoadError'))?.[1] ?? '',
    activeState: text('ActiveState'),
    subState: text('SubState'),
    unitFileState: text('UnitFileState'),
    needsReload: text('NeedDaemonReload') === 'yes' || !first.isRead || isNew || hasNewDropIn,
    restarts: Number(text('NRestarts') || 0),
    mainPid: Number(text('MainPID') || 0),
    result: text('Result'),
    fragmentPath: text('FragmentPath'),
    dropInPaths,
    firstFile: first.file,
    isFirstFilePlain: first.kind === 'plain',
    type: text('Type'),
    remainsAfterExit: text('RemainAfterExit') === 'yes',
    canReload: text('CanReload') === 'yes',
    activeSince: isActive ? timestamp(text('ActiveEnterTimestamp')) : null,
    activeEnterUs: Number(text('ActiveEnterTimestampMonotonic') || 0),
    inactiveExitUs: Number(text('InactiveExitTimestampMonotonic') || 0),
    journal: journal.trim(),
  };
}

/** `Sat 2026-11-21 05:21:46 UTC` as ISO 8601. */
function timestamp(text: string): string | null {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC/.exec(text);
  return match ? `${match[1]}T${match[2]}Z` : null;
}

/** The unit as it will be when the tasks before this one have run; check mode only. */
export function expectedUnit(unit: UnitState, searchPath: readonly string[], predicted: Predicted): UnitState {
  if (!predicted.any) return unit;
  const said = predicted.of(unitResource(unit));
  const withFile = expectFiles(unit, searchPath, predicted);
  const activeState = textOr(said.ActiveState) ?? withFile.activeState;
  const unitFileState = textOr(said.UnitFileState) ?? withFile.unitFileState;
  return {
    ...withFile,
    activeState,
    subState: said.ActiveState === undefined ? withFile.subState : '',
    unitFileState,
    loadState: loadStateOf(unitFileState, withFile.loadState),
    needsReload: said.NeedDaemonReload === 'no' ? false : withFile.needsReload,
  };
}

function loadStateOf(unitFileState: string, loadState: string): string {
  if (unitFileState === 'masked') return 'masked';
  return loadState === 'masked' ? 'loaded' : loadState;
}

function expectFiles(unit: UnitState, searchPath: readonly string[], predicted: Predicted): UnitState {
  const file = predictedFile(unit.name, searchPath, predicted);
  const hasDropIn =
    unit.dropInPaths.some((path) => isWritten(predicted.of(`file:${path}`))) ||
    searchPath
      .flatMap((folder) => predicted.under(`file:${folder}/${unit.name}.d/`))
      .some((resource) => isWritten(predicted.of(resource)));
  if (unit.loadState === 'not-found') {
    if (file === undefined || file.attributes.exists === false) return unit;
    const content = textOr(file.attributes.content);
    const isInstallable = content === undefined || /^\[Install\]/m.test(content);
    return { ...unit, loadState: 'loaded', unitFileState: isInstallable ? 'disabled' : 'static', needsReload: false };
  }
  const place = (path: string): number => searchPath.findIndex((folder) => path.startsWith(`${folder}/`));
  const current = place(unit.firstFile || unit.fragmentPath);
  const isRead = file !== undefined && (current < 0 || place(file.path) <= current);
  return isRead || hasDropIn ? { ...unit, needsReload: true } : unit;
}

interface PredictedFile {
  readonly path: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The unit's file that an earlier task would write or remove, from the folder that wins. */
function predictedFile(name: string, searchPath: readonly string[], predicted: Predicted): PredictedFile | undefined {
  for (const file of new Set([name, name.replace(/@.+(\.[a-z]+)$/, '@$1')])) {
    for (const folder of searchPath) {
      const path = `${folder}/${file}`;
      const attributes = predicted.of(`file:${path}`);
      if (isWritten(attributes)) return { path, attributes };
    }
  }
  return undefined;
}

/** True when the bytes change; a new mode or owner alone does not make systemd read a file again. */
function isWritten(attributes: Readonly<Record<string, unknown>>): boolean {
  return ['exists', 'content', 'sha256', 'target'].some((name) => attributes[name] !== undefined);
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

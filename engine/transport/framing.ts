import { quoteWord } from '../base/sh.ts';
import { effectProgram, forgetEffects, takeLock } from './effect-script.ts';
import { effectsVariable } from './host-digest.ts';
import type { HostLock } from './transport.ts';

/** A script as it goes to the persistent shell. */
export interface FrameRequest {
  readonly script: string;
  readonly stdin: Uint8Array | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly marks: FrameMarks;
}

/** An effect as it goes to a persistent shell that was told `effectPrelude`. */
export interface EffectRequest extends FrameRequest {
  readonly id: string;
  readonly startedIn: string | undefined;
  readonly lock: HostLock | undefined;
  readonly forget: readonly string[];
}

/** Random words that nothing else prints; new ones for every script, so that a script cannot know them. */
export interface FrameMarks {
  readonly begin: string;
  readonly end: string;
  /** Begins the line that tells how an effect went. */
  readonly verdict: string;
}

/**
 * What the persistent shell is told first, and to end unless it has the proof that it is the one that was asked for. Its own standard error goes nowhere, so that remarks like "Killed" do not
 * end up in a script's; scripts get the real one, kept as descriptor 9. Without setsid (some minimal hosts) scripts
 * run in the shell's own group, and are then killed as a tree instead.
 */
export function shellPrelude(path: string, proof?: string): string {
  return [
    ...(proof === undefined ? [] : [`[ "$rb_entered" = ${proof} ] || exit 126; unset rb_entered`]),
    'exec 9>&2 2>/dev/null',
    `PATH=${path}; LC_ALL=C; export PATH LC_ALL; unset ENV BASH_ENV LANGUAGE; umask 022`,
    "if command -v setsid >/dev/null; then rb_s=setsid; else rb_s=; fi; PS1=; PS2=; PS4='+ '",
    // What the login has in its environment is not believed.
    'rb_base= rb_boot=; read -r rb_boot </proc/sys/kernel/random/boot_id',
    '',
  ].join('\n');
}

/**
 * Wraps a script so that one write runs it and its end is certain to be seen.
 *
 * The persistent shell reads one line that always parses: the script is inside it only as an argument of `printf`, a
 * builtin, so that neither the script nor its standard input ever are in a command line or on the disk (a here-document
 * is a temporary file in bash). `printf` writes a small program to the standard input of a new `sh`, which leads its
 * own process group, prints that group's number after the begin mark, and evaluates the script. Whatever the script
 * does (`exit`, `exec`, unbalanced quotes, reading its input), it does to that inner shell.
 */
export function frameScript(request: FrameRequest): string {
  const { environment, script } = request;
  // One line as far as the parser is concerned: it is read to its `exit` before the standard input is replaced.
  // The blank keeps a script that begins with a dash from being an option of eval.
  const program = `${beginning(request)}${exportsOf(environment)}eval ${quoteWord(` ${script}`)}; exit $?\n`;
  return framed(
    { run: `printf ${printfWord(Buffer.from(program, 'utf8'))} | ${effectsVariable} $rb_s /bin/sh 8>&-` },
    request,
  );
}

/** Wraps an effect in the same way, with what the persistent shell does before (the lock) and after it. */
export function frameEffect(request: EffectRequest): string {
  const { id, lock, forget, script, startedIn, marks } = request;
  const program = effectProgram({
    begin: beginning(request),
    id,
    startedIn,
    body: `${exportsOf(request.environment)}eval ${quoteWord(` ${script}`)}`,
    verdictMark: marks.verdict,
  });
  const shell = `$rb_s /bin/sh -s -- ${lock ? '"$rb_lock"' : 'none'} "$rb_holder" "$rb_why" "$@"`;
  const run = `{ printf '%s\\n' "$rb_lib"; printf ${printfWord(Buffer.from(program, 'utf8'))}; } | ${shell}`;
  const before = lock ? takeLock(lock) : '';
  return framed({ before, run, after: forget.length === 0 ? '' : forgetEffects(forget) }, request);
}

/** Says who runs the script, and gives it its standard input. */
function beginning({ marks: { begin } }: FrameRequest): string {
  return `printf '${begin} %d\\n' $$; printf '${begin} %d\\n' $$ >&2; exec <&4 4<&-; `;
}

function exportsOf(environment: FrameRequest['environment']): string {
  const exports = Object.entries(environment).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError(`"${name}" is no name for an environment variable`);
    return `export ${name}=${quoteWord(value)}; `;
  });
  return exports.join('');
}

/** In braces: of a line that a lost link cut short nothing is run. */
function framed(
  { before = '', run, after = '' }: { readonly before?: string; readonly run: string; readonly after?: string },
  { stdin, marks: { end } }: FrameRequest,
): string {
  const inner = `${run} 2>&9 9>&-`;
  const fed =
    stdin === undefined || stdin.length === 0
      ? `${inner} 4</dev/null`
      : `printf ${printfWord(stdin)} | { ${inner} 4<&3 3<&-; } 3<&0`;
  const ended = `printf '\\n${end} %d %s\\n' $? "$rb_boot"; printf '\\n${end} 0\\n' >&9`;
  return `{ ${before}${fed}; ${ended}; ${after}}\n`;
}

/** Any bytes as one word of a command line that the shell's builtin `printf` turns back into them. */
export function printfWord(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    // Character by character in one go would take three times as long, and scripts are full of these.
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    .replaceAll("'", '\\047')
    .replace(/[^\n -~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  // A word that starts with a dash would be taken for an option.
  return `'${text.startsWith('-') ? `\\055${text.slice(1)}` : text}'`;
}

/** Finds one script's output in one stream of the persistent shell. */
export interface FrameReader {
  /** Takes what arrived, until the end was seen; then gives what stands behind it, which is of the next script. */
  push(chunk: Uint8Array): Buffer | undefined;
  /** Number printed after the begin mark: the script's process group. */
  readonly group: number | undefined;
  /** Number printed after the end mark: the exit status. */
  readonly status: number | undefined;
  /** Word printed after the exit status: the host's boot. */
  readonly boot: string | undefined;
  /** True when the limit was passed; of what comes after that only the last part is kept. */
  readonly isOverLimit: boolean;
  /** The output so far; complete once the end was seen. */
  content(): Buffer;
}

/** Makes a reader for one script. What comes before the begin mark is left over from an earlier one and is dropped. */
export function createFrameReader(marks: FrameMarks, limitBytes: number): FrameReader {
  const beginMark = Buffer.from(`${marks.begin} `, 'latin1');
  const endMark = Buffer.from(`\n${marks.end} `, 'latin1');
  let chunks: Buffer[] = [];
  let size = 0;
  let isOverLimit = false;
  let group: number | undefined;
  let status: number | undefined;
  let boot: string | undefined;

  function joined(): Buffer {
    if (chunks.length !== 1) chunks = [Buffer.concat(chunks)];
    return chunks[0] ?? Buffer.alloc(0);
  }

  function keep(buffer: Buffer): void {
    chunks = [buffer];
    size = buffer.length;
  }

  /** Only the end of what is there can complete a mark, so that long output is not searched again and again. */
  function mayHold(mark: Buffer, added: number): boolean {
    const reach = added + mark.length + maxNumberLength;
    let tail: Buffer = Buffer.alloc(0);
    for (let i = chunks.length - 1; i >= 0 && tail.length < reach; i--) {
      tail = Buffer.concat([chunks[i] ?? Buffer.alloc(0), tail]);
    }
    return tail.subarray(Math.max(0, tail.length - reach)).includes(mark);
  }

  function takeNumber(mark: Buffer): { number: number; word: string; before: Buffer; after: Buffer } | undefined {
    const all = joined();
    const at = all.indexOf(mark);
    const lineEnd = at === -1 ? -1 : all.indexOf(0x0a, at + mark.length);
    if (lineEnd === -1) return undefined;
    const [number, word = ''] = all
      .subarray(at + mark.length, lineEnd)
      .toString('latin1')
      .split(' ');
    return { number: Number(number), word, before: all.subarray(0, at), after: all.subarray(lineEnd + 1) };
  }

  return {
    push(chunk) {
      if (status !== undefined) return Buffer.from(chunk);
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      let added = chunk.length;
      if (group === undefined && mayHold(beginMark, added)) {
        const found = takeNumber(beginMark);
        if (found) {
          group = found.number;
          keep(found.after);
          added = size;
        }
      }
      if (!mayHold(endMark, added)) {
        if (isOverLimit && size > keptBytes * 2) keep(joined().subarray(-keptBytes));
        isOverLimit ||= size > limitBytes;
        return undefined;
      }
      const found = takeNumber(endMark);
      if (!found) return undefined;
      status = found.number;
      boot = found.word === '' ? undefined : found.word;
      keep(found.before);
      return found.after;
    },
    get group() {
      return group;
    },
    get status() {
      return status;
    },
    get boot() {
      return boot;
    },
    get isOverLimit() {
      return isOverLimit;
    },
    content: joined,
  };
}

/** What is kept of output that passed the limit: enough for its last line. */
const keptBytes = 64 * 1024;

/** Digits of a process number (at most 4194304 on Linux) or exit status, the boot (a UUID), and the newline. */
const maxNumberLength = 50;

import { failure, type Probe, type ProbeOutput, probe, type Script, sh } from '../../engine/index.ts';

/** Whether something answers, and if not, why. */
export type Answer = true | string;

/** Asks whether shell text that changes nothing succeeds; the last lines that it prints are the reason why not. */
export function commandProbe(text: string, timeoutMs?: number): Probe<Answer> {
  return probe(
    commandScript(text),
    ({ stdout }) => commandAnswer(stdout),
    timeoutMs === undefined ? {} : { timeoutMs },
  );
}

/** The script of {@link commandProbe}, to be part of another one; {@link commandAnswer} reads what it prints. */
export function commandScript(text: string): Script {
  return sh`o=$(sh -c ${text} </dev/null 2>&1); rc=$?; echo "$rc"; printf '%s\n' "$o" | tail -n 3`;
}

/** Reads what {@link commandScript} printed. */
export function commandAnswer(stdout: string): Answer {
  const [rc = '', ...lines] = stdout.split('\n');
  if (rc === '0') return true;
  const said = lines.join(' ').trim();
  return `exit status ${rc}${said === '' ? '' : `: ${said}`}`;
}

// Every way prints `open`, or `closed` and why; the first one that the host has is taken. `timeout` because a connect to
// a host that drops packets takes minutes.

/** Asks whether something listens on a TCP port, as seen from the host. */
export function portProbe(host: string, port: number): Probe<Answer> {
  const isLocal = /^(localhost|127\.|::1$|0\.0\.0\.0$)/.test(host);
  // ":0A" is LISTEN; the port is in hexadecimal digits behind the address.
  const inHex = port.toString(16).toUpperCase().padStart(4, '0');
  return probe(
    sh`host=${host} port=${port}
if command -v bash >/dev/null && command -v timeout >/dev/null && bash -c 'exec 3<>/dev/tcp/127.0.0.1/0' 2>&1 | grep -qv 'No such file'; then
  if e=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>&1); then echo open; else
    case $? in 124 | 143) echo 'closed no answer within 3 s' ;; *) printf 'closed %s\n' "\${e##*: }" ;; esac; fi
elif command -v nc >/dev/null && nc -h 2>&1 | grep -q -e '-z'; then
  if nc -z -w 3 "$host" "$port" >/dev/null 2>&1 </dev/null; then echo open; else echo 'closed no connection'; fi
elif command -v curl >/dev/null; then
  case $host in *:*) at="[$host]" ;; *) at=$host ;; esac
  t=$(curl -s -m 3 -w '%{time_connect}' "telnet://$at:$port" </dev/null 2>/dev/null | tail -n 1)
  case $t in *[1-9]*) echo open ;; *) echo 'closed no connection' ;; esac
elif ${isLocal} && [ -r /proc/net/tcp ]; then
  if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ${`:${inHex} [0-9A-F]*:0000 0A `}; then echo open; else echo 'closed nothing listens'; fi
else echo 'none bash with timeout, nc -z, curl'; fi`,
    readAnswer,
  );
}

/** Asks whether something accepts connections on a unix socket: a file that nobody listens on any more is no answer. */
export function socketProbe(path: string): Probe<Answer> {
  const question = sh`if command -v curl >/dev/null && curl --help all 2>/dev/null | grep -q unix-socket; then
  curl -s -o /dev/null -m 3 --unix-socket "$s" http://localhost/ </dev/null >/dev/null 2>&1
  # 7 is "could not connect"; all else happened after that, also an answer that is not HTTP.
  case $? in 7) echo 'closed nobody accepts connections' ;; *) echo open ;; esac
elif command -v perl >/dev/null && perl -MSocket -e 1 2>/dev/null; then
  if e=$(perl -MSocket -e 'alarm 3; socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or do { print "$!"; exit 1 }' "$s"); then
    echo open; else printf 'closed %s\n' "$e"; fi
elif command -v python3 >/dev/null; then
  if e=$(python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(3)
try: s.connect(sys.argv[1])
except OSError as e: print(e.strerror or e); sys.exit(1)' "$s" 2>&1); then echo open; else printf 'closed %s\n' "$e"; fi
elif command -v socat >/dev/null; then
  if socat -T 3 - "UNIX-CONNECT:$s" </dev/null >/dev/null 2>&1; then echo open; else echo 'closed nobody accepts connections'; fi
elif [ -r /proc/net/unix ]; then
  # 00010000 is the flag of a socket that listens.
  if grep -F " $r" /proc/net/unix | grep -q '^[^ ]* [^ ]* [^ ]* 00010000 '; then echo open; else echo 'closed nobody listens'; fi
else echo 'none curl, perl, python3, socat'; fi`;
  return probe(ofSocket(path, question), readAnswer);
}

/** Asks with an HTTP GET over a unix socket; a 2xx status is an answer. */
export function httpSocketProbe(path: string, url: string): Probe<Answer> {
  const question = sh`if command -v curl >/dev/null; then
  c=$(curl -s -o /dev/null -m 3 -w '%{http_code}' --unix-socket "$s" ${`http://localhost${url}`} </dev/null 2>/dev/null)
  case $c in 2??) echo open ;; 000 | '') echo 'closed no HTTP answer' ;; *) printf 'closed HTTP status %s\n' "$c" ;; esac
else echo 'none curl'; fi`;
  return probe(ofSocket(path, question), readAnswer);
}

/** Asks only when a socket is there; `$s` is its path, `$r` the same without links. */
function ofSocket(path: string, question: Script): Script {
  return sh`s=${path}
if [ ! -e "$s" ]; then echo 'closed it does not exist'
elif [ ! -S "$s" ]; then echo 'closed it is no socket'
else r=$(readlink -f "$s" || printf %s "$s")
${question}
fi`;
}

function readAnswer({ stdout, stderr }: ProbeOutput): Answer {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (line === 'open') return true;
  if (line.startsWith('closed ')) return line.slice('closed '.length);
  if (line.startsWith('none '))
    throw failure(`nothing on the host can ask: it needs one of ${line.slice('none '.length)}`);
  throw failure('the host gave no answer that can be read', `${stdout}\n${stderr}`);
}

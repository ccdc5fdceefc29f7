import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import { quoteWord } from '../base/sh.ts';
import { describeEnd, type HostProcess, type OpenProcess, type ProcessEnd } from './process.ts';
import type { Become } from './transport.ts';

/** What entering another user needs from its connection. */
export interface BecomeContext {
  readonly open: OpenProcess;
  readonly description: string;
  readonly clock: Clock;
  readonly randomMark: () => string;
}

/** How long sudo may take to let us in. */
export const becomeTimeoutMs = 15_000;

/** A process of another user. */
export interface EnteredProcess extends HostProcess {
  /** Resolves once it runs. Rejects with `become-failed`, saying what the host had against it; it has ended then. */
  readonly entered: Promise<void>;
  /**
   * What its environment has as `rb_entered`, where it is written to before it is known to run: a shell that was started
   * instead of it does not have it.
   */
  readonly proof?: string;
}

/**
 * Starts `command` as another user. Where nothing can ask for a password, what is written to it goes there in the same
 * round trip: whoever refuses does not read it. Else it resolves once the command runs, its standard input untouched: the
 * password, if one was asked for, has been given by then; and it rejects as {@link EnteredProcess.entered} does.
 */
export async function openAs(become: Become, command: string, context: BecomeContext): Promise<EnteredProcess> {
  const prompt = `[runbook-${context.randomMark()}] password:`;
  const ready = `runbook-${context.randomMark()}`;
  const process = await context.open(becomeCommand(become, command, prompt, ready));
  const entered = enterInTime(process, become, { prompt, ready }, context);
  // Whoever waits for it is told, and so is whoever sees the process end.
  entered.catch(() => undefined);
  if (!mayAsk(become)) return { ...process, entered, proof: ready };
  await entered;
  return { ...process, entered };
}

/** Whether standard input may be read for a password. */
function mayAsk({ method, password }: Become): boolean {
  return method === 'su' || (method === 'sudo' && password !== undefined);
}

async function enterInTime(
  process: HostProcess,
  become: Become,
  { prompt, ready }: { readonly prompt: string; readonly ready: string },
  { description, clock }: BecomeContext,
): Promise<void> {
  const deadline = new AbortController();
  try {
    await Promise.race([
      enter(process, become, become.method === 'su' ? suPrompt : prompt, ready, description),
      clock.sleep(becomeTimeoutMs, deadline.signal).then(() => {
        throw refused(become, description, `no answer within ${becomeTimeoutMs / 1000} s`);
      }),
    ]);
  } catch (error) {
    process.destroy();
    throw error;
  } finally {
    deadline.abort(new Error('not needed any more'));
  }
}

/** The prompt of su cannot be chosen. util-linux and busybox read the answer from standard input without a terminal. */
const suPrompt = 'assword:';

function becomeCommand(become: Become, command: string, prompt: string, ready: string): string {
  // The cwd of the login user may be closed to the other one, and then every shell complains.
  const proof = mayAsk(become) ? '' : `rb_entered=${ready}; export rb_entered; `;
  // Who comes in after it was given up finds nobody to say so to, and runs nothing of what was written meanwhile.
  const inside = `cd 2>/dev/null || cd /; echo ${ready} || exit 1; ${proof}${command}`;
  const shell = `/bin/sh -c ${quoteWord(inside)}`;
  const user = quoteWord(become.user);
  switch (become.method) {
    case 'sudo': {
      const asking = mayAsk(become) ? `-S -p ${quoteWord(prompt)}` : '-n';
      return `exec env LC_ALL=C sudo -H ${asking} -u ${user} -- ${shell}`;
    }
    case 'doas':
      return `exec env LC_ALL=C doas -n -u ${user} -- ${shell}`;
    case 'su':
      return `exec env LC_ALL=C su -s /bin/sh -c ${quoteWord(inside)} ${user}`;
  }
}

/** Answers the prompt once and waits for the ready line; a second prompt means that the password is wrong. */
function enter(
  process: HostProcess,
  become: Become,
  prompt: string,
  ready: string,
  description: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stdout = Buffer.alloc(0);
    let stderr = '';
    let hasAnswered = false;

    function settle(error?: RunbookError): void {
      process.stdout.off('data', onStdout);
      process.stderr.off('data', onStderr);
      if (error) reject(error);
      else resolve();
    }
    function onStdout(chunk: Buffer): void {
      stdout = Buffer.concat([stdout, chunk]);
      const at = stdout.indexOf(`${ready}\n`);
      if (at === -1) return;
      settle();
      // Not lost on whoever reads next: the command may have begun to print. Where nobody waited it was read already.
      const rest = stdout.subarray(at + ready.length + 1);
      if (mayAsk(become) && rest.length > 0) process.stdout.unshift(rest);
    }
    function onStderr(chunk: Buffer): void {
      stderr += chunk.toString('utf8');
      const at = stderr.indexOf(prompt);
      if (at === -1) return;
      stderr = stderr.slice(at + prompt.length);
      if (hasAnswered) return settle(refused(become, description, 'the password is wrong'));
      if (!become.password) return settle(refused(become, description, 'a password is needed and none was given'));
      hasAnswered = true;
      process.stdin.write(`${become.password.reveal()}\n`);
    }
    process.stdout.on('data', onStdout);
    process.stderr.on('data', onStderr);
    process.stdin.on('error', () => {});
    void process.ended.then((end) => settle(endedError(end, stderr, become, hasAnswered, description)));
  });
}

function endedError(
  end: ProcessEnd,
  stderr: string,
  become: Become,
  hasAnswered: boolean,
  description: string,
): RunbookError {
  if (end.kind === 'lost') {
    return new RunbookError('unreachable', `lost the connection to ${description}: ${end.reason}`);
  }
  const line = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  for (const [pattern, reason] of knownRefusals) {
    // The line that says so, which is not always the last: sudo goes on about its plugins.
    const said = stderr
      .split('\n')
      .find((text) => pattern.test(text))
      ?.trim();
    if (said !== undefined) return refused(become, description, `${reason} (${said})`);
  }
  if (hasAnswered && line === '') return refused(become, description, 'the password is wrong');
  return refused(become, description, line === '' ? describeEnd(end) : line);
}

/** What sudo, su and doas print in the C locale, from the most to the least certain. */
const knownRefusals: readonly (readonly [RegExp, string])[] = [
  [/sorry, try again|incorrect password|authentication failure/i, 'the password is wrong'],
  [/not in the sudoers file|not allowed to (execute|run)|may not run|not permitted/i, 'the user has no right to do so'],
  [/must have a tty|run from a terminal/i, 'it wants a terminal (`Defaults requiretty`)'],
  [/a password is required|a terminal is required|authorization required/i, 'a password is needed and none was given'],
  [/unknown user|does not exist|user .* not found|no passwd entry/i, 'there is no such user on the host'],
  [/No such file|not found/i, 'it is not installed on the host'],
];

function refused(become: Become, description: string, reason: string): RunbookError {
  return new RunbookError(
    'become-failed',
    `cannot become ${become.user} with ${become.method} on ${description}: ${reason}`,
    { hint: hintFor(become, reason) },
  );
}

function hintFor(become: Become, reason: string): string | undefined {
  if (reason.includes('none was given')) {
    if (become.method === 'doas') return 'doas asks on a terminal only; give the user a `nopass` rule';
    return 'give it with --ask-become-pass or ansible_become_password, or allow NOPASSWD in sudoers';
  }
  if (reason.includes('wrong')) return 'check ansible_become_password, or use --ask-become-pass';
  if (reason.includes('no right')) return `allow ${become.method} for the login user on the host`;
  return undefined;
}

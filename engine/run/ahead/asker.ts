import type { Probe, ProbeOutput } from '../../module/contract.ts';
import type { Become, Connection, Environment, RunOptions, ScriptBehind } from '../../transport/transport.ts';
import { type Answer, type AskingAhead, askAhead, createQuestion, type Question } from './ask.ts';
import { askBehind, type QuestionBehind } from './behind.ts';

/** What a task asks with. */
export interface AskerParts {
  readonly connect: () => Promise<Connection>;
  readonly become: Become | undefined;
  readonly environment: Environment;
  /** Asks for coming tasks, too; undefined where each question goes by itself. */
  readonly ahead: (AskingAhead & { readonly askedBy: string }) | undefined;
  /** Of a script that may take so long, but no longer than the task has. */
  readonly optionsFor: (timeoutMs: number, environment?: Environment) => RunOptions;
  /** What the task has left, in milliseconds. */
  readonly timeLeftMs: () => number;
  /** So many milliseconds went by for the questions of others: the task has its time all the same. */
  readonly onOthers: (ms: number) => void;
}

/** Asks a host for one task: by itself, together with what coming tasks will ask, or behind an effect. */
export interface Asker {
  /** See {@link StepRunner.ask}. */
  ask<T>(probe: Probe<T>, isEnough?: (dated: T) => boolean): Promise<T>;
  /** Asks now, whatever is known. */
  askAnew<T>(probe: Probe<T>): Promise<T>;
  /** What is asked next, to be sent along with an effect; undefined where it goes by itself. */
  behind(probe: Probe<unknown> | undefined): Promise<ScriptBehind | undefined>;
  /** The effect has ended; see {@link QuestionBehind.effectEnded}. */
  effectEnded(forget: () => void): void;
  /** Nobody wants what was asked behind an effect; resolves when the host is free. */
  drop(): Promise<void>;
}

/** How long a probe may take that says nothing else. */
export const defaultProbeTimeoutMs = 60_000;

/** Makes one. */
export function createAsker({ ahead, ...parts }: AskerParts): Asker {
  const { connect, optionsFor } = parts;
  let sent: QuestionBehind | undefined;
  let dropping = Promise.resolve();

  function questionOf(
    { script, timeoutMs = defaultProbeTimeoutMs, environment }: Probe<unknown>,
    askedBy: string,
  ): Question {
    return createQuestion(askedBy, { script, timeoutMs }, parts.become, { ...parts.environment, ...environment });
  }

  async function askAnew<T>(probe: Probe<T>): Promise<T> {
    const connection = await connect();
    const options = optionsFor(probe.timeoutMs ?? defaultProbeTimeoutMs, probe.environment);
    return probe.parse(await connection.run(probe.script, options));
  }

  function taken<T>({ othersMs, ...answer }: Answer, probe: Probe<T>): T {
    parts.onOthers(othersMs);
    return probe.parse(answer);
  }

  function drop(): Promise<void> {
    const unwanted = sent;
    sent = undefined;
    if (unwanted) dropping = unwanted.drop();
    return dropping;
  }

  return {
    askAnew,
    drop,
    async ask(probe, isEnough = () => false) {
      if (!ahead || probe.isAlone) return askAnew(probe);
      const question = questionOf(probe, ahead.askedBy);
      const given = await sent?.answerTo(question);
      if (given) return taken(given, probe);
      // Nobody wants the others either, and what is asked now would wait for them.
      await drop();
      const options = optionsFor(question.timeoutMs, probe.environment);
      const isDatedEnough = (dated: ProbeOutput): boolean => {
        try {
          return isEnough(probe.parse(dated));
        } catch {
          // Nobody fails by how the host was.
          return false;
        }
      };
      return taken(await askAhead(await connect(), question, options, ahead, isDatedEnough), probe);
    },
    async behind(probe) {
      if (!probe || probe.isAlone || !ahead) return undefined;
      const question = questionOf(probe, ahead.askedBy);
      const { environment, timeoutMs, signal } = optionsFor(question.timeoutMs, probe.environment);
      const { user } = await connect();
      const options = { environment, timeoutMs, timeLeftMs: parts.timeLeftMs, signal };
      sent = await askBehind(question, options, user, ahead);
      return sent.sent;
    },
    effectEnded(forget) {
      // What was asked for meanwhile, of other hosts too, may have been answered before it.
      if (sent) sent.effectEnded(forget);
      else forget();
    },
  };
}

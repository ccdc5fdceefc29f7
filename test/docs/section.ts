/** One section of docs/trusted-runs.md: prose, and commands whose output a test produces. */
export interface DocSection {
  /** The heading, without `##`. */
  readonly title: string;
  /** Why it cannot be produced here (no sshd, not root), or undefined when it can. */
  readonly whyNot?: () => string | undefined;
  /** Files of the folder that the commands run in, by path. `@NAME@` in them is a name of `setup`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Started before the files are written, and disposed of at the end: an sshd, a stand-in for an API. */
  readonly setup?: (folder: string) => Promise<Setting>;
  /** What varies in this section and is to be shown as something fixed, besides what {@link normalise} knows. */
  readonly steady?: readonly (readonly [RegExp, string])[];
  /** In order: a text is Markdown. */
  readonly parts: readonly Part[];
}

/** What a section's `setup` made. */
export interface Setting extends AsyncDisposable {
  /** `@NAME@` in files and commands, by NAME; where the output has the value, the page has the name. */
  readonly names?: Readonly<Record<string, string>>;
  /** Set for the commands. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A piece of a section. */
export type Part = string | ShownFile | Command | Act;

/** Shows a file as it is now: one of `files`, or one that a command wrote. */
export interface ShownFile {
  readonly file: string;
  /** Only these lines. */
  readonly select?: (text: string) => string;
}

/** Runs a line of shell in the section's folder and shows it with what it says: standard output, then standard error. */
export interface Command {
  /** `runbook play site.yaml`: `runbook` is this source. */
  readonly run: string;
  /** The exit status that it must have; one that is not 0 is shown. Default 0. */
  readonly status?: number | null;
  /**
   * Called with every line, as soon as it is there. A signal goes to the command itself, so `run` must be one command
   * without pipes or lists.
   */
  readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Only these lines are shown: for output that says much else. */
  readonly select?: (text: string) => string;
  readonly env?: Readonly<Record<string, string>>;
  /** It is run, and not shown. */
  readonly isHidden?: boolean;
}

/** Does something that no command of the page does: cuts a link, rewrites a file, checks what the prose claims. */
export interface Act {
  readonly act: (folder: string) => void | Promise<void>;
}

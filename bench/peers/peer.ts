import type { Command } from '../measure.ts';
import type { Play } from '../plays/play.ts';
import type { Targets } from '../targets/targets.ts';

/** The tools that are measured; the names are those of the page. */
export type PeerName = 'runbook' | 'Ansible' | 'Ansible with pipelining' | 'Mitogen' | 'ssh' | 'ssh with ControlMaster';

/** What a tool is to do. */
export interface Job {
  /** Where its files are, and where it may write. */
  readonly folder: string;
  /** The program to measure as runbook. */
  readonly runbook: string;
  readonly play: Play;
  readonly targets: Targets;
  /** Hosts at a time. */
  readonly forks: number;
  readonly isCheck: boolean;
}

/** A tool that is ready to do its job. */
export interface ReadyJob {
  readonly command: Command;
  /** The command as a user would type it. */
  readonly shown: string;
  /** What has to be there before a run, and is not measured. */
  before(): Promise<void>;
  /** Ends what `before` left running. */
  after(): Promise<void>;
}

/** A tool. */
export interface Peer {
  readonly name: PeerName;
  /** Debian packages that it needs. */
  readonly packages: readonly string[];
  /** Writes down what the tool needs for a job. */
  prepare(job: Job): Promise<ReadyJob>;
}

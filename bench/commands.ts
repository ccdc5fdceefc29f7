import type { Bench, ToolResult } from './case.ts';
import { type Command, measureInTurns } from './measure.ts';

/** What a tool does in a case without a play. */
export interface ToolCommand {
  /** As the page calls it. */
  readonly tool: string;
  readonly command: Command;
  /** The command as a user would type it. */
  readonly shown: string;
}

/** Runs commands in turns. Undefined stands for a tool that is not there, and is missing in what comes back. */
export async function compareCommands(
  { scale, signal }: Bench,
  commands: readonly (ToolCommand | undefined)[],
  runs = scale.runs,
): Promise<ToolResult[]> {
  const programs = commands.filter((command) => command !== undefined).map((command) => ({ ...command, runs }));
  return (await measureInTurns(programs, signal)).map(({ program: { tool, shown }, measurement }) => ({
    tool,
    command: shown,
    measurement,
    value: measurement.wallMs.median,
  }));
}

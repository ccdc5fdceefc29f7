import { Command } from 'commander';
import { createMasker } from '../../engine/base/masker.ts';
import type { Cli } from '../../engine/cli/cli.ts';
import { inventoryCommand } from '../../engine/cli/inventory.ts';
import type { StreamOutput } from '../../engine/report/output.ts';

/** Runs `runbook inventory` in this process. Rejects with what the command line would explain. */
export async function showInventory(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const [output, errors] = [collector(), collector()];
  const cli: Cli = {
    env: {},
    stdin: process.stdin,
    output,
    errors,
    masker: createMasker(),
    onExit: () => {},
    exitNow: (code) => {
      throw new Error(`exit ${code}`);
    },
    setExitCode: () => {},
  };
  const program = new Command().exitOverride().addCommand(inventoryCommand(cli).exitOverride());
  await program.parseAsync(['inventory', ...args], { from: 'user' });
  return { stdout: output.text(), stderr: errors.text() };
}

function collector(): StreamOutput & { text(): string } {
  let text = '';
  return {
    write: (more) => {
      text += more;
    },
    columns: 120,
    rows: 40,
    isTTY: false,
    color: false,
    flush: () => Promise.resolve(),
    text: () => text,
  };
}

import type { Clock } from '../../base/clock.ts';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import type { StampedEvent } from '../../base/events.ts';
import { chooseOutput } from '../choose.ts';
import { liveRows } from '../live-rows.ts';
import { type LiveScreen, openLiveScreen } from '../live-screen.ts';
import { advance, createLiveState } from '../live-state.ts';
import { createNdjsonReporter } from '../ndjson.ts';
import type { Output } from '../output.ts';
import { createPaint } from '../paint.ts';
import type { Reporter } from '../reporter.ts';
import { visible } from '../text.ts';
import { auditToJson } from './json.ts';
import { auditToJunit } from './junit.ts';
import { createResultTable, type ResultTable } from './result-table.ts';
import { auditToSarif } from './sarif.ts';
import { auditTitle, formatAudit } from './summary-text.ts';

/** What `runbook audit --output` takes. */
export type AuditOutput = 'auto' | 'terminal' | 'plain' | 'json' | 'ndjson' | 'junit' | 'sarif';

/** What a reporter of an audit is made with. */
export interface AuditReporting {
  readonly output: Output;
  readonly errors: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Pick<Clock, 'now'>;
  /** Of runbook: SARIF names it. */
  readonly version: string;
}

/** Makes the reporter for a kind of output. But for `ndjson` all is written when the run has ended. */
export function createAuditReporter(kind: AuditOutput, reporting: AuditReporting): Reporter {
  const { output, errors, env, version } = reporting;
  switch (kind) {
    case 'ndjson':
      return createNdjsonReporter(output, errors);
    case 'json':
      return createDocumentReporter(reporting, auditToJson);
    case 'junit':
      return createDocumentReporter(reporting, auditToJunit);
    case 'sarif':
      return createDocumentReporter(reporting, (table) => auditToSarif(table, version));
    case 'auto':
    case 'terminal':
    case 'plain':
      return createTextReporter(reporting, chooseOutput(kind, output, env) === 'terminal');
  }
}

/** Writes one document to standard output; everything else goes to `errors`. */
function createDocumentReporter({ output, errors }: AuditReporting, format: (table: ResultTable) => string): Reporter {
  const builder = createResultTable();
  return {
    on(event) {
      builder.on(event);
      if (event.type === 'run-ended') output.write(format(builder.table));
    },
    note: (text) => errors.write(`${text}\n`),
    close: async () => {},
    restore: () => {},
  };
}

/** Live rows while it runs, where somebody watches; then the findings. */
function createTextReporter({ output, clock }: AuditReporting, isLive: boolean): Reporter {
  const paint = createPaint(output.color);
  const builder = createResultTable();
  const state = createLiveState();
  let screen: LiveScreen | undefined;
  const print = (block: string): void => (screen ? screen.print(block) : output.write(block));

  function draw(wheel: string): readonly string[] {
    // listr2 indents by two and keeps two columns free on the right.
    return liveRows(state, { width: output.columns - 5, nowMs: clock.now(), paint, wheel });
  }

  function tell(event: StampedEvent): void {
    if (event.type === 'run-started') print(`${auditTitle(event)}\n`);
    if (event.type === 'warning') print(`${paint.yellow(visible(formatDiagnostic(event.diagnostic)))}\n`);
    if (event.type === 'stopping') print(`${paint.red(`STOPPING: ${visible(event.reason)}`)}\n`);
    if (event.type === 'run-ended') print(formatAudit(builder.table, paint));
  }

  return {
    on(event) {
      builder.on(event);
      if (isLive) advance(state, event);
      if (isLive && event.type === 'run-started') screen = openLiveScreen(output, draw);
      tell(event);
    },
    note: (text) => print(`${paint.yellow(text)}\n`),
    close: async () => screen?.stop(),
    restore: () => screen?.restore(),
  };
}

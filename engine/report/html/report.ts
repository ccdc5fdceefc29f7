import type { StampedEvent } from '../../base/events.ts';
import { createResultTable } from '../audit/result-table.ts';
import { renderPage } from './page.ts';
import { openReportFile } from './report-file.ts';

/** A run's report as an HTML file. */
export interface HtmlReport {
  readonly on: (event: StampedEvent) => void;
  /** Writes it. Raises a RunbookError where that has become impossible, such as on a full disk. */
  write(): void;
}

/** Begins the report of a run. Raises a RunbookError, before anything is run, where the file cannot be written. */
export function createHtmlReport(path: string, version: string): HtmlReport {
  const file = openReportFile(path);
  const { on, table } = createResultTable();
  return { on, write: () => file.write(renderPage(table, version)) };
}

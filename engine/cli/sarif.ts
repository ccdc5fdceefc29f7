import type { Location, Log, Region, Result } from 'sarif';
import type { Diagnostic } from '../base/diagnostic.ts';
import { positionAt, type Range } from '../base/source.ts';
import { checkRules } from '../language/check/findings.ts';
import { toUri } from '../report/sarif-place.ts';

/** The rule of what the language itself refuses: syntax, keywords, modules, arguments. */
const languageRule = 'language';

const rules: Readonly<Record<string, string>> = {
  [languageRule]: 'a mistake in a playbook, an inventory or a template: syntax, keywords, modules, arguments',
  ...checkRules,
};

/** Findings as a SARIF 2.1.0 log, which code-scanning services and editors read. */
export function toSarif(found: readonly Diagnostic[], version: string): Log {
  const ids = Object.keys(rules);
  const driver = {
    name: 'runbook',
    version,
    rules: ids.map((id) => ({ id, shortDescription: { text: rules[id] ?? id } })),
  };
  const results = found.map((diagnostic) => toResult(diagnostic, ids));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
}

function toResult({ severity, rule, message, hint, range }: Diagnostic, ids: readonly string[]): Result {
  const ruleId = rule !== undefined && ids.includes(rule) ? rule : languageRule;
  return {
    ruleId,
    ruleIndex: ids.indexOf(ruleId),
    level: severity,
    message: { text: hint === undefined ? message : `${message}\n${hint}` },
    ...(range && { locations: [toLocation(range)] }),
  };
}

function toLocation(range: Range): Location {
  return { physicalLocation: { artifactLocation: { uri: toUri(range.source.path) }, region: toRegion(range) } };
}

function toRegion({ source, start, end }: Range): Region {
  const from = positionAt(source, start);
  const to = positionAt(source, Math.max(end, start + 1));
  return { startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column };
}

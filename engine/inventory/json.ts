import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Diagnostic } from '../base/diagnostic.ts';
import { positionAt, type Range, type Source } from '../base/source.ts';
import { parseYaml, type YamlEntry, type YamlFile, type YamlNode } from '../language/yaml.ts';

/** Reads a file that holds JSON or YAML: JSON if it is such, and YAML otherwise, as Ansible does. */
export function readData(source: Source): YamlFile {
  // Of an encrypted file parseYaml makes secrets, and JSON is YAML.
  const looksLikeJson = !source.isSecret && /^\s*[{[]/.test(source.text);
  const json = looksLikeJson ? parseJson(source) : undefined;
  if (json?.diagnostics.length === 0) return json;
  const yaml = parseYaml(source);
  return json && yaml.diagnostics.length > 0 && source.path.endsWith('.json') ? json : yaml;
}

/** Reads JSON into the nodes that YAML is read into. Never throws: what is wrong is in `diagnostics`. */
export function parseJson(source: Source): YamlFile {
  const errors: ParseError[] = [];
  const root = parseTree(source.text, errors, { disallowComments: true });
  // What follows the first mistake is mostly its consequence.
  const [error] = errors;
  if (error) return { source, diagnostics: [describe(source, error)] };
  if (!root) return { source, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const node = convert(root, source, diagnostics);
  return { source, diagnostics, ...(diagnostics.length === 0 && { root: node }) };
}

function convert(node: Node, source: Source, diagnostics: Diagnostic[]): YamlNode {
  const range = rangeOf(node, source);
  if (node.type === 'object') return { kind: 'map', entries: convertEntries(node, source, diagnostics), range };
  if (node.type === 'array') {
    return { kind: 'list', items: (node.children ?? []).map((item) => convert(item, source, diagnostics)), range };
  }
  const value = node.value as string | number | boolean | null;
  // A whole number that JavaScript cannot hold would become another one: it stays as it is written.
  const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return { kind: 'scalar', value: isInexact ? textOf(range) : value, isExpression: false, range };
}

function convertEntries(node: Node, source: Source, diagnostics: Diagnostic[]): YamlEntry[] {
  const entries = new Map<string, YamlEntry>();
  for (const { children } of node.children ?? []) {
    const [keyNode, valueNode] = children ?? [];
    if (!keyNode || !valueNode) continue;
    const key = String(keyNode.value);
    const keyRange = rangeOf(keyNode, source);
    const first = entries.get(key);
    if (first) {
      const hint = `the first is in line ${positionAt(source, first.keyRange.start).line}`;
      diagnostics.push({ severity: 'error', message: `"${key}" stands twice in the same map`, hint, range: keyRange });
    } else if (key === '__proto__') {
      diagnostics.push({ severity: 'error', message: '"__proto__" cannot be a key', range: keyRange });
    } else entries.set(key, { key, keyRange, value: convert(valueNode, source, diagnostics) });
  }
  return [...entries.values()];
}

function describe(source: Source, { error, offset, length }: ParseError): Diagnostic {
  const start = Math.min(offset, Math.max(0, source.text.length - 1));
  const range = { source, start, end: Math.max(start + 1, Math.min(offset + length, source.text.length)) };
  return {
    severity: 'error',
    message: `not valid JSON: ${problems[printParseErrorCode(error)] ?? 'this is not expected here'}`,
    range,
  };
}

const problems: Readonly<Partial<Record<string, string>>> = {
  CommaExpected: 'a comma is missing',
  ColonExpected: 'a colon is missing',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  EndOfFileExpected: 'the data ended before this',
  UnexpectedEndOfString: 'the text is not closed',
  InvalidCommentToken: 'JSON has no comments',
};

function rangeOf(node: Node, source: Source): Range {
  return { source, start: node.offset, end: node.offset + node.length };
}

function textOf({ source, start, end }: Range): string {
  return source.text.slice(start, end);
}

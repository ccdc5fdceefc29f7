import type { Diagnostic } from '../base/diagnostic.ts';
import type { YamlNode, YamlScalar } from '../language/yaml.ts';

/**
 * Warns of unquoted words that Ansible, which reads YAML 1.1, takes for something else than YAML 1.2 does: `yes`, `0644`,
 * `12:30`, `1_000`, `1e3`.
 */
export function checkWords(node: YamlNode, report: (diagnostic: Diagnostic) => void): void {
  if (node.kind === 'list') for (const item of node.items) checkWords(item, report);
  else if (node.kind === 'map') for (const { value } of node.entries) checkWords(value, report);
  else checkWord(node, report);
}

function checkWord({ value, range, isExpression }: YamlScalar, report: (diagnostic: Diagnostic) => void): void {
  const text = range.source.text.slice(range.start, range.end);
  // Quoted texts begin with their quote, blocks with their sign.
  if (isExpression || (typeof value !== 'number' && value !== text)) return;
  const theirs = readAsYaml11(text);
  if (theirs === undefined || theirs === value) return;
  const here = typeof value === 'number' ? `the number ${value}` : `the text "${value}"`;
  const there = typeof theirs === 'string' ? `the text "${theirs}"` : String(theirs);
  const hint =
    typeof theirs === 'boolean' ? `write ${theirs}, or "${text}" for the text` : `write "${text}" for the text`;
  report({ severity: 'warning', message: `this is ${here}, where Ansible reads ${there}`, hint, range });
}

/** What PyYAML makes of a word; undefined for words that it reads as YAML 1.2 does. */
function readAsYaml11(text: string): unknown {
  if (/^(yes|Yes|YES|on|On|ON)$/.test(text)) return true;
  if (/^(no|No|NO|off|Off|OFF)$/.test(text)) return false;
  const [, sign = '', digits = ''] = /^([-+]?)([0-9.][0-9a-fA-Fxob_:.eE+-]*)$/.exec(text) ?? [];
  const size = digits === '' ? undefined : readNumber(digits);
  if (size === undefined) return undefined;
  // No sign may stand before a point.
  if (typeof size === 'string' || (sign !== '' && digits.startsWith('.'))) return text;
  return sign === '-' ? -size : size;
}

/** The number that PyYAML reads; the text when YAML 1.2 alone reads a number; undefined for no number at all. */
function readNumber(digits: string): number | string | undefined {
  const plain = digits.replaceAll('_', '');
  if (/^0[0-7_]+$/.test(digits)) return Number.parseInt(plain, 8);
  if (/^0b[01_]+$/.test(digits)) return Number.parseInt(plain.slice(2), 2);
  if (/^0x[0-9a-fA-F_]+$/.test(digits)) return Number.parseInt(plain.slice(2), 16);
  if (/^(0|[1-9][0-9_]*)$/.test(digits)) return Number(plain);
  if (/^([0-9][0-9_]*[.][0-9_]*|[.][0-9][0-9_]*)([eE][-+][0-9]+)?$/.test(digits)) return Number(plain);
  if (/^([1-9][0-9_]*(:[0-5]?[0-9])+|[0-9][0-9_]*(:[0-5]?[0-9])+[.][0-9_]*)$/.test(digits)) {
    return plain.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  }
  return /^(0o[0-7]+|[0-9]+|([0-9]+[.]?[0-9]*|[.][0-9]+)[eE][-+]?[0-9]+)$/.test(digits) ? digits : undefined;
}

import { extname } from 'node:path';

/** The languages that an inventory file can be written in; JSON counts as YAML. */
export type Format = 'ini' | 'yaml' | 'toml';

const formats: ReadonlyMap<string, Format> = new Map([
  ['.ini', 'ini'],
  ['.cfg', 'ini'],
  ['.json', 'yaml'],
  ['.toml', 'toml'],
]);

/**
 * What a file is written in. Ansible tries YAML, then INI, and takes the first that it can read; the same is told here from
 * the first line that says something, so that a mistake further down is reported in the right language.
 */
export function formatOf(path: string, text: string): Format {
  const extension = extname(path);
  const named = formats.get(extension);
  if (named) return named;
  if (looksLikeYaml(text)) return 'yaml';
  return /^\.ya?ml$/.test(extension) && !looksLikeIni(text) ? 'yaml' : 'ini';
}

/** Whether a text begins as no INI file can: with a key and a colon, `---`, a dash or a brace. */
export function looksLikeYaml(text: string): boolean {
  const line = firstLine(text);
  return /^(---(\s|$)|%YAML|-\s|\{)/.test(line) || /^("[^"]*"|'[^']*'|[^\s:="'[\]{}]+):(\s|$)/.test(line);
}

/** Whether a text begins with a section, or with a host and nothing but assignments behind it. */
function looksLikeIni(text: string): boolean {
  const line = firstLine(text);
  return line === '' || /^\[[^\]]*\]\s*([#;]|$)/.test(line) || /^[^\s{"'|>]+(\s+[^\s=:]+=|\s*$|\s+#)/.test(line);
}

/** The first line that is neither empty nor a comment. */
function firstLine(text: string): string {
  return /^(?![ \t]*(?:[#;\r]|$)).+/m.exec(text.replace(/^\uFEFF/, ''))?.[0].trim() ?? '';
}

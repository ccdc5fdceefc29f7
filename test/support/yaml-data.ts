import { parse } from 'yaml';

/** A YAML text as data, as a JSON Schema sees it: `!expr x` is `{"!expr": "x"}`, and what is encrypted is a text. */
export function yamlData(text: string): unknown {
  return parse(text, {
    merge: true,
    customTags: [
      { tag: '!expr', resolve: (expression: string) => ({ '!expr': expression }) },
      { tag: '!vault', resolve: (encrypted: string) => encrypted },
    ],
  }) as unknown;
}

import type { YamlNode } from './yaml.ts';

/** A node as plain data, texts as they are written: what is no place for templates. */
export function plainData(node: YamlNode): unknown {
  if (node.kind === 'list') return node.items.map(plainData);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainData(value)]));
  return node.value;
}

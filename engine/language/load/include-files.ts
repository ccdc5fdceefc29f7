import { dirname, isAbsolute, join } from 'node:path';
import type { YamlNode } from '../yaml.ts';
import type { Look } from './role-folders.ts';

/** Stands for what a template puts there. */
const hole = '\u0000';

/**
 * The files that an `include_tasks` can mean, by the name that it then renders to. What a template puts in stands for one
 * name, or a part of one, and never for a `/`.
 */
export function includedFiles(node: YamlNode, look: Look): ReadonlyMap<string, string> {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return new Map();
  const namedIn = node.range.source.path;
  const shape = shapeOf(node.value, node.isExpression);
  const names = namesOf(shape.split('/'), isAbsolute(shape) ? '' : dirname(namedIn), look);
  return new Map(names.map((name) => [name, isAbsolute(name) ? name : join(dirname(namedIn), name)]));
}

/** Whether a template decides what is included. */
export function isChosenByTemplate(node: YamlNode): boolean {
  return node.kind === 'scalar' && (node.isExpression || String(node.value).includes('{{'));
}

/** What a file has to look like to be included: `os/*.yaml`. */
export function shapeShown(node: YamlNode): string {
  const isText = node.kind === 'scalar' && typeof node.value === 'string';
  const shape = isText ? shapeOf(String(node.value), node.isExpression) : hole;
  return shape.endsWith(hole) ? `${shape}.yaml`.replaceAll(hole, '*') : shape.replaceAll(hole, '*');
}

/** A template's literal parts, with holes for the others. A block helper is one hole with all that is in it. */
function shapeOf(text: string, isExpression: boolean): string {
  if (isExpression) return hole;
  return text.replace(/\{\{\{?~?#.*\{\{~?\/.*?\}\}/s, hole).replace(/\{\{.*?\}\}+/gs, hole);
}

/** The names under `folder` that fit, one part of the path after the other. A name without holes is not looked up. */
function namesOf(parts: readonly string[], folder: string, look: Look, isChosen = false): string[] {
  const [part = '', ...rest] = parts;
  if (rest.length === 0) {
    if (!part.includes(hole)) return !isChosen || look(folder).includes(part) ? [part] : [];
    return look(folder).filter((name) => /\.ya?ml$/.test(name) && fits(name, part));
  }
  const folders = part.includes(hole)
    ? look(folder).flatMap((name) => (name.endsWith('/') && fits(name.slice(0, -1), part) ? [name.slice(0, -1)] : []))
    : [part];
  return folders.flatMap((name) => {
    const inside = name === '' ? '/' : join(folder, name);
    return namesOf(rest, inside, look, isChosen || part.includes(hole)).map((below) => `${name}/${below}`);
  });
}

function fits(name: string, part: string): boolean {
  const source = part.split(hole).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(name);
}

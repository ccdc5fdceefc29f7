import {
  type Document,
  isAlias,
  isCollection,
  isNode,
  isPair,
  isScalar,
  isSeq,
  isMap as isYamlMap,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  Scalar,
  stringify,
  type ToStringOptions,
  type YAMLMap,
} from 'yaml';
import { type ConfigFormat, type Data, type Edit, isMap, joinEdits, SyntaxMistake } from './edit.ts';
import type { KeyPath } from './key-path.ts';

/** YAML. Edits are spliced into the text, so that everything else keeps its bytes; what cannot be spliced is printed anew. */
export const yaml: ConfigFormat = {
  name: 'YAML',
  read,
  normalise: (_, value) => value,
  rewrites: (text, edits) => [() => spliced(text, edits), () => printed(text, edits)],
};

function read(text: string): Data {
  // An empty file is an empty list of documents.
  const documents = parseAllDocuments(text, { logLevel: 'error' });
  if (documents.length > 1) throw new SyntaxMistake('the file holds several documents; one can be edited only', 1, 1);
  const document = documents[0];
  const error = document?.errors[0];
  if (error) {
    const place = error.linePos?.[0];
    throw new SyntaxMistake(
      error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:$/, '') ?? '',
      place?.line,
      place?.col,
    );
  }
  const data: unknown = document && isNode(document.contents) ? document.toJS() : null;
  if (data === null) return {};
  if (!isMap(data)) throw new SyntaxMistake('the file holds no map', 1, 1);
  return data;
}

/** The whole file as the library prints it: comments are kept, indentation and line breaks may change. */
function printed(text: string, edits: readonly Edit[]): string {
  const document = parseDocument(text);
  for (const { keys, after } of joinEdits(read(text), edits)) {
    if (after === undefined) document.deleteIn(keys);
    else document.setIn(keys, document.createNode(after));
  }
  return document.toString({ lineWidth: 0 });
}

function spliced(text: string, edits: readonly Edit[]): string {
  let result = text;
  // Parts that are made at once stand together; each splice moves what comes after it, so the text is read anew.
  for (const { keys, after } of joinEdits(read(text), edits)) result = spliceOne(result, keys, after);
  return result;
}

type YamlPair = Pair<Node, Node | null>;

interface Style {
  readonly step: number;
  readonly options: ToStringOptions & { readonly compat: 'yaml-1.1'; readonly indentSeq: boolean };
}

function spliceOne(text: string, keys: KeyPath, value: unknown): string {
  const document = parseDocument(text);
  const style = styleOf(text);
  if (document.contents === null) return value === undefined ? text : appendAtEnd(text, nest(keys, value), style);
  const path = walk(document, keys);
  const last = path.at(-1);
  if (!last) throw new Error('the root is no map');
  const { map, pair } = last;
  const flow = path.find((step) => step.map.flow);
  if (flow) return spliceFlow(text, path, flow, keys, value, style);
  if (path.length < keys.length && pair) {
    // The way ends at a value that is no map: an empty one, or else the edit would have been refused.
    return replacePair(text, pair, nest(keys.slice(path.length - 1), value), style);
  }
  if (!pair) return insertPair(text, map, nest(keys.slice(path.length - 1), value), style);
  if (value !== undefined) return replaceValue(text, pair, nest(keys.slice(path.length - 1), value), value, style);
  const above = path.at(-2)?.pair;
  if (map.items.length === 1 && above) return replacePair(text, above, { [keyOf(above)]: {} }, style);
  return text.slice(0, lineStart(text, startOf(pair))) + text.slice(endOfPair(text, pair));
}

interface Step {
  readonly map: YAMLMap;
  readonly pair: YamlPair | undefined;
}

/** The maps along the keys, as far as there are some. */
function walk(document: Document, keys: KeyPath): Step[] {
  const steps: Step[] = [];
  let node: unknown = document.contents;
  for (const key of keys) {
    if (isAlias(node)) throw new Error('an alias is on the way');
    if (!isYamlMap(node)) break;
    const pair = node.items.find((item) => keyOf(item) === key) as YamlPair | undefined;
    steps.push({ map: node, pair });
    if (!pair) break;
    node = pair.value;
  }
  return steps;
}

/** A map in braces is printed anew, with the rest of the file as it is. */
function spliceFlow(
  text: string,
  path: readonly Step[],
  flow: Step,
  keys: KeyPath,
  value: unknown,
  style: Style,
): string {
  const depth = path.indexOf(flow);
  const holder = path[depth - 1]?.pair;
  const data: unknown = flow.map.toJSON();
  const edit = { keys: keys.slice(depth), before: undefined, after: value };
  const wanted = editData(isMap(data) ? data : {}, edit);
  if (flow.map.items.length === 0 && holder) return replacePair(text, holder, { [keyOf(holder)]: wanted }, style);
  const [from, to] = rangeOf(flow.map);
  const inline = stringify(wanted, { ...style.options, collectionStyle: 'flow' }).trimEnd();
  return text.slice(0, from) + inline + text.slice(to);
}

function editData(data: Data, { keys, after }: Edit): Data {
  const [key = '', ...rest] = keys;
  const { [key]: before, ...others } = data;
  if (rest.length === 0) return after === undefined ? others : { ...data, [key]: after };
  return { ...data, [key]: editData(isMap(before) ? before : {}, { keys: rest, before: undefined, after }) };
}

/** A scalar for a scalar changes only its own characters; anything else its lines. */
function replaceValue(text: string, pair: YamlPair, whole: unknown, value: unknown, style: Style): string {
  const node = pair.value;
  if (!isScalar(node) || isCollectionValue(value) || isBlock(node)) return replacePair(text, pair, whole, style);
  const scalar = new Scalar(value);
  if (typeof value === 'string' && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'))
    scalar.type = node.type;
  const inline = stringify(scalar, style.options).trimEnd();
  if (inline.includes('\n')) return replacePair(text, pair, whole, style);
  const [from, to] = rangeOf(node);
  if (from < to) return text.slice(0, from) + inline + text.slice(to);
  const colon = text.indexOf(':', rangeOf(pair.key)[1]);
  return `${text.slice(0, colon + 1)} ${inline}${text.slice(colon + 1)}`;
}

function replacePair(text: string, pair: YamlPair, whole: unknown, style: Style): string {
  const from = lineStart(text, startOf(pair));
  const column = startOf(pair) - from;
  if (text.slice(from, startOf(pair)).trim() !== '') throw new Error('the key does not begin its line');
  return text.slice(0, from) + block(whole, column, style) + text.slice(endOfPair(text, pair));
}

function insertPair(text: string, map: YAMLMap, whole: unknown, style: Style): string {
  const first = map.items[0] as YamlPair | undefined;
  const last = map.items.at(-1) as YamlPair | undefined;
  if (!first || !last) throw new Error('the map is empty');
  const column = startOf(first) - lineStart(text, startOf(first));
  const at = endOfPair(text, last);
  const before = text.slice(0, at);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return before + gap + block(whole, column, style) + text.slice(at);
}

function appendAtEnd(text: string, whole: unknown, style: Style): string {
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return text + gap + block(whole, 0, style);
}

function block(whole: unknown, column: number, style: Style): string {
  const indent = ' '.repeat(column);
  return stringify(whole, { ...style.options, indent: style.step }).replace(/^(?=.)/gm, indent);
}

/** Behind the last line of a pair, comments at its end included. */
function endOfPair(text: string, pair: YamlPair): number {
  const at = endOfContent(pair);
  if (text.charAt(at - 1) === '\n') return at;
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}

function endOfContent(node: unknown): number {
  if (isPair(node)) {
    const value = node.value as Node | null;
    const isEmpty = value === null || (isScalar(value) && rangeOf(value)[0] === rangeOf(value)[1]);
    return isEmpty ? rangeOf(node.key as Node)[1] : endOfContent(value);
  }
  if (isCollection(node) && !node.flow && node.items.length > 0) return endOfContent(node.items.at(-1));
  return rangeOf(node as Node)[1];
}

function startOf(pair: YamlPair): number {
  return rangeOf(pair.key)[0];
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function rangeOf(node: Node): readonly [number, number] {
  if (!node.range) throw new Error('a part of the file has no place');
  return [node.range[0], node.range[1]];
}

function keyOf(pair: { readonly key: unknown }): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

function isCollectionValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isBlock(node: Scalar): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
}

function nest(keys: KeyPath, value: unknown): unknown {
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** How the file is indented. Readers of YAML 1.1, such as the kubelet, take a bare `yes` for true: it gets quotes. */
function styleOf(text: string): Style {
  const document = parseDocument(text);
  const step = stepOf(text, document.contents) ?? 2;
  return {
    step,
    options: { lineWidth: 0, compat: 'yaml-1.1', indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text) },
  };
}

function stepOf(text: string, node: unknown): number | undefined {
  if (!isYamlMap(node) || node.flow) return undefined;
  for (const item of node.items) {
    const pair = item as YamlPair;
    const inner = isYamlMap(pair.value) && !pair.value.flow ? (pair.value.items[0] as YamlPair | undefined) : undefined;
    if (!inner || isSeq(pair.value)) continue;
    const step = startOf(inner) - lineStart(text, startOf(inner)) - (startOf(pair) - lineStart(text, startOf(pair)));
    if (step > 0) return step;
  }
  return undefined;
}

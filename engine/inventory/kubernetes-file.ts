import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { didYouMean } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import { describeNode, entryOf, type YamlEntry, type YamlFile, type YamlMap, type YamlNode } from '../language/yaml.ts';
import { type AddressType, addressTypes } from './kubernetes-nodes.ts';
import type { ReadingContext } from './reading.ts';
import { reportMistake } from './variables.ts';

/** A file `NAME.kubernetes.yaml`: which cluster is asked, and what is made of its nodes. */
export interface KubernetesFile {
  /** Where `source: kubernetes` stands: the place of everything that the cluster says. */
  readonly range: Range;
  /** An absolute path; absent: what kubectl takes by itself. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** A label selector, as `kubectl get -l` takes it. */
  readonly selector?: string;
  readonly address: AddressType;
  /** The group that all nodes are in. */
  readonly group: { readonly name: string; readonly range: Range };
  readonly groupLabels: readonly string[];
  /** Variables of that group. */
  readonly vars?: YamlNode;
}

const keys = ['source', 'kubeconfig', 'context', 'selector', 'address', 'group', 'group_labels', 'vars'];

/** Whether a file's name says that it names a cluster. */
export function isKubernetesFile(path: string): boolean {
  return /\.kubernetes\.ya?ml$/.test(path);
}

/** Reads such a file; reports every mistake in it and gives undefined if there is one. */
export function readKubernetesFile(file: YamlFile, context: ReadingContext): KubernetesFile | undefined {
  let isWrong = file.diagnostics.some(({ severity }) => severity === 'error');
  for (const diagnostic of file.diagnostics) context.report(diagnostic);
  const fail = (range: Range, message: string, hint?: string): undefined => {
    isWrong = true;
    reportMistake(context, range, message, hint);
    return undefined;
  };
  const { root, source } = file;
  const whole = { source, start: 0, end: Math.min(1, source.text.length) };
  if (!root || root.kind !== 'map') {
    return isWrong ? undefined : fail(root?.range ?? whole, 'a source of hosts is a map', 'write source: kubernetes');
  }
  for (const { key, keyRange } of root.entries) {
    if (keys.includes(key)) continue;
    fail(keyRange, `a kubernetes source has no "${key}"`, didYouMean(key, keys) ?? `it has ${keys.join(', ')}`);
  }
  const read = createReader(root, fail);
  const sourceEntry = entryOf(root, 'source');
  if (!sourceEntry) fail(root.entries[0]?.keyRange ?? whole, 'the source is missing', 'write source: kubernetes');
  else if (read('source') !== 'kubernetes') fail(sourceEntry.value.range, 'the only source is "kubernetes"');
  const [kubeconfig, selector, contextName, group] = [
    read('kubeconfig'),
    read('selector'),
    read('context'),
    read('group'),
  ];
  const address = readAddress(entryOf(root, 'address'), fail);
  const groupLabels = readLabels(entryOf(root, 'group_labels'), fail);
  const vars = entryOf(root, 'vars')?.value;
  if (isWrong || !sourceEntry || !address) return undefined;
  const range = { ...sourceEntry.keyRange, end: sourceEntry.value.range.end };
  return {
    range,
    ...(kubeconfig !== undefined && { kubeconfig: pathFrom(source.path, kubeconfig) }),
    ...(contextName !== undefined && { context: contextName }),
    ...(selector !== undefined && { selector }),
    address,
    group: { name: group ?? 'nodes', range: entryOf(root, 'group')?.value.range ?? range },
    groupLabels,
    ...(vars && { vars }),
  };
}

type Fail = (range: Range, message: string, hint?: string) => undefined;

function createReader(root: YamlMap, fail: Fail): (key: string) => string | undefined {
  return (key) => {
    const entry = entryOf(root, key);
    if (!entry) return undefined;
    const { value } = entry;
    // No program takes an argument with one.
    if (value.kind === 'scalar' && String(value.value).includes('\0'))
      return fail(value.range, `${key} has a NUL in it`);
    if (value.kind === 'scalar' && typeof value.value === 'string' && value.value !== '' && !value.isExpression) {
      return value.value;
    }
    return fail(value.range, `${key} is a text, not ${describeNode(value)}`);
  };
}

function readAddress(entry: YamlEntry | undefined, fail: Fail): AddressType | undefined {
  if (!entry) return 'InternalIP';
  const { value } = entry;
  const known = addressTypes.find((type) => value.kind === 'scalar' && value.value === type);
  if (known) return known;
  const near = value.kind === 'scalar' ? didYouMean(String(value.value), addressTypes) : undefined;
  return fail(value.range, `address is one of ${addressTypes.join(', ')}`, near);
}

function readLabels(entry: YamlEntry | undefined, fail: Fail): readonly string[] {
  if (!entry) return [];
  const { value } = entry;
  if (value.kind !== 'list') {
    fail(value.range, `group_labels is a list of labels, not ${describeNode(value)}`);
    return [];
  }
  return value.items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string') return [item.value];
    return fail(item.range, `a label is a text, not ${describeNode(item)}`) ?? [];
  });
}

/** A path as it is meant in a file: from its folder, or from the home. */
function pathFrom(file: string, path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(dirname(file), path);
}

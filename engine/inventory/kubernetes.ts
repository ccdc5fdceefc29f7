import { quoteWord } from '../base/sh.ts';
import { literal } from '../language/compile.ts';
import type { YamlFile } from '../language/yaml.ts';
import { addHost, ensureGroup, setVariable } from './draft.ts';
import { warnOfGroupName } from './groups.ts';
import { type KubernetesFile, readKubernetesFile } from './kubernetes-file.ts';
import { type NodeEntry, readNodes } from './kubernetes-nodes.ts';
import { type ProgramLimits, runProgram } from './program.ts';
import type { ReadingContext } from './reading.ts';
import { readGroupVariables, reportMistake } from './variables.ts';

/** As much of what kubectl says as helps. */
const maximumExcerpt = 2000;

/** Reads the nodes of the cluster that a file names, with the kubectl on the PATH, into a draft. */
export async function readKubernetes(yaml: YamlFile, context: ReadingContext, limits: ProgramLimits): Promise<void> {
  const file = readKubernetesFile(yaml, context);
  if (!file) return;
  const nodes = await askKubectl(file, context, limits);
  if (!nodes) return;
  const command = ['kubectl', 'get', 'nodes', ...clusterArguments(file)].map(quoteWord).join(' ');
  limits.onAnswer?.(command, Object.fromEntries(nodes.map((node) => [node.name, node])));
  warnOfGroupName(context, file.group.name, file.group.range);
  const group = ensureGroup(context.draft, file.group.name, file.group.range);
  if (file.vars) readGroupVariables(context, group, file.vars);
  for (const node of nodes) addNode(file, node, context);
  warnOfMerged(file, nodes, context);
}

async function askKubectl(
  file: KubernetesFile,
  context: ReadingContext,
  limits: ProgramLimits,
): Promise<readonly NodeEntry[] | undefined> {
  const fail = (message: string, hint?: string): undefined => {
    reportMistake(context, file.range, message, hint);
    return undefined;
  };
  const end = await runProgram('kubectl', argumentsFor(file), limits);
  if ('problem' in end) {
    if (end.problem.includes('no such file'))
      return fail('kubectl is not on the PATH', 'it lists the nodes: install it');
    const said = withoutLog(end.stderr);
    return fail(`kubectl get nodes ${end.problem}${said === '' ? '' : `:\n${said}`}`, hintFor(said, file));
  }
  const nodes = readNodes(parse(end.stdout), file);
  return nodes ?? fail('kubectl get nodes printed no list of nodes');
}

function argumentsFor(file: KubernetesFile): string[] {
  // Far below the deadline, so that kubectl itself says what it waited for; it tries some requests five times.
  return ['get', 'nodes', ...clusterArguments(file), '--output=json', '--request-timeout=10s'];
}

function clusterArguments({ kubeconfig, context, selector }: KubernetesFile): string[] {
  return [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(selector === undefined ? [] : [`--selector=${selector}`]),
  ];
}

/** What kubectl says to people; its log repeats it for each attempt. */
function withoutLog(stderr: string): string {
  const lines = stderr.split('\n');
  const said = lines.filter((line) => !/^[EWIF]\d{4} /.test(line));
  const text = (said.length > 0 ? said : lines).join('\n');
  return text.length > maximumExcerpt ? `…${text.slice(-maximumExcerpt)}` : text;
}

function hintFor(said: string, file: KubernetesFile): string {
  if (/localhost:8080|no configuration/.test(said)) return 'name the cluster with kubeconfig: or context:';
  if (/context .*(does not exist|not found)|no context exists/.test(said)) {
    return 'kubectl config get-contexts lists the contexts that there are';
  }
  return `try it by hand: ${['kubectl', 'get', 'nodes', ...clusterArguments(file)].map(quoteWord).join(' ')}`;
}

function addNode(file: KubernetesFile, node: NodeEntry, { draft, report }: ReadingContext): void {
  const host = addHost(draft, file.group.name, node.name, file.range);
  for (const { name } of node.groups) {
    ensureGroup(draft, name, file.range);
    addHost(draft, name, node.name, file.range);
  }
  // What comes from a cluster is data, never a template.
  for (const [name, data] of Object.entries(node.variables)) setVariable(host, name, literal(data, file.range));
  if (!node.missingAddress) return;
  const has = node.missingAddress.length > 0 ? `it has ${node.missingAddress.join(', ')}` : 'it has no address at all';
  report({
    severity: 'warning',
    message: `the node "${node.name}" has no ${file.address}: it is reached by its name`,
    hint: has,
    range: file.range,
  });
}

/** Two zones or labels that differ only in signs which a group's name cannot have would silently be one group. */
function warnOfMerged(file: KubernetesFile, nodes: readonly NodeEntry[], { report }: ReadingContext): void {
  const madeOf = new Map<string, Set<string>>();
  for (const group of nodes.flatMap((node) => node.groups)) {
    madeOf.set(group.name, (madeOf.get(group.name) ?? new Set()).add(group.madeOf));
  }
  for (const [name, texts] of madeOf) {
    if (texts.size < 2) continue;
    const message = `the group "${name}" holds the nodes of ${[...texts].map((text) => `"${text}"`).join(' and ')}`;
    report({ severity: 'warning', message, range: file.range });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Document, isMap, isPair, isScalar, isSeq, parse, visit } from 'yaml';
import { fileProblem, RunbookError } from '../base/errors.ts';
import { canonical } from './canonical.ts';
import { type Plan, planFormat } from './plan.ts';
import { describePlan } from './plan-summary.ts';
import type { RunKey } from './run-key.ts';

/** Writes a plan for its owner alone (0600), as YAML for people, sealed with the key. A file of that name is replaced. */
export async function writePlan(path: string, plan: Plan, key: RunKey): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(partial, formatPlan(path, plan, key), { mode: 0o600, flag: 'wx' });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw new RunbookError('usage', `the plan cannot be written to ${path}: ${fileProblem(error)}`, { cause: error });
  }
}

/**
 * Reads a plan that was written with the key. Raises `usage` for what is none, is of another format or of another
 * controller, or was edited since.
 */
export async function readPlan(path: string, key: RunKey): Promise<Plan> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new RunbookError('file-unreadable', `cannot read the plan ${path}: ${fileProblem(error)}`, { cause: error });
  });
  const read = parsed(text);
  const refuse = (message: string, hint = 'plan again: runbook plan PLAYBOOK … -o FILE'): never => {
    throw new RunbookError('usage', `${path} ${message}`, { hint });
  };
  if (
    typeof read !== 'object' ||
    read === null ||
    !('format' in read) ||
    !('seal' in read) ||
    !('fingerprint' in read)
  ) {
    return refuse('is no plan of runbook');
  }
  const { seal, ...plan } = read;
  if (plan.format !== planFormat)
    return refuse(`has the plan format ${plan.format}, and this runbook reads ${planFormat}`);
  const { key: keyId } = (plan.fingerprint ?? {}) as { readonly key?: unknown };
  if (keyId !== key.id) {
    const hint = 'plan again, or apply it from the folder in which it was made: its .runbook/key belongs to it';
    return refuse('was made with another key than the one of .runbook here', hint);
  }
  if (seal !== sealOf(plan, key)) return refuse('was edited since it was made, and is not applied');
  // What the seal is of was a plan when it was made.
  return plan as unknown as Plan;
}

/** The text of a plan's file. */
export function formatPlan(path: string, plan: Plan, key: RunKey): string {
  // What JSON has no word for becomes what the file can hold, so that the seal is of what is read again.
  const data = JSON.parse(
    JSON.stringify(plan, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as object;
  const sealed = { ...data, seal: sealOf(data, key) };
  const header = [
    ...describePlan(plan),
    `Do it:  runbook apply ${path}`,
    'It is sealed: edited by hand it is refused. Plan again instead.',
  ];
  const comment = header.map((line) => `# ${line}\n`).join('');
  const yaml = toYaml(sealed);
  const isWhole = canonical(parsed(yaml)) === canonical(sealed);
  return `${comment}\n${isWhole ? yaml : `${JSON.stringify(sealed, undefined, 1)}\n`}`;
}

function sealOf(plan: object, key: RunKey): string {
  return key.digest('plan', canonical(plan));
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** What changes nothing stands on a line of its own; what changes something is spread out. */
function toYaml(plan: object): string {
  const document = new Document(plan, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'pending' && isSeq(value)) value.flow = value.items.length === 0;
    },
    Map(_, node, ancestors) {
      const isEntry = ancestors.some(
        (one) => isPair(one) && isScalar(one.key) && (one.key.value === 'tasks' || one.key.value === 'items'),
      );
      if (isEntry && isMap(node) && !node.has('changes') && !node.has('items') && node.has('outcome')) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, blockQuote: 'literal' });
}

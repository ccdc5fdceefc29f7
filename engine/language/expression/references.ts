import type { ASTNode } from '@marcbachmann/cel-js';
import type { Stretch } from '../compile-cache.ts';

/** Macros whose first argument names a variable that the others see. */
const binders: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);

/** The variables that an expression reads, with their members as far as they are written out: `facts.os["family"]`. */
export function collectReferences(root: ASTNode): Stretch[] {
  const found: Stretch[] = [];
  visit(root, new Set(), found);
  return found;
}

function visit(node: ASTNode, locals: ReadonlySet<string>, found: Stretch[]): void {
  const chain = chainOf(node);
  if (chain) {
    if (!locals.has(chain.path[0] ?? '')) found.push(chain);
    return;
  }
  if (node.op === 'call' && node.args[0] === 'has') return visitHas(node.args[1][0], locals, found);
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    visit(receiver, locals, found);
    const [variable, ...rest] = args;
    if (!binders.has(name) || variable?.op !== 'id' || rest.length === 0) {
      for (const arg of args) visit(arg, locals, found);
      return;
    }
    for (const arg of rest) visit(arg, new Set([...locals, variable.args]), found);
    return;
  }
  for (const child of childrenOf(node.args)) visit(child, locals, found);
}

/** `has(a.b)` reads `a`; that `b` may be missing is its point. */
function visitHas(argument: ASTNode | undefined, locals: ReadonlySet<string>, found: Stretch[]): void {
  if (argument?.op === '.' || argument?.op === '.?') visit(argument.args[0], locals, found);
  else if (argument) visit(argument, locals, found);
}

function chainOf(node: ASTNode): Stretch | undefined {
  if (node.op === 'id') {
    // The constant namespace of cel.bind.
    return node.args === 'cel' ? undefined : { path: [node.args], start: node.start, end: node.end };
  }
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const owner = chainOf(node.args[0]);
  const key = node.op === '.' ? node.args[1] : literalText(node.args[1]);
  return owner && key !== undefined ? { path: [...owner.path, key], start: owner.start, end: node.end } : undefined;
}

function literalText(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
}

/** The nodes among the operands of a node. */
export function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : [];
}

import { isProxy } from 'node:util/types';
import type { ASTNode } from '@marcbachmann/cel-js';
import { Secret } from '../../base/secret.ts';
import { ExpressionFailure } from './failure.ts';
import { childrenOf } from './references.ts';

type Compare = (left: unknown, right: unknown, ...rest: readonly unknown[]) => unknown;

const comparisons: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  '==': isSame,
  '!=': (left, right) => !isSame(left, right),
  in: isIn,
};

/**
 * Lets `==`, `!=` and `in` of a checked expression see the texts of secrets, in lists and maps too. The package asks
 * registered operators only about the operands themselves: a secret in a list would be the same as no text.
 */
export function compareRevealed(node: ASTNode): void {
  for (const child of childrenOf(node.args)) compareRevealed(child);
  const compare = comparisons[node.op];
  if (!compare) return;
  // What the package's check leaves in a node to evaluate it with, which its types do not tell of.
  const checked = node as unknown as { handle: Compare };
  const { handle } = checked;
  checked.handle = (left, right, ...rest) => {
    // Of a map only the keys are looked at, which are no secrets. `hostvars` is one, and large.
    const isInMap = node.op === 'in' && !Array.isArray(right);
    const isOurs = hasSecret(left) || (isInMap ? right instanceof Secret : hasSecret(right));
    return isOurs ? compare(left, right) : handle(left, right, ...rest);
  };
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasSecret);
  return value instanceof Secret || partsOf(value).some(([, part]) => hasSecret(part));
}

function isIn(wanted: unknown, owner: unknown): boolean {
  if (Array.isArray(owner)) return owner.some((item) => isSame(wanted, item));
  if (typeof owner !== 'object' || owner === null || owner instanceof Secret) {
    throw new ExpressionFailure('"in" looks in a list or a map', 'write text.contains(part)');
  }
  return wanted instanceof Secret && Object.hasOwn(owner, wanted.reveal());
}

function isSame(left: unknown, right: unknown): boolean {
  if (left instanceof Secret) return isText(left, right);
  if (right instanceof Secret) return isText(right, left);
  // Numbers that an expression writes are bigints.
  if (isNumber(left) && isNumber(right)) return Number(left) === Number(right);
  if (!isOwner(left) || !isOwner(right) || Array.isArray(left) !== Array.isArray(right)) return left === right;
  const parts = partsOf(left);
  const others = new Map(partsOf(right));
  return parts.length === others.size && parts.every(([key, part]) => others.has(key) && isSame(part, others.get(key)));
}

function isText(secret: Secret, other: unknown): boolean {
  if (isNumber(other)) {
    const hint = 'every secret is a text: write int(x) or double(x) for its number';
    throw new ExpressionFailure('a secret is never the same as a number', hint);
  }
  return secret.reveal() === (other instanceof Secret ? other.reveal() : other);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Whether it is a list or a plain map. A proxy knows which of its parts are unknown, and says so when it is read. */
function isOwner(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

/** What is in a list or a map. What has to be asked for first, as a fact that is unknown, is left alone. */
function partsOf(value: unknown): [string, unknown][] {
  if (!isOwner(value)) return [];
  const properties = Object.entries(Object.getOwnPropertyDescriptors(value));
  return properties.filter(([, { enumerable }]) => enumerable).map(([key, property]) => [key, property.value]);
}

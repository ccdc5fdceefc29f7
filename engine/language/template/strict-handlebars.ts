import Handlebars from 'handlebars';
import { Secret } from '../../base/secret.ts';
import { templateHelpers } from './helpers.ts';

/** A place inside a template as Handlebars counts: lines from 1, columns from 0. */
export interface Location {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

/** A template asks for something that is not there, or prints what is no text. Gets its place in the source later. */
export class TemplateFailure extends Error {
  readonly location: Location;
  /** Set when a name at the head of a path is not defined: the names that are. */
  readonly missing: { readonly name: string; readonly known: readonly string[] } | undefined;
  readonly hint: string | undefined;

  constructor(
    message: string,
    location: Location,
    details: { hint?: string | undefined; missing?: { name: string; known: readonly string[] } } = {},
  ) {
    super(message);
    this.location = location;
    this.hint = details.hint;
    this.missing = details.missing;
  }
}

/** Where a lone `{{ x }}` leaves its value instead of its text. */
export interface ValueBox {
  value: unknown;
}

/** The first secret that went into a text, while it is rendered: the whole of it is secret then. */
export interface Taint {
  secret: Secret | undefined;
}

/** The name of the helper that leaves a lone value in the box; no template can write it. */
export const captureHelper = '__capture';

/** Names whose last segment need not exist when they are arguments of these. */
export const lenientHelpers: ReadonlySet<string> = new Set(['if', 'unless', 'default', 'defined']);

/** Compiles a checked syntax tree into a function that renders it. */
export type CompileTree = (
  tree: hbs.AST.Program,
  soft: ReadonlySet<string>,
) => (scope: object, taint: Taint, box?: ValueBox) => string;

/** Identifies a path of a template in the set of soft ones. */
export function locationKey(location: Location): string {
  return `${location.start.line}:${location.start.column}`;
}

/**
 * Makes a Handlebars of our own, in which every segment of a path must be an own property, and only text, numbers and
 * booleans print. Its stock `strict` lets `{{#if nosuch}}` and `{{helper nosuch}}` pass, `noEscape` adds neighbouring
 * numbers (handlebars#1838), and objects print as `[object Object]`: the two overrides below repair all of these.
 */
export function createStrictHandlebars(): CompileTree {
  const handlebars = Handlebars.create();
  // The code generator is public but untyped (docs/compiler-api.md of Handlebars).
  const Stock = Reflect.get(handlebars, 'JavaScriptCompiler') as new () => CodeGenerator;
  class Strict extends Stock {
    override resolvePath(_type: string, parts: readonly string[], first: number): void {
      const location = this.source.currentLocation;
      const options = this.options as { soft: ReadonlySet<string> };
      const place = JSON.stringify({ start: location.start, end: location.end });
      let code = this.popStack();
      for (let i = first; i < parts.length; i++) {
        const isSoft = i === parts.length - 1 && options.soft.has(locationKey(location));
        const owner = JSON.stringify(parts.slice(0, i).join('.'));
        code = ['helpers.__get(', code, ', ', this.quotedString(parts[i] ?? ''), `, ${isSoft}, ${owner}, ${place})`];
      }
      this.push(code);
    }

    override append(): void {
      const { start, end } = this.source.currentLocation;
      const place = JSON.stringify({ start, end });
      this.pushSource(this.appendToBuffer(['helpers.__text(', this.popStack(), `, ${place}, data.taint)`]));
    }
  }
  Reflect.set(Strict.prototype, 'compiler', Strict);
  Reflect.set(handlebars, 'JavaScriptCompiler', Strict);
  registerHelpers(handlebars);
  const knownHelpers = Object.fromEntries(
    [...Object.keys(templateHelpers), '__get', '__text', captureHelper].map((name) => [name, true]),
  );
  return (tree, soft) => {
    const options = { strict: true, noEscape: true, preventIndent: true, knownHelpersOnly: true, knownHelpers, soft };
    const render = handlebars.compile(tree, options);
    // `partial` keeps the runtime from wrapping all helpers anew at every rendering, which took most of its time.
    const { helpers } = handlebars;
    return (scope, taint, box) => render(scope, { partial: true, helpers, data: { root: scope, taint, box } });
  };
}

/** What the overrides use of Handlebars' code generator. */
interface CodeGenerator {
  readonly source: { readonly currentLocation: Location };
  readonly options: object;
  popStack(): unknown;
  push(code: unknown): void;
  pushSource(code: unknown): void;
  appendToBuffer(code: unknown): unknown;
  quotedString(text: string): unknown;
  resolvePath(type: string, parts: readonly string[], first: number): void;
  append(): void;
}

function registerHelpers(handlebars: typeof Handlebars): void {
  for (const name of ['log', 'lookup', 'helperMissing', 'blockHelperMissing']) handlebars.unregisterHelper(name);
  handlebars.registerHelper('__get', getOwn);
  handlebars.registerHelper('__text', (value: unknown, location: Location, taint: Taint) => {
    const text = revealed(value, taint);
    return printable(text, (message, hint) => new TemplateFailure(message, location, { hint }));
  });
  handlebars.registerHelper(captureHelper, (value: unknown, options: { data: { box: ValueBox } }) => {
    options.data.box.value = value;
    return '';
  });
  for (const [name, helper] of Object.entries(templateHelpers)) {
    handlebars.registerHelper(name, (...args: unknown[]) => {
      const { loc } = args.pop() as { loc: Location };
      const own: Taint = { secret: undefined };
      const fail = (message: string, hint?: string): Error => new TemplateFailure(message, loc, { hint });
      const result = helper.run(args, { fail, reveal: (value) => revealed(value, own) });
      // A text that was made of a secret is one; that two are equal is none.
      return typeof result === 'string' && own.secret ? own.secret.derive(result) : result;
    });
  }
}

function revealed(value: unknown, taint: Taint): unknown {
  if (!(value instanceof Secret)) return value;
  taint.secret ??= value;
  return value.reveal();
}

function getOwn(owner: unknown, name: string, isSoft: boolean, ownerPath: string, location: Location): unknown {
  if (owner !== null && owner !== undefined && Object.hasOwn(Object(owner) as object, name)) {
    const value: unknown = Reflect.get(Object(owner) as object, name);
    if (value !== undefined) return value;
  }
  if (isSoft) return undefined;
  const known = typeof owner === 'object' && owner !== null ? Object.keys(owner) : [];
  if (ownerPath === '') throw new TemplateFailure(`"${name}" is not defined`, location, { missing: { name, known } });
  if (owner === null || typeof owner !== 'object') {
    throw new TemplateFailure(`"${ownerPath}" is ${describe(owner)} and has no "${name}"`, location);
  }
  throw new TemplateFailure(`"${ownerPath}" has no "${name}"`, location, { missing: { name, known } });
}

function printable(value: unknown, fail: (message: string, hint: string) => Error): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) throw fail('a list cannot be printed', 'use {{join x ","}} or {{json x}}');
  throw fail('a map cannot be printed', 'use {{json x}}');
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'boolean' ? String(value) : `a ${typeof value}`;
}

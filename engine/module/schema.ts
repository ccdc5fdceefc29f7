import type { Secret } from '../base/secret.ts';

/** The JSON Schema keywords that module arguments may use. One literal is types, validation, documentation and completion. */
export interface Schema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  /**
   * `expression`: the text is CEL, checked before the run; the module gets an {@link EvaluatedExpression}.
   * `template`: the text names a template file; where it is written out, the file's names are checked before the run, with
   * those of an argument `vars` beside it.
   */
  readonly format?: 'expression' | 'template';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly minProperties?: number;
  readonly examples?: readonly unknown[];
  /**
   * The module takes a `Secret` here (for a map or a list: anywhere below), and sees to it that it is neither shown nor in
   * a command line. Everywhere else a secret is an error.
   */
  readonly secret?: boolean;
}

/** The schema of a module's arguments: always a map. */
export interface ArgumentsSchema extends Schema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Schema>>;
}

/** What a module gets for an argument of `format: 'expression'`. */
export interface EvaluatedExpression {
  readonly text: string;
  readonly value: unknown;
}

type OrSecret<S, T> = S extends { secret: true } ? T | Secret : T;
type Primitive = { string: string; integer: number; number: number; boolean: boolean; null: null };
type RequiredOf<S> = S extends { required: readonly (infer R)[] } ? R : never;
// A property with a default is always there.
type Defaulted<P> = { [K in keyof P]: P[K] extends { default: {} | null } ? K : never }[keyof P];
type ObjectOf<P, R> = { readonly [K in keyof P as K extends R | Defaulted<P> ? K : never]: FromSchema<P[K]> } & {
  readonly [K in keyof P as K extends R | Defaulted<P> ? never : K]?: FromSchema<P[K]> | undefined;
};

/** The TypeScript type that a JSON Schema literal describes. */
export type FromSchema<S> = S extends { format: 'expression' }
  ? EvaluatedExpression
  : S extends { const: infer C }
    ? C
    : S extends { enum: readonly (infer E)[] }
      ? E
      : S extends { oneOf: readonly (infer U)[] } | { anyOf: readonly (infer U)[] }
        ? U extends unknown
          ? FromSchema<U>
          : never
        : S extends { type: keyof Primitive }
          ? OrSecret<S, Primitive[S['type']]>
          : S extends { type: 'array'; items: infer I }
            ? readonly FromSchema<I>[]
            : S extends { type: 'object'; properties: infer P }
              ? { readonly [K in keyof ObjectOf<P, RequiredOf<S>>]: ObjectOf<P, RequiredOf<S>>[K] }
              : S extends { type: 'object'; additionalProperties: infer A extends Schema }
                ? Readonly<Record<string, FromSchema<A>>>
                : S extends { type: 'object' }
                  ? Readonly<Record<string, unknown>>
                  : unknown;

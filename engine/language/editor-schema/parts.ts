/** A part of the editor's schema: JSON Schema of draft 7, with the few words that editors add to it. */
export type EditorSchema = Readonly<Record<string, unknown>>;

/** What a reader of the schema is told about a thing. */
export interface Docs {
  /** The heading of what an editor shows. */
  readonly title?: string;
  /** Plain text. */
  readonly description: string;
  /** More, for editors that can show it. */
  readonly markdown?: string;
}

/** The schema of draft 7 that is defined under a name. Nothing can stand beside it: draft 7 would ignore it. */
export function ref(name: string): EditorSchema {
  return { $ref: `#/definitions/${name}` };
}

/** The words for what a reader is told. */
export function told({ title, description, markdown }: Docs): EditorSchema {
  return {
    ...(title !== undefined && { title }),
    description,
    ...(markdown !== undefined && { markdownDescription: markdown }),
  };
}

/** A text with a template in it. A list of types, because editors would add a single one to their list of what fits. */
const template: EditorSchema = { type: ['string'], pattern: '\\{\\{' };

/**
 * A scalar tagged `!expr`. Editors are told to read it as a map (`yaml.customTags: ["!expr scalar:object"]`), which no key
 * of it is then looked up in; a map that somebody wrote has not got this one.
 */
export const expression: EditorSchema = { type: ['object'], required: ['!expr'], maxProperties: 1 };

/**
 * One of these. The first should be what is meant most often: when nothing fits, editors show its mistake. The other ones
 * get an empty `properties`, because yaml-language-server tells choices apart by it, and would otherwise take every value
 * for one that fits them all.
 */
export function anyOf(choices: readonly EditorSchema[], docs: EditorSchema = {}): EditorSchema {
  const [first = {}, ...others] = choices;
  if (others.length === 0) return { ...docs, ...first };
  return {
    ...docs,
    anyOf: [first, ...others.map((choice) => ('$ref' in choice ? choice : { properties: {}, ...choice }))],
  };
}

/** One of these, or a template or an expression in its place. */
export function computable(choices: readonly EditorSchema[], docs: EditorSchema = {}): EditorSchema {
  const isAnyText = choices.some((choice) => Object.keys(choice).join() === 'type' && choice.type === 'string');
  return anyOf([...choices, ...(isAnyText ? [] : [template]), expression], docs);
}

/** A list of them, or one alone. */
export function oneOrMore(item: EditorSchema): EditorSchema {
  return anyOf([item, { type: 'array', items: item }]);
}

/** A map that has this key. */
export function has(key: string): EditorSchema {
  return { type: 'object', required: [key] };
}

/** Chooses by the first condition that holds, so that only what was meant is judged. */
export function chosen(
  cases: readonly { readonly when: EditorSchema; readonly then: EditorSchema }[],
  otherwise: EditorSchema,
): EditorSchema {
  return cases.reduceRight<EditorSchema>((rest, { when, then }) => ({ if: when, then, else: rest }), otherwise);
}

/** Anything but nothing is a mistake, and this is what is said about it. Completion leaves it out. */
export function refused(message: string): EditorSchema {
  return { type: 'null', errorMessage: message, doNotSuggest: true };
}

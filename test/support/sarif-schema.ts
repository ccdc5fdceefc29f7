import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect } from 'chai';

const url = new URL('../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json', import.meta.url);
// Of what the fourth draft of JSON Schema calls otherwise, the schema of SARIF uses the name of itself alone.
const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
// Its patterns are none of those that RegExp takes with the `u` flag.
const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false, unicodeRegExp: false }).compile(
  schema,
);

/** Raises an AssertionError unless a text is what the schema of SARIF 2.1.0 (OASIS) asks for. */
export function expectSarif(text: string): void {
  const isValid = validate(JSON.parse(text));
  expect(isValid, JSON.stringify(validate.errors, undefined, 2)).to.equal(true);
}

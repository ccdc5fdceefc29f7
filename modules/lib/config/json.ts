import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type ConfigFormat, type Data, type Edit, isMap, joinEdits, SyntaxMistake } from './edit.ts';

/** JSON, with comments and trailing commas where the file has them. */
export const json: ConfigFormat = {
  name: 'JSON',
  read,
  normalise: (_, value) => value,
  rewrites: (text, edits) => [() => edited(text, edits)],
};

function read(text: string): Data {
  if (text.trim() === '') return {};
  const errors: ParseError[] = [];
  const data: unknown = parse(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    const before = text.slice(0, first.offset).split('\n');
    const what = printParseErrorCode(first.error).replace(/(?<=[a-z])([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
    throw new SyntaxMistake(what.toLowerCase(), before.length, (before.at(-1)?.length ?? 0) + 1);
  }
  if (!isMap(data)) throw new SyntaxMistake('the file holds no map', 1, 1);
  return data;
}

function edited(text: string, edits: readonly Edit[]): string {
  const indent = /^[{[][^\n]*\n([ \t]+)/m.exec(text)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.includes('\t'),
    tabSize: indent.includes('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  let result = text.trim() === '' ? '{}\n' : text;
  for (const { keys, after } of joinEdits(read(text), edits)) {
    result = applyEdits(result, modify(result, [...keys], after, { formattingOptions }));
  }
  return result;
}

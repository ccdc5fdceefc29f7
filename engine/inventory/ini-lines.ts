import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';
import { checkVariableName } from './connection-names.ts';
import { type DraftGroup, type DraftHost, setVariable } from './draft.ts';
import { setGroupVariable } from './groups.ts';
import { readHosts } from './hosts.ts';
import { parseLiteral } from './literal.ts';
import type { ReadingContext } from './reading.ts';
import { offsetInWord, splitWords, type Word } from './words.ts';

/** Reads `host[01:03].example.com:22 key=value…`: a line of a section of hosts. */
export function readHostLine(context: ReadingContext, group: DraftGroup, line: Range): void {
  const { words, comment, problem } = splitWords(line.source.text.slice(line.start, line.end));
  if (problem) {
    const start = line.start + problem.start;
    const hint = 'put a quote or a backslash that is meant as such in quotes of the other kind';
    return context.report({ severity: 'error', message: problem.message, hint, range: { ...line, start } });
  }
  if (comment?.isInsideWord) {
    context.report({
      severity: 'warning',
      message: 'the comment begins inside a word and cuts it short',
      hint: 'put a value with "#" in quotes, or a blank before the comment',
      range: { ...line, start: line.start + comment.start },
    });
  }
  const [first, ...rest] = words;
  if (!first) return;
  const hosts = readHosts(context, group, first.text, wordRange(line, first));
  for (const word of rest) readAssignment(context, hosts, line, word);
}

/** Reads `key = value`: a line of a section `:vars`. */
export function readGroupVariable(context: ReadingContext, group: DraftGroup, line: Range): void {
  const text = line.source.text.slice(line.start, line.end);
  const equals = text.indexOf('=');
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (key === '') {
    return context.report({
      severity: 'error',
      message: `a line of [${group.name}:vars] is key=value`,
      hint: /^[\w.-]+:\s/.test(text) ? 'write "=" instead of ":"' : `hosts stand in a section [${group.name}]`,
      range: line,
    });
  }
  const raw = text.slice(equals + 1);
  const start = line.start + equals + 1 + (raw.length - raw.trimStart().length);
  const range = { ...line, start: Math.min(start, line.end) };
  const literal = parseLiteral(raw.trim());
  if (!literal && /\s#/.test(raw)) {
    context.report({
      severity: 'warning',
      message: `the value of "${key}" includes the "#" and what follows it`,
      hint: 'put a comment on a line of its own, or the value in quotes when it is meant like that',
      range: { ...range, start: line.start + equals + 1 + raw.search(/\s#/) + 1 },
    });
  }
  const value = readValue(context, key, raw.trim(), range, { ...line, end: line.start + key.length }, false);
  if (value) setGroupVariable(context, group, key, value);
}

function readAssignment(context: ReadingContext, hosts: readonly DraftHost[], line: Range, word: Word): void {
  const equals = word.text.indexOf('=');
  if (equals < 1) {
    return context.report({
      severity: 'error',
      message: `after a host's name come variables as key=value, not "${word.text}"`,
      hint: 'write no blanks around "=", and put a value with blanks in quotes: key="a value"',
      range: wordRange(line, word),
    });
  }
  const key = word.text.slice(0, equals);
  const start = line.start + Math.min(word.end, offsetInWord(word, equals) + 1);
  const range = { ...line, start, end: line.start + word.end };
  const keyRange = { ...line, start: line.start + word.start, end: line.start + offsetInWord(word, equals) };
  const value = readValue(context, key, word.text.slice(equals + 1), range, keyRange, true);
  if (value) for (const host of hosts) setVariable(host, key, value);
}

function readValue(
  context: ReadingContext,
  key: string,
  text: string,
  range: Range,
  keyRange: Range,
  isHostLine: boolean,
): Value | undefined {
  const doubt = checkVariableName(key, keyRange);
  if (doubt) context.report(doubt);
  const literal = parseLiteral(text);
  if (literal?.printedAs !== undefined) {
    // On a host's line the outer quotes are the line's own, and what is in them is read as data.
    const quoting = isHostLine ? `${key}='"${text}"'` : `${key}="${text}"`;
    context.report({
      severity: 'warning',
      message: `"${key}" is the number ${literal.printedAs} here, no text`,
      hint: `for a text, such as a version, write ${quoting}`,
      range,
    });
  }
  if (!literal && text.includes(',') && !text.includes('#') && parseLiteral(`[${text}]`)) {
    context.report({
      severity: 'warning',
      message: `"${key}" is a text here, where Ansible reads a list`,
      hint: `for a list write ${key}=[${text.replace(/,\s*$/, '')}]`,
      range,
    });
  }
  return context.compile(literal ? literal.data : text, range);
}

function wordRange(line: Range, word: Word): Range {
  return { ...line, start: line.start + word.start, end: line.start + word.end };
}

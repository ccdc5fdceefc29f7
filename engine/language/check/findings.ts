import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Range } from '../../base/source.ts';

/** The kinds of mistakes that the static check finds, with what each is about. */
export const checkRules = {
  'undefined-name': 'a name that nothing defines',
  'partly-defined': 'a variable that some hosts of the play do not have',
  'used-too-early': 'a result that is read before its task has run',
  'left-out': 'a result that is read, of a task that the tags leave out',
  'no-facts': 'facts that are read and never gathered',
  'unknown-member': 'a member that a value cannot have',
  'condition-type': 'a condition that is not true or false',
  'expression-type': 'types that do not go together in an expression',
  'argument-type': 'an argument whose template gives the wrong type',
  'yes-or-no': 'yes, no, on or off, which YAML 1.2 reads as text',
  jinja: 'a statement of Jinja, which is only text here',
  'unused-handler': 'a handler that nothing notifies',
  'unknown-tag': 'a tag that no task has',
  'nothing-selected': 'tags or a limit that leave nothing to do',
  'unknown-hosts': 'a host pattern that names nothing',
  input: 'an input without a value, or with one that does not fit',
  'extra-variable': 'a variable of the command line that nothing reads',
  'template-file': 'a template file with mistakes, or that is not there',
  'controller-file': 'a file of the controller that is not there',
} as const satisfies Readonly<Record<string, string>>;

export type CheckRule = keyof typeof checkRules;

/** What was found so far; the same thing at the same place is told once. */
export class Findings {
  readonly #found = new Map<string, Diagnostic>();

  /** Notes a mistake. A warning at a place that has an error with the same message is none. */
  add(
    severity: Diagnostic['severity'],
    rule: CheckRule,
    range: Range | undefined,
    message: string,
    hint?: string,
  ): void {
    const key = `${range?.source.path ?? ''}:${range?.start ?? 0}:${message}`;
    if (this.#found.get(key)?.severity === 'error') return;
    this.#found.set(key, { severity, rule, message, ...(hint !== undefined && { hint }), ...(range && { range }) });
  }

  all(): readonly Diagnostic[] {
    return [...this.#found.values()];
  }
}

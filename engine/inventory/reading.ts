import type { Diagnostic } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';
import type { Draft } from './draft.ts';

/** What the readers of all formats write to. */
export interface ReadingContext {
  readonly draft: Draft;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Makes a value; reports a broken template and gives undefined. */
  readonly compile: (data: unknown, range: Range) => Value | undefined;
}

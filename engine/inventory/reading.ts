import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import { type CompileCache, compileData, compileNode } from '../language/compile.ts';
import { sealed } from '../language/encrypted-files.ts';
import type { Value } from '../language/value.ts';
import type { YamlNode } from '../language/yaml.ts';
import type { Draft } from './draft.ts';

/** What the readers of all formats write to. */
export interface ReadingContext {
  readonly draft: Draft;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Makes a value of plain data; reports a broken template and gives undefined. */
  readonly compile: (data: unknown, range: Range) => Value | undefined;
  /** The same of a node of YAML or JSON. */
  readonly compileNode: (node: YamlNode) => Value | undefined;
}

/** A context that writes to this draft and reports to this list. */
export function createReadingContext(
  draft: Draft,
  cache: CompileCache,
  report: (diagnostic: Diagnostic) => void,
): ReadingContext {
  const reporting = (compile: () => Value): Value | undefined => {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      error.diagnostics.forEach(report);
      return undefined;
    }
  };
  return {
    draft,
    report,
    compile: (data, range) => reporting(() => compileData(sealed(data, range.source), range, cache)),
    compileNode: (node) => reporting(() => compileNode(node, cache)),
  };
}

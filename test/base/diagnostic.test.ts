import { expect } from 'chai';
import {
  type Diagnostic,
  DiagnosticsError,
  didYouMean,
  formatDiagnostic,
  throwOnErrors,
} from '../../engine/base/diagnostic.ts';
import { excerpt, positionAt, type Source } from '../../engine/base/source.ts';

const source: Source = { path: 'play.yaml', text: 'hosts: all\n\ttasks: []\nlast' };
const at = (word: string): Diagnostic['range'] & object => {
  const start = source.text.indexOf(word);
  return { source, start, end: start + word.length };
};

describe('diagnostics', () => {
  it('print file:line:column, the line, a caret under the range, and the hint', () => {
    const text = formatDiagnostic({
      severity: 'error',
      message: 'unknown keyword',
      hint: 'did you mean "x"?',
      range: at('all'),
    });
    expect(text).to.equal(
      [
        'play.yaml:1:8: error: unknown keyword',
        '  1 | hosts: all',
        '             ^^^',
        '  hint: did you mean "x"?',
      ].join('\n'),
    );
  });

  it('keep tabs before the caret, so that it stands under the word', () => {
    expect(excerpt(at('tasks'))).to.equal('2 | \ttasks: []\n    \t^^^^^');
  });

  it('count lines and columns from 1, also past the end', () => {
    expect(positionAt(source, 0)).to.deep.equal({ line: 1, column: 1 });
    expect(positionAt(source, 9999)).to.deep.equal({ line: 3, column: 5 });
  });

  it('are sorted by place and thrown together; warnings alone are not thrown', () => {
    const later: Diagnostic = { severity: 'error', message: 'second', range: at('last') };
    const sooner: Diagnostic = { severity: 'warning', message: 'first', range: at('hosts') };
    expect(() => throwOnErrors([sooner])).to.not.throw();
    expect(() => throwOnErrors([later, sooner]))
      .to.throw(DiagnosticsError)
      .with.property('diagnostics')
      .that.deep.equals([sooner, later]);
  });

  it('suggest a near word and nothing for a far one', () => {
    expect(didYouMean('stat', ['state', 'name'])).to.equal('did you mean "state"?');
    expect(didYouMean('enabld', ['enabled'])).to.equal('did you mean "enabled"?');
    expect(didYouMean('whne', ['when', 'name'])).to.equal('did you mean "when"?');
    expect(didYouMean('msg', ['value', 'message'])).to.equal('did you mean "message"?');
    expect(didYouMean('nod', ['node_name', 'nodes'])).to.equal('did you mean "nodes"?');
    expect(didYouMean('abc', ['a-big-cow'])).to.equal(undefined);
    expect(didYouMean('x', ['a', 'b'])).to.equal(undefined);
    expect(didYouMean('xyz', ['state', 'name'])).to.equal(undefined);
  });
});

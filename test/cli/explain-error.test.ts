import { expect } from 'chai';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { explainError } from '../../engine/cli/explain-error.ts';

describe('explainError', () => {
  it('gives an expected failure its message, its hint and its exit code', () => {
    const error = new RunbookError('unreachable', 'node-1: no route', { hint: 'is it up?' });
    expect(explainError(error, [])).to.deep.equal({
      text: 'runbook: node-1: no route\n  hint: is it up?',
      exitCode: 4,
    });
  });

  it('prints all diagnostics of a stage', () => {
    const source = { path: 'site.yaml', text: 'hots: all\n' };
    const range = { source, start: 0, end: 4 };
    const error = new DiagnosticsError([
      { severity: 'error', message: 'unknown keyword "hots"', hint: 'did you mean "hosts"?', range },
      { severity: 'error', message: 'no tasks' },
    ]);
    const { text, exitCode } = explainError(error, []);
    expect(exitCode).to.equal(5);
    expect(text).to.include('site.yaml:1:1: error: unknown keyword "hots"').and.to.include('error: no tasks');
  });

  it('calls anything else a bug, with its stack', () => {
    const { text, exitCode } = explainError(new TypeError('x is not a function'), []);
    expect(exitCode).to.equal(1);
    expect(text)
      .to.match(/^TypeError: x is not a function\n {4}at /)
      .and.to.match(/This is a bug in runbook .*report it/);
  });

  it('lets no message steer the terminal', () => {
    expect(explainError(new RunbookError('usage', 'a\u001b[2J'), []).text).to.equal('runbook: a\\x1b[2J');
  });
});

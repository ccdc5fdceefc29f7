import { inspect } from 'node:util';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { partlyKnown, UnknownValueError } from '../../engine/base/unknown.ts';

describe('partlyKnown', () => {
  const result = partlyKnown({ changed: true }, 'the command was not run');

  it('gives what is known and raises for what is not', () => {
    expect(result.changed).to.equal(true);
    expect(() => result.stdout).to.throw(UnknownValueError, 'the command was not run');
    expect(() => Object.hasOwn(result, 'stdout')).to.throw(UnknownValueError);
    expect(() => 'stdout' in result).to.throw(UnknownValueError);
  });

  it('lists only what is known, so that it can be printed', () => {
    expect(JSON.stringify({ ...result })).to.equal('{"changed":true}');
  });
});

describe('Secret', () => {
  it('does not show itself in text, JSON or inspection', () => {
    const secret = new Secret('hunter2');
    expect(`${secret} ${JSON.stringify({ secret })} ${inspect(secret)}`).to.not.contain('hunter2');
    expect(secret.reveal()).to.equal('hunter2');
  });
});

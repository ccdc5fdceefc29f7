import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { createMasker } from '../../engine/base/masker.ts';
import { Secret } from '../../engine/base/secret.ts';

const poison = 'pö\'s0n/of+the=3vil&"twin"';
const long = Array.from({ length: 40 }, (_, i) => `Zx${i * 7919}q`).join('+');

describe('Secret', () => {
  it('shows asterisks to whoever prints it', () => {
    const secret = new Secret('hunter2');
    expect([`${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ secret })].join()).not.to.contain(
      'hunter2',
    );
    expect(JSON.stringify(secret)).to.equal('"********"');
    expect(Object.keys(secret)).to.deep.equal([]);
  });

  it('hands its listener down to what is made of it', () => {
    const heard: string[] = [];
    const secret = new Secret('a', (made, isDerived) => heard.push(`${made.reveal()} ${isDerived}`));
    const derived = secret.derive('ab').within('(ab)').derive('abc');
    expect(heard).to.deep.equal(['ab true', 'abc true']);
    expect(secret.derive('a')).to.equal(secret);
    expect(derived.reveal()).to.equal('abc');
  });
});

describe('masking', () => {
  const mask = (secrets: readonly string[], text: string): string => {
    const masker = createMasker();
    for (const secret of secrets) masker.secret(secret);
    return masker.mask(text);
  };

  const forms: readonly (readonly [string, string])[] = [
    ['as it is', poison],
    ['in JSON', JSON.stringify(poison).slice(1, -1)],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(poison)).slice(3, -3)],
    ['in a URL', encodeURIComponent(poison)],
    ['in a URL, in lower case', encodeURIComponent(poison).replace(/%../g, (c) => c.toLowerCase())],
    ['in a form', new URLSearchParams({ p: poison }).toString().slice(2)],
    ['quoted for a shell', `'${poison.replaceAll("'", "'\\''")}'`],
    ['in HTML', poison.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')],
    ['in base64', Buffer.from(poison).toString('base64')],
    ['in base64url', Buffer.from(poison).toString('base64url')],
    ['in hex', Buffer.from(poison).toString('hex')],
    ['in upper-case hex', Buffer.from(poison).toString('hex').toUpperCase()],
  ];
  for (const [how, form] of forms) {
    it(`hides a secret ${how}`, () => {
      expect(mask([poison], `<<${form}>>`).replaceAll("'", '')).to.equal('<<********>>');
    });
  }

  it('hides a secret inside a longer text in base64, wherever it begins', () => {
    for (const before of ['', 'a', 'ab', 'abc', 'user:']) {
      const masked = mask(['s3cretpassword'], Buffer.from(`${before}s3cretpassword after`).toString('base64'));
      expect(masked).to.contain('********');
      const left = masked.split('********').map((part) => Buffer.from(part, 'base64').toString('latin1'));
      expect(left.join()).not.to.contain('3cretpasswor');
    }
  });

  it('hides what base64 cut into lines, but for a few characters', () => {
    for (const width of [60, 64, 76]) {
      const encoded = execFileSync('base64', ['-w', String(width)], { input: `x${long}y`, encoding: 'utf8' });
      const left = mask([long], encoded).replaceAll('********', '').replace(/\s/g, '');
      expect(left.length, left).to.be.lessThan(12);
    }
  });

  it('hides the lines of a secret that has several, but not the frame of a PEM file', () => {
    const pem =
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAAtzc2gtZWQyNTUxOQ\n-----END OPENSSH PRIVATE KEY-----\n';
    expect(mask([pem], '+ b3BlbnNzaC1rZXktdjE')).to.equal('+ ********');
    expect(mask([pem], '-----BEGIN OPENSSH PRIVATE KEY-----')).to.contain('BEGIN');
    expect(mask([pem], `<${pem}>`)).to.equal('<********>');
  });

  it('looks for the lines of a secret, and not for those of a text that has one in it', () => {
    const masker = createMasker();
    masker.secret('the password').within('listen = 443\nssl = enabled\npassword = the password\n');
    masker.secret('another one').derive('listen = 443\nANOTHER ONE');
    expect(masker.mask('ssl = enabled, listen = 443, the password')).to.equal('ssl = enabled, listen = 443, ********');
  });

  it('does not look for texts that are too short to be told from others', () => {
    expect(mask(['on', '1', '12345', 'abc'], 'on 1 of 12345 abc')).to.equal('on 1 of 12345 abc');
    expect(mask(['123456', 'abcd'], '1234567 abcde')).to.equal('********7 ********e');
  });

  it('hides what overlaps and what touches as one', () => {
    expect(mask(['abcdef', 'defghi'], 'xabcdefghix')).to.equal('x********x');
    expect(mask(['abcd'], 'abcdabcd abcd')).to.equal('******** ********');
    expect(mask(['pass', 'password1'], 'password1 pass')).to.equal('******** ********');
  });

  it('leaves a text without secrets as it is, and never shows one', () => {
    const secret = fc.string({ minLength: 4, maxLength: 30 }).filter((s) => !/^\d+$/.test(s) && !s.includes('*'));
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        expect(mask([text], `${before}${text}${after}`)).not.to.contain(text);
        expect(mask([text], 'öööööööööö')).to.equal('öööööööööö');
      }),
    );
  });
});

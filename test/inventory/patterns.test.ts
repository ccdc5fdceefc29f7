import { expect } from 'chai';
import fc from 'fast-check';
import { compileGlob } from '../../engine/inventory/glob.ts';
import { limitHosts, matchHosts } from '../../engine/inventory/patterns.ts';
import { mistakesOf, parse } from './rig.ts';

const { inventory } = parse(`
lonely
[web]
web[1:4]
[db]
db-a
db-b
web4
2001:db8::5
[empty]
[prod:children]
db
web
[kube-node]
k.example.com
`);
const names = (pattern: string | readonly string[]): string =>
  matchHosts(inventory, pattern)
    .map((host) => host.name)
    .join(' ');

describe('host patterns', () => {
  const table: Record<string, string> = {
    all: 'lonely k.example.com db-a db-b web4 2001:db8::5 web1 web2 web3',
    '*': 'lonely k.example.com db-a db-b web4 2001:db8::5 web1 web2 web3',
    ungrouped: 'lonely',
    web: 'web1 web2 web3 web4',
    prod: 'db-a db-b web4 2001:db8::5 web1 web2 web3',
    'kube-node': 'k.example.com',
    web2: 'web2',
    'db:web': 'db-a db-b web4 2001:db8::5 web1 web2 web3',
    'db,web': 'db-a db-b web4 2001:db8::5 web1 web2 web3',
    ' web3 , web1 ': 'web3 web1',
    'web:&db': 'web4',
    'web:!db': 'web1 web2 web3',
    '!db:web': 'web1 web2 web3',
    'prod:&web:!web1': 'web4 web2 web3',
    '!prod': 'lonely k.example.com',
    '&db': 'db-a db-b web4 2001:db8::5',
    'web:&lonely': '',
    'web:!empty': 'web1 web2 web3 web4',
    'web*': 'web1 web2 web3 web4',
    'we?': 'web1 web2 web3 web4',
    '*.example.com': 'k.example.com',
    'db-[ab]': 'db-a db-b',
    'db-[!a]': 'db-b',
    '~web[12]$': 'web1 web2',
    '~(web1|db-)': 'web1 db-a db-b',
    '~(?i)WEB1': 'web1',
    'web[0]': 'web1',
    'web[-1]': 'web4',
    'web[0:2]': 'web1 web2 web3',
    'web[0:0]': 'web1',
    'web[1:]': 'web2 web3 web4',
    'web[2:99]': 'web3 web4',
    'web*[1]': 'web2',
    'web[0]:db[0]': 'web1 db-a',
    'web:!web[0:1]': 'web3 web4',
    '2001:db8::5': '2001:db8::5',
    '!2001:db8::5,db': 'db-a db-b web4',
    localhost: 'localhost',
    'web1,127.0.0.1': 'web1 127.0.0.1',
    '::1': '::1',
    '2001:db8::5[0]': '2001:db8::5',
    '!2001:db8::5[0]': 'lonely k.example.com db-a db-b web4 web1 web2 web3',
    '~\\Aweb(?P<n>1)\\Z': 'web1',
    '~\\\\A|web1': 'web1',
    'web1 web3': 'web1 web3',
    'web[0]:!web1': '',
    // A slice counts each host once, however many of the names it matches by.
    'd*[-1]': '2001:db8::5',
    'web*[1:]': 'web2 web3 web4',
  };
  for (const [pattern, expected] of Object.entries(table)) {
    it(`${pattern} is ${expected || 'nobody'}`, () => expect(names(pattern)).to.equal(expected));
  }

  it('of a list is split for each of its items', () => {
    expect(names(['web1:web3', 'db'])).to.equal('web1 web3 db-a db-b web4 2001:db8::5');
    expect(names(['web', '!web1:!web2'])).to.equal('web3 web4');
    expect(names(['2001:db8::5', 'web1'])).to.equal('2001:db8::5 web1');
  });

  it('of a list are placed in the playbook one by one', async () => {
    const source = { path: 'play.yaml', text: '- hosts: [web, dbb]\n' };
    expect(await mistakesOf(() => matchHosts(inventory, ['web', 'dbb'], { source, start: 9, end: 19 }))).to.contain(
      'play.yaml:1:16: error: there is no host and no group "dbb"',
    );
  });

  it('all does not hold an implicit localhost, which is in no group', () => {
    const [host] = matchHosts(inventory, 'localhost');
    expect(host?.isImplicit).to.equal(true);
    expect(host?.groups).to.deep.equal(['all']);
  });

  it('localhost is what the inventory calls a localhost, if it does', () => {
    const own = parse('127.0.0.1 x=1').inventory;
    expect(matchHosts(own, 'localhost').map((host) => host.name)).to.deep.equal(['127.0.0.1']);
    const several = parse('::1\n127.0.0.1').inventory;
    expect(matchHosts(several, 'localhost').map((host) => host.name)).to.deep.equal(['::1']);
  });

  it('an implicit localhost is one host, whatever it is called', () => {
    expect(names('localhost,127.0.0.1')).to.equal('localhost');
    expect(names('web1,::1,!localhost')).to.equal('web1');
    expect(names('127.0.0.1,&localhost')).to.equal('127.0.0.1');
  });

  const mistakes: Record<string, string> = {
    wep: 'there is no host and no group "wep" (did you mean "web"?)',
    'web:!dbb': 'there is no host and no group "dbb" (did you mean "db"?)',
    'mail*': 'no host and no group matches "mail*"',
    '~mail': 'no host and no group matches "~mail"',
    empty: 'the group "empty" has no hosts',
    'web[4]': '"web" has 4 hosts, none of them at [4]',
    'web[-5]': '"web" has 4 hosts, none of them at [-5]',
    'web[7:9]': '"web" has 4 hosts, none of them at [7:9]',
    'web[1-3]': '"[1-3]" is no slice of a group (write web[1:3] for some hosts of it, or ~web[1-3]$ for names)',
    '~we(b': '"we(b" is no regular expression: unterminated group ("," ends a term, and so does ":" outside of [])',
    'web[1:0]': '"web" has 4 hosts, none of them at [1:0]',
    'localhost[1]': '"localhost" has 1 host, none of them at [1]',
    'web:22': 'there is no host and no group "22"',
    'web[': 'no host and no group matches "web[" (did you mean "web"?)',
    'web:2001:db8::5':
      'there is no host and no group "2001" (separate terms by commas where one of them is an IPv6 address)',
    '@retry': 'there is no host and no group "@retry" (a file of patterns is named in --limit, and without a mark)',
    '!': 'a term of the host pattern is empty',
    '': 'the host pattern is empty',
    ',': 'the host pattern is empty',
  };
  for (const [pattern, message] of Object.entries(mistakes)) {
    it(`"${pattern}": ${message}`, async () => {
      const printed = await mistakesOf(() => matchHosts(inventory, pattern));
      const [, text] = /error: (.*)/.exec(printed) ?? [];
      const [, hint] = /hint: (.*)/.exec(printed) ?? [];
      expect(hint === undefined ? text : `${text} (${hint})`).to.equal(message);
    });
  }

  it('without an inventory only localhost can be named', async () => {
    const none = parse('').inventory;
    expect(matchHosts(none, 'localhost').map((host) => host.name)).to.deep.equal(['localhost']);
    expect(
      await mistakesOf(() => matchHosts(none, 'nodes')),
    ).to.equal(`the host pattern:1:1: error: there is no inventory
  1 | nodes
      ^^^^^
  hint: name one with -i FILE, or hosts with -i n1,n2,`);
  });

  it('every term that names nothing is reported, at its place in the playbook', async () => {
    const source = { path: 'play.yaml', text: '- hosts: "web:wep:!dbb"\n' };
    const range = { source, start: 9, end: 23 };
    expect(
      await mistakesOf(() => matchHosts(inventory, 'web:wep:!dbb', range)),
    ).to.equal(`play.yaml:1:15: error: there is no host and no group "wep"
  1 | - hosts: "web:wep:!dbb"
                    ^^^
  hint: did you mean "web"?

play.yaml:1:19: error: there is no host and no group "dbb"
  1 | - hosts: "web:wep:!dbb"
                        ^^^^
  hint: did you mean "db"?`);
  });

  it('never throw anything but diagnostics', async () => {
    const token = fc.constantFrom(
      ...[':', ',', '!', '&', '~', '[', ']', '*', '?', '-', '0', '1', '(', ')', '@'],
      'web',
      'db',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(token), async (tokens) => {
        await mistakesOf(() => matchHosts(inventory, tokens.join('')));
      }),
      { numRuns: 500 },
    );
  });
});

describe('--limit', () => {
  const limited = (pattern: string, limit: string, files: Record<string, string> = {}): string => {
    const read = (path: string): string => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      return text;
    };
    const hosts = limitHosts(inventory, matchHosts(inventory, pattern), limit, read);
    return hosts.map((host) => host.name).join(' ');
  };

  it('keeps the order of the play', () => expect(limited('web', 'web3:web1')).to.equal('web1 web3'));
  it('may leave nobody', () => expect(limited('web', 'lonely')).to.equal(''));
  it('may only take away', () => expect(limited('web', '!web1')).to.equal('web2 web3 web4'));
  it('keeps an implicit localhost, whatever it is called', () => {
    expect(limited('localhost', 'localhost')).to.equal('localhost');
    expect(limited('127.0.0.1', 'localhost')).to.equal('127.0.0.1');
    expect(limited('localhost', 'web')).to.equal('');
  });

  it('reads patterns from a file, one a line', () => {
    expect(limited('web', '@failed.txt,!web2', { 'failed.txt': 'web1\r\nweb2\n\ndb:&web\n' })).to.equal('web1 web4');
    expect(limited('web', '@failed.txt:!web2', { 'failed.txt': 'web1\nweb2' })).to.equal('web1');
    // A colon ends a term unless there is a comma.
    expect(limited('web', '@a:b.txt,', { 'a:b.txt': 'web1\n' })).to.equal('web1');
  });

  it('takes no mark for a whole file, which would have to mean something else for each line', async () => {
    expect(await mistakesOf(() => limited('web', '!@failed.txt', { 'failed.txt': 'web1' }))).to.contain(
      'there is no host and no group "@failed.txt"',
    );
  });

  it('says where a pattern of a file is wrong', async () => {
    const printed = await mistakesOf(() => limited('web', '@failed.txt', { 'failed.txt': 'web1\nwep\n' }));
    expect(printed).to.equal(`failed.txt:2:1: error: there is no host and no group "wep"
  2 | wep
      ^^^
  hint: did you mean "web"?`);
  });

  it('says when the file cannot be read', async () => {
    expect(
      await mistakesOf(() => limited('web', '@gone.txt')),
    ).to.equal(`--limit:1:1: error: cannot read gone.txt: no such file
  1 | @gone.txt
      ^^^^^^^^^`);
  });
});

describe('globs', () => {
  it('find a text of their own characters, and take no exponential time', () => {
    const part = fc.constantFrom('*', '?', '[ab]', '[!a]', 'a', 'b');
    fc.assert(
      fc.property(fc.array(part), fc.string({ unit: fc.constantFrom('a', 'b') }), (parts, text) => {
        const expression = parts.map((p) => (p === '*' ? '.*' : p === '?' ? '.' : p.replace('!', '^'))).join('');
        expect(compileGlob(parts.join(''))(text)).to.equal(new RegExp(`^${expression}$`).test(text));
      }),
    );
    expect(compileGlob('*a'.repeat(50))('b'.repeat(5000))).to.equal(false);
  });

  it('take a bracket without a partner, and one right after the opening one, as it is', () => {
    expect(compileGlob('a[')('a[')).to.equal(true);
    expect(compileGlob('a[]]')('a]')).to.equal(true);
    expect(compileGlob('[a-c]x')('bx')).to.equal(true);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { DiagnosticsError } from '../../engine/base/diagnostic.ts';
import { limitHosts, matchHosts } from '../../engine/inventory/patterns.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { describeWithAnsible, layOut } from './ansible.ts';
import { listHostsWithAnsible, matchWithAnsible, type PatternAnswer, type PatternQuestion } from './ansible-hosts.ts';

const files = {
  'hosts.ini': `
lonely
solo.example.com
[web]
web[1:4]
[db]
db-a
db-b
web4
2001:db8::5
[empty]
[both]
x1
x2
[tail]
both
[prod:children]
db
web
[site:children]
prod
[k8s_node]
k1.example.com
10.0.0.7
`,
  'local.ini': '::1\n127.0.0.1\nother\n',
  'failed.retry': 'web1\nweb3\n\ndb-a\n',
  'patterns.txt': 'web*\n!web2\n',
  'lines.txt': 'web1:web3\n',
};

/** Patterns that mean the same here and there: the same hosts in the same order. */
const same: readonly (string | readonly [pattern: string, limit: string])[] = [
  ...['all', '*', 'ungrouped', 'web', 'db', 'prod', 'site', 'k8s_node', 'lonely', 'web2', 'solo.example.com'],
  // Unions, in both spellings; blanks; a host that is named twice.
  ...['web:db', 'db:web', 'web,db', 'web1,db-a', ' web3 , web1 ', 'web3:web1', 'web1:web', 'web,web1', 'web1 web3'],
  ...['all:web1', 'web::db', 'web,,db', ',web', 'web:'],
  // Intersections and exclusions, wherever they stand.
  ...['web:&db', '&db:web', 'web:!db', '!db:web', 'prod:&web:!web1', '!web1:&web:prod', 'all:!prod', 'all:&prod:&db'],
  ...['!prod', '&db', '!prod:!k8s_node', '&prod:!db', 'web:db:&prod:!web1:!db-a', 'web,!web1,&prod', 'web:!empty'],
  // Globs: groups first, then hosts.
  ...['web*', 'we?', '?eb1', '*.example.com', '*', 'w*', '[dw]b*', 'db-[ab]', 'db-[!a]', 'k8s*', 'web*:!*4'],
  ...['*-a', '*:!*.com', 'all:!web*', '10.0.*', '10.0.0.7', '*.7', 'k1.*'],
  // Regular expressions: from the beginning, not to the end.
  ...[
    '~web[12]',
    '~web',
    '~.*\\.example\\.com$',
    '~(web1|db-)',
    '~^db',
    '~(?i)WEB1',
    '~d',
    '~web\\d',
    '!~web',
    'all:&~db',
  ],
  ...['~db-(a|b):web1', '~\\Aweb1\\Z', '~(?P<kind>web)1', '~[^w]', '~web\\-?1'],
  // Subscripts count the hosts of one term.
  ...[
    'web[0]',
    'web[-1]',
    'web[-4]',
    'web[0:2]',
    'web[1:]',
    'web[0:0]',
    'web[2:99]',
    'web[3:3]',
    'prod[0]',
    'all[1:2]',
  ],
  ...[
    'web[0]:db[0]',
    'web:!web[0]',
    'web:!web[0:1]',
    'web:&web[1:2]',
    'prod[0:1]:&db',
    '!web[0]',
    'k8s*[1]',
    'web1[0]',
  ],
  ...['web[01]', 'db[-1],web[-1]', 'all[-1]'],
  // IPv6 addresses.
  ...[
    '2001:db8::5',
    '2001:db8::5,web1',
    'db,!2001:db8::5',
    'all,&2001:db8::5',
    '2001:db8::5[0]',
    '2001[:]db8*',
    '*,!*[:]*',
  ],
  // localhost, which is in no group.
  ...['localhost', '127.0.0.1', '::1', 'localhost,127.0.0.1', 'web1,localhost', 'localhost:web1:!127.0.0.1'],
  // A host and a group of one name are the host.
  ...['both', 'both,web1', 'x1', 'tail'],
  // --limit.
  ['web', 'web3:web1'],
  ['web', '!web1'],
  ['all', 'db'],
  ['prod', 'prod[0:2]'],
  ['web', 'web[0]'],
  ['web', '~web[12]'],
  ['prod', '&db'],
  ['prod', '@failed.retry'],
  ['prod', '@failed.retry:!web1'],
  ['prod', '@failed.retry,!web1'],
  ['all', '@patterns.txt'],
  ['web', '@failed.retry,@patterns.txt'],
  ['web:db', 'db:&web'],
  ['localhost,web1', 'localhost'],
];

/** Where we differ on purpose (`docs/patterns.md`): what we say, and the hosts that Ansible goes on with. */
const different: readonly {
  readonly why: string;
  readonly pattern: string;
  readonly limit?: string;
  readonly ours: string | readonly string[];
  readonly theirs: readonly string[] | 'refused';
}[] = [
  {
    why: 'a term that names nothing is a mistake',
    pattern: 'web:nope',
    ours: 'there is no host and no group "nope"',
    theirs: ['web1', 'web2', 'web3', 'web4'],
  },
  {
    why: 'what is excluded must exist',
    pattern: 'web:!wbe1',
    ours: 'there is no host and no group "wbe1"',
    theirs: ['web1', 'web2', 'web3', 'web4'],
  },
  {
    why: 'a glob that matches nothing is a mistake',
    pattern: 'web1:mail*',
    ours: 'no host and no group matches "mail*"',
    theirs: ['web1'],
  },
  {
    why: 'an empty group gives no hosts',
    pattern: 'empty:web1',
    ours: 'the group "empty" has no hosts',
    theirs: ['web1'],
  },
  {
    why: 'a limit names something',
    pattern: 'web',
    limit: 'web1,nope',
    ours: 'there is no host and no group "nope"',
    theirs: ['web1'],
  },
  {
    why: 'a slice beyond the end is a mistake',
    pattern: 'web1,web[7:9]',
    ours: '"web" has 4 hosts, none of them at [7:9]',
    theirs: ['web1'],
  },
  {
    why: 'a slice whose end is before its begin is a mistake',
    pattern: 'web[1:0]',
    ours: '"web" has 4 hosts, none of them at [1:0]',
    theirs: ['web2'],
  },
  {
    why: 'a slice is written with a colon',
    pattern: 'web[0-1]',
    ours: '"[0-1]" is no slice of a group',
    theirs: ['web1', 'web2'],
  },
  {
    why: 'a subscript counts every host once',
    pattern: 'web*[1:]',
    ours: ['web2', 'web3', 'web4'],
    theirs: ['web2', 'web3', 'web4', 'web1'],
  },
  {
    why: 'a bracket without its partner is a mistake',
    pattern: '~web1[',
    ours: '"web1[" is no regular expression: unterminated character class',
    theirs: ['web1'],
  },
  {
    why: 'a marked IPv6 address is one term',
    pattern: '&2001:db8::5',
    ours: ['2001:db8::5'],
    theirs: [],
  },
  {
    why: 'a glob of addresses is cut at its colons, which is a mistake',
    pattern: '2001:*',
    ours: 'there is no host and no group "2001"',
    theirs: [
      ...['lonely', 'solo.example.com', 'x1', 'x2', 'both', 'k1.example.com', '10.0.0.7'],
      ...['db-a', 'db-b', 'web4', '2001:db8::5', 'web1', 'web2', 'web3'],
    ],
  },
  {
    why: 'what follows a colon is a term, not a port',
    pattern: 'web1:22',
    ours: 'there is no host and no group "22"',
    theirs: [],
  },
  {
    why: 'a mark alone is a mistake, not a crash',
    pattern: 'web:!',
    ours: 'a term of the host pattern is empty',
    theirs: 'refused',
  },
  {
    why: 'a host and a group of one name are the host after a mark, too',
    pattern: 'both,x1,x2,!both',
    ours: ['x1', 'x2'],
    theirs: ['both'],
  },
  {
    why: 'every line of a limit file is a pattern as on the command line',
    pattern: 'web',
    limit: '@lines.txt',
    ours: ['web1', 'web3'],
    theirs: 'refused',
  },
  {
    why: 'a limit that leaves out localhost leaves it out',
    pattern: 'localhost',
    limit: 'web1',
    ours: [],
    theirs: ['localhost'],
  },
];

type Ours = { readonly hosts: readonly string[] } | { readonly mistakes: readonly string[] };

async function createMatcher(folder: string) {
  const names = Object.keys(files).filter((name) => name.endsWith('.ini'));
  const loaded = await Promise.all(names.map((name) => loadInventory({ sources: [join(folder, name)] })));
  return ({ inventory: name, pattern, limit }: PatternQuestion): Ours => {
    const found = loaded[names.indexOf(name)];
    if (!found) throw new Error(`no inventory ${name}`);
    const { inventory } = found;
    try {
      const hosts = matchHosts(inventory, pattern);
      const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
      const left = limit === undefined ? hosts : limitHosts(inventory, hosts, limit, read);
      return { hosts: left.map((host) => host.name) };
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      return { mistakes: error.diagnostics.map((d) => d.message) };
    }
  };
}

describeWithAnsible('host patterns beside `ansible PATTERN --list-hosts`', function () {
  this.timeout(120_000);

  it(`${same.length} of them name the same hosts in the same order`, async () => {
    await using folder = await layOut({ files, sources: [] });
    const match = await createMatcher(folder.path);
    const questions = same.map((entry): PatternQuestion => {
      if (typeof entry === 'string') return { inventory: 'hosts.ini', pattern: entry };
      return { inventory: 'hosts.ini', pattern: entry[0], limit: entry[1] };
    });
    const answers = await listHostsWithAnsible(folder.path, questions);
    const both = questions.map((asked, i) => {
      const ours = match(asked);
      return { asked, theirs: answers[i], ours: 'hosts' in ours ? { ...ours, unmatched: [] } : ours };
    });
    expect(both.filter(({ theirs, ours }) => !isDeepStrictEqual(theirs, ours))).to.deep.equal([]);
  });

  it('the first localhost that an inventory names is what every name of it means', async () => {
    await using folder = await layOut({ files, sources: [] });
    const match = await createMatcher(folder.path);
    const questions = ['localhost', '127.0.0.1', '::1', 'all', 'localhost,other'].map((pattern) => ({
      inventory: 'local.ini',
      pattern,
    }));
    const answers = await listHostsWithAnsible(folder.path, questions);
    expect(questions.map(match)).to.deep.equal(answers.map((answer) => 'hosts' in answer && { hosts: answer.hosts }));
  });

  it('lists of them, as a play has, name the same hosts in the same order', async () => {
    await using folder = await layOut({ files, sources: [] });
    const match = await createMatcher(folder.path);
    const lists = [
      ['web', 'db'],
      ['web1:web3', 'db-a'],
      ['all', '!web:!db'],
      ['web', '&db,!web1'],
      ['2001:db8::5', 'web1'],
    ];
    const questions = lists.map((pattern) => ({ inventory: 'hosts.ini', pattern }));
    const answers = await matchWithAnsible(folder.path, questions);
    expect(questions.map((asked) => ({ ...match(asked), unmatched: [] }))).to.deep.equal(answers);
  });

  describe('differ on purpose', () => {
    const questions = different.map(({ pattern, limit }) => ({
      inventory: 'hosts.ini',
      pattern,
      ...(limit !== undefined && { limit }),
    }));
    let ours: readonly Ours[] = [];
    let theirs: readonly PatternAnswer[] = [];

    before(async () => {
      await using folder = await layOut({ files, sources: [] });
      ours = questions.map(await createMatcher(folder.path));
      theirs = await listHostsWithAnsible(folder.path, questions);
    });

    for (const [i, { why, pattern, limit, ...expected }] of different.entries()) {
      it(`${why}: ${pattern}${limit === undefined ? '' : ` limited to ${limit}`}`, () => {
        const { ours: said } = expected;
        expect(ours[i]).to.deep.equal(typeof said === 'string' ? { mistakes: [said] } : { hosts: said });
        const answer = theirs[i];
        expect(answer && 'hosts' in answer ? answer.hosts : 'refused').to.deep.equal(expected.theirs);
      });
    }
  });

  it('generated ones name the same hosts in the same order, or have a mistake that Ansible warns of', async () => {
    await using folder = await layOut({ files, sources: [] });
    const match = await createMatcher(folder.path);
    const questions = fc.sample(question, 1500);
    const answers = await matchWithAnsible(folder.path, questions);
    let agreed = 0;
    for (const [i, asked] of questions.entries()) {
      const theirs = answers[i];
      const ours = match(asked);
      const about = JSON.stringify({ asked, ours, theirs });
      if ('mistakes' in ours) {
        const isOnPurpose = ours.mistakes.some((message) => /has no hosts|none of them at/.test(message));
        expect(isOnPurpose || theirs?.unmatched.length || 'error' in (theirs ?? {}), about).to.be.ok;
      } else {
        expect(theirs, about).to.deep.equal({ hosts: ours.hosts, unmatched: [] });
        agreed++;
      }
    }
    // Not merely mistakes.
    expect(agreed).to.be.above(500);
  });
});

const exact = fc.tuple(
  fc.constantFrom('web', 'db', 'prod', 'site', 'all', 'ungrouped', 'lonely', 'web1', 'db-a', 'localhost', '10.0.0.7'),
  fc.constantFrom('', '', '', '', '[0]', '[-1]', '[0:1]', '[1:]', '[1:2]', '[9]'),
);
// Without subscripts: those count differently.
const loose = fc.constantFrom(
  ...['*', 'web*', 'd*', 'we?', '[dw]*', 'db-[!b]', '*.com', '~web[12]', '~.*b', '~(db|web)-?', '~d', 'empty', 'nope'],
);
const term = fc
  .tuple(fc.constantFrom('', '', '&', '!'), fc.oneof(exact, loose))
  .map(([mark, name]) => mark + (typeof name === 'string' ? name : name.join('')));
const pattern = fc
  .tuple(fc.array(term, { minLength: 1, maxLength: 4 }), fc.constantFrom(':', ',', ' , '))
  .map(([terms, separator]) => terms.join(separator));
const question: fc.Arbitrary<PatternQuestion> = fc
  .tuple(pattern, fc.option(pattern, { nil: undefined, freq: 2 }))
  .map(([asked, limit]) => ({ inventory: 'hosts.ini', pattern: asked, ...(limit !== undefined && { limit }) }));

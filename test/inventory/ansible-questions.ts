import type { Question } from './ansible.ts';

/** Inventories of which Ansible and we must say the same, by what each is about. */
export const sameQuestions: Readonly<Record<string, Question>> = {
  ...ini({
    'hosts before the first section': 'a\nb\n[web]\nc\n',
    'an empty file and comments': '# nothing\n; at all\n\nh\n',
    'comments, blanks and line ends':
      '; one\r\n\r\n  [web]  # two\r\n\ta  x=1 # three\r\n#b\r\n[db:children] # four\r\n  web # five\r\n',
    'a section in several pieces': '[web]\na\n[db]\nb\n[web]\nc\n',
    'a host in several groups': '[web]\nh x=1\n[db]\nh y=2\n[old]\nh x=3\n',
    'hosts of all, and of ungrouped': '[all]\na\nb x=1\n[ungrouped]\nc\n[web]\na\n',
    'children and variables before their groups':
      '[prod:children]\nweb\ndb\n[web:vars]\nx=1\n[web]\nh\n[prod:vars]\ny=2\n[db]\n',
    'children of children before their groups': '[a:children]\nb\n[b:children]\nc\nd\n[d]\nx\n[c]\ny\n',
    'children in the order of their declaration': '[top:children]\nb\na\nc\n[a]\nx\n[c]\nz\n[b]\ny\n',
    'a group named twice as a child': '[top:children]\na\na\n[mid:children]\na\n[a]\nx\n',
    'children of all': '[all:children]\nweb\n[web]\nh\n[db]\ni\n',
    'groups below ungrouped': '[ungrouped:children]\nweb\n[web]\nh\n[free]\n',
    'empty groups': 'h\n[web]\n[db:children]\nweb\n[x:children]\n',
    'names of groups with dashes and dots': '[web-1.prod]\na\n[k8s_nodes:children]\nweb-1.prod\n',
    'a diamond':
      '[top:children]\nleft\nright\n[left:children]\nleaf\n[right:children]\nleaf\n[leaf]\nh\n[left:vars]\nv=left\n[right:vars]\nv=right\n[top:vars]\nv=top\nw=top\n',
    'a long way and a short way':
      '[a:children]\nb\nz\n[b:children]\nc\n[c:children]\nz\n[z]\nh\n[a:vars]\nv=a\n[b:vars]\nv=b\n[c:vars]\nv=c\n[y]\nh\n[y:vars]\nv=y\n',
    'depth decides before the name': '[z]\nh\n[top:children]\na\n[a]\nh\n[z:vars]\nv=z\n[a:vars]\nv=a\n',
    'the name decides at one depth': '[b]\nh\n[a]\nh\n[C]\nh\n[b:vars]\nv=b\n[a:vars]\nv=a\n[C:vars]\nv=C\n',
    ansible_group_priority: '[a]\nh\n[b]\nh\n[a:vars]\nv=a\nansible_group_priority=10\n[b:vars]\nv=b\n',
    'ansible_group_priority below zero': '[a]\nh\n[b]\nh\n[b:vars]\nv=b\nansible_group_priority=-1\n[a:vars]\nv=a\n',
    'ansible_group_priority as a text with blanks and a sign':
      '[a]\nh\n[b]\nh\n[a:vars]\nv=a\nansible_group_priority=" +5 "\n[b:vars]\nv=b\n',
    'strings as Python 2 wrote them': `h a="[u'x', u'y']" b="u'z'"\n`,
    'ansible_group_priority does not beat depth':
      '[top:children]\nb\n[top]\nh\n[b]\nh\n[top:vars]\nv=top\nansible_group_priority=99\n[b:vars]\nv=b\n',
    'all < parent < child < host':
      '[all:vars]\na=0\nb=0\nc=0\nd=0\n[p:children]\nc\n[p:vars]\nb=1\nc=1\nd=1\n[c]\nh d=3\n[c:vars]\nc=2\nd=2\n',
    'the later assignment wins': '[g]\nh x=1 x=2\nh y=1\nh y=2\n[g:vars]\nz=1\nz=2\n',
    'numbers in ranges': 'web[1:3].example.com\ndb[08:12]\nlog[0:10:5]\nx[:2]\n',
    'letters in ranges': 'db-[a:c]\nx[A:C]\ny[a:i:4]\nz[y:B]\n',
    'several ranges in a name': 'r[1:2]-[a:b].h[01:02] x=1\n',
    'ranges that are a single name': 'h[3:3]\nh[c:c]\n',
    'ranges and ports': 'web[1:2]:2222 x=1\n',
    'a port': 'a:2222\nb.example.com:22 ansible_port=23\n192.0.2.1:2200\n',
    'the port of a host that is named again': 'a:22\n[web]\na:23\nb\n[db]\nb:24\n',
    IPv6: '::1 v=1\n2001:db8::1\nfe80::1%eth0\n::ffff:192.0.2.1\n[x]\n2001:db8:0:0:0:0:0:2\n',
    'IPv6 with ports': '[2001:db8::1]:2022 x=1\n[::2]:22\n[web]:2222\n',
    'IPv6 with ranges': '2001:db8::[1:3]\n2001:db8:0:[10:12]::1\n',
    'IPv4 with ranges': '192.0.2.[1:3]\n10.[0:1].0.[1:2]:22\n',
    'names that no network has': 'müller.example\nweb_1\n1.2\nx@y\n',
    'values on host lines': `h a=True b=False c=None d=5 e=-5 f=1.5 g=text h='a b' i="a b" j=0x1f k=0o17 l=0b11 m=1_000 n=0123 o= p=a=b q=1e3 r=.5 s=5. t=+1\n`,
    'quoting on host lines': `h a='"5"' b="'x'" c='[1, "b", None]' d="{'k': [1, {'l': True}]}" e=a\\ b f=x'y z'w g="q\\"r" h='#no' i=a"#"b\n`,
    'comments on host lines': 'h a=b#c d=1\ni a=1 # c=2\n',
    'values in :vars': `[g]\nh\n[g:vars]\na = True\nb=a b\nc='a b'\nd = "5"\ne=8080 # a comment\nf=a=b\ng=\nh=foo # stays\ni=[1, 2, 'x']\nj={'k': None}\nk=0123\nl='it''s'\nm=  spaced  \nn=1.20\n`,
    'odd names of variables': '[g]\nh a.b=1 a-b=2\n[g:vars]\na b=1\n1x=2\n',
    'texts with escapes': `[g]\nh\n[g:vars]\na='x\\ty'\nb="\\x41\\u00e9"\nc='\\\\'\nh='\\/'\nd="\\101"\ne='\\q'\nf="\\U0001F600"\ng=a\\tb\n`,
    'texts beside texts': `[g]\nh\n[g:vars]\na='x' 'y'\nb=["p" 'q', 1]\n`,
    'texts that are nearly data': `[g]\nh\n[g:vars]\na=[1,\nb='open\nc={1}x\nd=1,x\ne=--1\nf=1+1\ng=a'b'\nh=yes\ni=null x\nj=0x\nk=1__0\nl=nan\nm=inf\nn=1.2.3\no=10.0.0.0/8\n`,
    'texts of other scripts': 'h name=Zoë city=東京\n',
    'a host and a group of one name': '[web]\nweb\nother\n[db]\nweb\n',
    'lines with other white space': '[web]\na\tx=1\t y=2\n\u00a0b\n',
  }),

  ...yaml({
    'the shape':
      'all:\n  hosts:\n    a:\n    b: {x: 1}\n  children:\n    web:\n      hosts:\n        c:\n      vars: {y: 2}\n    db:\n  vars:\n    z: [1, two, {three: 3}]\n',
    'groups beside all': 'web:\n  hosts: {a: }\ndb:\n  hosts: {a: {x: 1}, b: }\n  vars: {y: 1}\n',
    ungrouped: 'ungrouped:\n  hosts:\n    a:\nweb:\n  hosts:\n    b:\n',
    'a group in several places':
      'all:\n  children:\n    web: {hosts: {a: }}\n    prod:\n      children:\n        web:\n          hosts: {b: }\n          vars: {v: 1}\n',
    'deep children':
      'a:\n  children:\n    b:\n      children:\n        c:\n          children:\n            d: {hosts: {h: }, vars: {v: d}}\n          vars: {v: c, w: c}\n  vars: {v: a, u: a}\n',
    'a name alone': 'all:\n  hosts: single\nweb:\n  children: db\ndb:\n',
    'nothing under a key': 'all:\n  hosts:\n  children:\n  vars:\nweb:\n  hosts: {h: null}\n',
    'ranges and ports':
      'web:\n  hosts:\n    web[1:3]: {x: 1}\n    db-[a:b].example.com:2222:\n    "[2001:db8::1]:22": {y: 1}\n    "::1":\n    "2001:db8::[1:2]":\n',
    'types of values':
      'all:\n  hosts: {h: }\n  vars:\n    a: true\n    b: null\n    c: 1\n    d: -1.5\n    e: "1"\n    f: ~\n    g: |\n      two\n      lines\n    h: >-\n      one\n      line\n    i: []\n    j: {}\n    k: 0x1F\n    l: "yes"\n    m: 2024-01-02\n    n: text with spaces\n    o: "\\u00e9\\t"\n',
    'anchors and merges':
      'base:\n  vars: &v {x: 1, y: 2}\nweb:\n  hosts: {h: }\n  vars:\n    <<: *v\n    y: 3\n    z: *v\n',
    priority:
      'a: {hosts: {h: }, vars: {v: a, ansible_group_priority: 5}}\nb: {hosts: {h: }, vars: {v: b, ansible_group_priority: "2"}}\n',
    'a start of a document, and comments': '---\n# hosts\nall: # everything\n  hosts:\n    h: # one\n',
    'quoted names': '"all":\n  "hosts":\n    \'a\': {"x y": 1}\n',
    'a later place wins': 'all:\n  hosts:\n    h: {x: 1, y: 1}\nweb:\n  hosts:\n    h: {x: 2}\n',
    'children named before they have hosts':
      'prod: {children: {web: , db: }}\ndb: {hosts: {d: }}\nweb: {hosts: {w: }}\n',
  }),
  'YAML: without an extension': { files: { hosts: '---\nall:\n  hosts:\n    h:\n' }, sources: ['hosts'] },
  'YAML: without an extension and without dashes': { files: { hosts: 'web:\n  hosts:\n    h:\n' }, sources: ['hosts'] },
  'YAML: a file that is called YAML and holds INI': {
    files: { 'hosts.yml': '[web]\nh x=1\n' },
    sources: ['hosts.yml'],
  },
  'JSON: the shape': {
    files: {
      'hosts.json':
        '{"all": {"hosts": {"a": null, "b[1:2]": {"x": [1, 2.5, "t", null, true]}},\n\t"children": {"web": {"hosts": {"a": {}}}}}}',
    },
    sources: ['hosts.json'],
  },
  'JSON: without an extension': { files: { hosts: '{"web": {"hosts": {"a": {"x": "\\u00e9"}}}}' }, sources: ['hosts'] },

  'lists: names, addresses, ports, blanks': { sources: ['a, b.example.com:22,192.0.2.1 , [2001:db8::1]:2222,::1,'] },
  'lists: a single name': { sources: ['h,'] },
  'lists: beside a file': { files: { hosts: '[web]\na x=1\n' }, sources: ['a,b,', 'hosts', 'c,'] },
  'lists: group_vars are not read beside them': {
    files: { 'group_vars/all.yml': 'x: 1', hosts: 'h\n' },
    sources: ['a,'],
  },

  ...programs({
    '_meta.hostvars': { web: { hosts: ['a', 'b'], vars: { x: 1 } }, _meta: { hostvars: { a: { y: [1] }, b: {} } } },
    'a plain list of hosts': { web: ['a', 'b'], db: [], _meta: { hostvars: {} } },
    children: { top: { children: ['web', 'new'] }, web: { hosts: ['a'], children: [] }, _meta: { hostvars: {} } },
    'variables of a host in the place of a group': { h1: { x: 1, y: 'two' }, _meta: { hostvars: { h1: { x: 2 } } } },
    'keys that mean nothing': { web: { hosts: ['a'], description: 'x' }, _meta: { hostvars: {}, other: 1 } },
    'names are no patterns': { web: ['a[1:2]', 'b:22', '2001:db8::1'], _meta: { hostvars: {} } },
    'all, ungrouped and variables of theirs': {
      all: { hosts: ['a'], vars: { v: 1 }, children: ['ungrouped', 'web'] },
      web: ['b'],
      ungrouped: ['c'],
      _meta: { hostvars: { c: { v: 2 } } },
    },
    'types of values': {
      web: { hosts: ['a'], vars: { a: null, b: true, c: 1.5, d: { e: [] }, f: 'é\n', g: 'True', h: '5', i: '' } },
      _meta: { hostvars: {} },
    },
    priority: {
      a: { hosts: ['h'], vars: { v: 'a', ansible_group_priority: 3 } },
      b: { hosts: ['h'], vars: { v: 'b' } },
      _meta: { hostvars: {} },
    },
    'strangers in hostvars': { web: ['a'], _meta: { hostvars: { a: { x: 1 }, stranger: { x: 2 } } } },
  }),
  'programs: --host, where there is no _meta': {
    files: {
      'inventory.sh':
        '#!/bin/sh\nif [ "$1" = --host ]; then echo "{\\"me\\": \\"$2\\"}"; else echo \'{"web": ["a", "b c"]}\'; fi\n',
      'group_vars/web.yml': 'x: 1',
    },
    sources: ['inventory.sh'],
  },
  'programs: a message on the standard error': {
    files: { 'inventory.sh': '#!/bin/sh\necho warming up >&2\necho \'{"web": ["a"], "_meta": {"hostvars": {}}}\'\n' },
    sources: ['inventory.sh'],
  },

  'folders: sorted, with what is no inventory left out': {
    files: {
      'inv/10-b': '[web]\nb x=1\n[all:vars]\nv=10\n',
      'inv/02-a.yml': 'web:\n  hosts: {a: {x: 2}}\nall: {vars: {v: 2}}\n',
      'inv/30.json': '{"db": {"hosts": {"b": {"x": 3}}}}',
      'inv/.hidden': 'nothing\n',
      'inv/x.ini': 'from-ini\n',
      'inv/x.cfg': 'from-cfg\n',
      'inv/x.bak': 'from-bak\n',
      'inv/x~': 'from-tilde\n',
      'inv/README.md': '# no inventory\n',
      'inv/notes.txt': 'no inventory at all\n',
      'inv/y.orig': 'no inventory at all\n',
      'inv/y.retry': 'no\n',
      'inv/y.rst': 'no\n',
      'inv/y.pyc': 'no\n',
      'inv/y.swp': 'no\n',
      'inv/group_vars/web.yml': 'g: 1',
      'inv/host_vars/a.yml': 'h: 1',
    },
    sources: ['inv'],
  },
  'folders: in folders, whose group_vars are not read': {
    files: {
      'inv/a/hosts': '[web]\na\n',
      'inv/a/b/hosts.yml': 'web: {hosts: {b: }}\n',
      'inv/a/group_vars/web.yml': 'x: not read',
      'inv/group_vars/web.yml': 'y: read',
      'inv/z': 'c\n',
    },
    sources: ['inv/'],
  },
  'folders: programs in them': {
    files: {
      'inv/1-program': '#!/bin/sh\necho \'{"web": {"hosts": ["p"], "vars": {"v": 1}}, "_meta": {"hostvars": {}}}\'\n',
      'inv/2-file': '[web]\nf\n[web:vars]\nv=2\n',
    },
    sources: ['inv'],
  },
  'folders: a group that is completed in a later file': {
    files: {
      'inv/a': '[web]\na\n',
      'inv/b.yml': 'prod: {children: {web: }}\n',
      'inv/c': '[web]\nc\n[prod:vars]\nx=1\n',
    },
    sources: ['inv'],
  },

  'several sources: the later one wins': {
    files: { a: '[g]\nh v=1 w=1\n[g:vars]\nx=1\ny=1\n', 'b.yml': 'g: {hosts: {h: {v: 2}, i: }, vars: {x: 2}}\n' },
    sources: ['a', 'b.yml'],
  },
  'several sources: a group of an earlier one gets children': {
    files: { a: '[web]\na\n', b: '[prod:children]\nweb\n[web]\nb\n[prod:vars]\nv=1\n' },
    sources: ['a', 'b'],
  },
  'several sources: group_vars beside each, the later ones over deeper groups': {
    files: {
      'one/hosts': '[top:children]\nleaf\n[leaf]\nh\n',
      'one/group_vars/leaf.yml': 'v: one leaf\nw: one leaf',
      'one/group_vars/all.yml': 'u: one all',
      'two/hosts': '[top]\n',
      'two/group_vars/top.yml': 'v: two top',
      'two/group_vars/all.yml': 'u: two all\nw: two all',
      'two/host_vars/h.yml': 'x: two',
      'one/host_vars/h.yml': 'x: one\ny: one',
    },
    sources: ['one/hosts', 'two/hosts'],
  },
  'several sources: a folder that comes twice': {
    files: {
      'one/a': '[g]\nh\n',
      'one/b': 'i\n',
      'two/c': '[g]\n',
      'one/group_vars/g.yml': 'v: one',
      'two/group_vars/g.yml': 'v: two\nw: two',
    },
    sources: ['one/a', 'two/c', 'one/b'],
  },

  'precedence: all of its steps': {
    files: {
      'inv/hosts': [
        '[parent:children]\nchild\n[child]\nh hi=inv hf=inv hp=inv\n',
        '[all:vars]\nai=inv\naf=inv\nap=inv\nx1=all-inv\nx2=all-inv\nx3=all-inv\n',
        '[parent:vars]\npi=inv\nx1=parent-inv\nx2=parent-inv\nx4=parent-inv\n',
        '[child:vars]\nci=inv\nx1=child-inv\nx4=child-inv\nx5=child-inv\n',
      ].join(''),
      'inv/group_vars/all.yml': 'af: file\nap: file\nx2: all-file\nx4: all-file\nx6: all-file',
      'inv/group_vars/parent.yml': 'x3: parent-file\nx5: parent-file\nx6: parent-file\nx7: parent-file',
      'inv/group_vars/child.yml': 'x5: child-file\nx8: child-file',
      'inv/host_vars/h.yml': 'hf: file\nhp: file\nx9: host-file',
      'play/group_vars/all.yml': 'ap: play\nx6: all-play\nx7: all-play\nx9: all-play',
      'play/group_vars/parent.yml': 'x7: parent-play\nx8: parent-play',
      'play/host_vars/h.yml': 'hp: play',
    },
    sources: ['inv/hosts'],
    playbookDirectory: 'play',
  },
  'precedence: group_vars/all over the inventory of a group': {
    files: { hosts: '[web]\nh\n[web:vars]\nv=web\n', 'group_vars/all': 'v: all' },
    sources: ['hosts'],
  },
  'precedence: one folder for the inventory and the playbook': {
    files: {
      'a/hosts': '[g]\nh\n',
      'b/hosts': '[g]\n',
      'a/group_vars/g.yml': 'v: a',
      'b/group_vars/g.yml': 'v: b\nw: b',
      'a/group_vars/all.yml': 'u: a',
      'b/group_vars/all.yml': 'u: b',
    },
    sources: ['a/hosts', 'b/hosts'],
    playbookDirectory: 'a',
  },
  'precedence: priority and depth in group_vars': {
    files: {
      hosts: '[a]\nh\n[b]\nh\n[a:vars]\nansible_group_priority=5\n',
      'group_vars/a.yml': 'v: a',
      'group_vars/b.yml': 'v: b\nansible_group_priority: 9',
    },
    sources: ['hosts'],
  },
  'variable files: every extension': {
    files: {
      hosts: '[a]\nh\n[b]\nh\n[c]\nh\n[d]\nh\n[e]\nh\n',
      'group_vars/a': 'a: 1',
      'group_vars/b.yml': 'b: 1',
      'group_vars/c.yaml': 'c: 1',
      'group_vars/d.json': '{"d": 1}',
      'group_vars/e.txt': 'e: 1',
      'group_vars/ungrouped.yml': 'u: 1',
    },
    sources: ['hosts'],
  },
  'variable files: the first extension alone': {
    files: {
      hosts: '[a]\nh\n[b]\nh\n',
      'group_vars/a.yml': 'a: yml',
      'group_vars/a.yaml': 'a: yaml\nx: 1',
      'group_vars/b.yaml': 'b: yaml',
      'group_vars/b.json': '{"b": "json", "y": 1}',
      'host_vars/h': 'h: none',
      'host_vars/h.yml': 'h: yml\nz: 1',
    },
    sources: ['hosts'],
  },
  'variable files: folders': {
    files: {
      hosts: '[web]\nh\n',
      'group_vars/web/10.yml': 'v: 10\nw: 10',
      'group_vars/web/02.yml': 'v: 2\nx: 2',
      'group_vars/web/sub/a.yaml': 'v: sub\ns: 1',
      'group_vars/web/sub.d/a.yml': 'd: not read',
      'group_vars/web/.hidden.yml': 'v: hidden',
      'group_vars/web/note.txt': 'v: note',
      'group_vars/web/old.yml~': 'v: old',
      'group_vars/web/plain': 'p: 1',
      'group_vars/web.yml': 'v: beside the folder',
      'host_vars/h/a.json': '{"j": [1, {"k": null}]}',
    },
    sources: ['hosts'],
  },
  'variable files: a folder with an extension': {
    files: { hosts: '[web]\nh\n', 'group_vars/web.yml/a.yml': 'v: 1' },
    sources: ['hosts'],
  },
  'variable files: empty ones, and those of nobody': {
    files: {
      hosts: '[web]\nh\n',
      'group_vars/all.yml': '# nothing yet\n',
      'group_vars/web.yml': '---\n',
      'group_vars/other.yml': '[not read',
      'host_vars/web.yml': 'v: of no host',
    },
    sources: ['hosts'],
  },
  'variable files: hosts with dots, and groups with dashes': {
    files: {
      hosts: '[k8s-nodes]\nn1.example.com\n2001:db8::1\n',
      'group_vars/k8s-nodes.yml': 'g: 1',
      'host_vars/n1.example.com.yml': 'h: 1',
      'host_vars/n1.example.com': 'h: 2',
      'host_vars/2001:db8::1.yml': 'h: 3',
    },
    sources: ['hosts'],
  },
  'variable files: a map replaces a map': {
    files: { hosts: '[web]\nh\n[web:vars]\nm={"a": 1, "b": 1}\n', 'group_vars/web.yml': 'm: {a: 2}' },
    sources: ['hosts'],
  },

  'refused: a child that does not exist': { files: { hosts: 'h\n[a:children]\nb\n' }, sources: ['hosts'] },
  'refused: variables of a group that does not exist': { files: { hosts: 'h\n[a:vars]\nx=1\n' }, sources: ['hosts'] },
  'refused: an unknown kind of section': { files: { hosts: '[a:childs]\nh\n' }, sources: ['hosts'] },
  'refused: a section with a blank': { files: { hosts: '[a b]\nh\n' }, sources: ['hosts'] },
  'refused: a loop of groups': { files: { hosts: '[a:children]\nb\n[b:children]\na\n' }, sources: ['hosts'] },
  'refused: a group in itself': { files: { hosts: 'h\n[a:children]\na\n' }, sources: ['hosts'] },
  'refused: a word that is no assignment': { files: { hosts: 'h x=1 y\n' }, sources: ['hosts'] },
  'refused: a quotation that is not closed': { files: { hosts: "h x='y\n" }, sources: ['hosts'] },
  'refused: a line of :vars that is no assignment': { files: { hosts: '[g]\nh\n[g:vars]\nx\n' }, sources: ['hosts'] },
  'refused: a colon without a port': { files: { 'hosts.ini': 'h: x=1\n' }, sources: ['hosts.ini'] },
  'refused: padding of two lengths': { files: { hosts: 'h[01:100]\n' }, sources: ['hosts'] },
  'refused: a range without an end': { files: { hosts: 'h[1:]\n' }, sources: ['hosts'] },
  'refused: a list of hosts in YAML': { files: { 'hosts.yml': 'all:\n  hosts:\n    - a\n' }, sources: ['hosts.yml'] },
  'refused: hosts with texts for variables': {
    files: { 'hosts.yml': 'all:\n  hosts: {a: b}\n' },
    sources: ['hosts.yml'],
  },
  'refused: a loop in YAML': {
    files: { 'hosts.yml': 'a: {children: {b: {children: {a: }}}}\n' },
    sources: ['hosts.yml'],
  },
  'refused: YAML in a file that says INI': {
    files: { 'hosts.ini': 'all:\n  hosts:\n    h:\n' },
    sources: ['hosts.ini'],
  },
  'refused: a program that fails': { files: { p: '#!/bin/sh\necho "{}"; exit 3\n' }, sources: ['p'] },
  'refused: a program that prints no JSON': { files: { p: '#!/bin/sh\necho "web {}"\n' }, sources: ['p'] },
  'refused: a program that prints a list': { files: { p: "#!/bin/sh\necho '[]'\n" }, sources: ['p'] },
  'refused: a program with hosts that are no list': {
    files: { p: `#!/bin/sh\necho '{"web": {"hosts": "a"}}'\n` },
    sources: ['p'],
  },
  'refused: variables that are a list': { files: { hosts: 'h\n', 'group_vars/all.yml': '- a\n' }, sources: ['hosts'] },
  'refused: a file in a folder that is no inventory': {
    files: { 'inv/a': 'h\n', 'inv/b': 'no inventory at all\n' },
    sources: ['inv'],
  },
};

function ini(texts: Readonly<Record<string, string>>): Record<string, Question> {
  return collect('INI', texts, (text) => ({ files: { hosts: text }, sources: ['hosts'] }));
}

function yaml(texts: Readonly<Record<string, string>>): Record<string, Question> {
  return collect('YAML', texts, (text) => ({ files: { 'hosts.yml': text }, sources: ['hosts.yml'] }));
}

function programs(outputs: Readonly<Record<string, object>>): Record<string, Question> {
  return collect('programs', outputs, (output) => ({ files: { inventory: printing(output) }, sources: ['inventory'] }));
}

/** A program that prints this for every question. */
export function printing(output: object): string {
  return `#!/bin/sh\ncat <<'END'\n${JSON.stringify(output)}\nEND\n`;
}

function collect<T>(kind: string, table: Readonly<Record<string, T>>, ask: (value: T) => Question) {
  return Object.fromEntries(Object.entries(table).map(([title, value]) => [`${kind}: ${title}`, ask(value)]));
}

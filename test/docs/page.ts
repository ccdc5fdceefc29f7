const introduction = `# Runs that can be trusted

What a run promises, and what that looks like. Every transcript here is what the commands said when the tests of this page
ran them; only what differs from run to run (ids, times, folders) is replaced.`;

/** The sections of the page, by the name of the file that each is made of. */
export function readPage(page: string): Map<string, string> {
  const [, ...pieces] = page.split(/^<!-- (\S+) -->\n/m);
  const sections = new Map<string, string>();
  for (let i = 0; i + 1 < pieces.length; i += 2) sections.set(pieces[i] ?? '', (pieces[i + 1] ?? '').trimEnd());
  return sections;
}

/** The page of sections, in the order of their names, with a table of contents. */
export function formatPage(sections: ReadonlyMap<string, string>): string {
  const ordered = [...sections].sort(([a], [b]) => (a < b ? -1 : 1));
  const contents = ordered.map(([, text]) => {
    const title = /^## (.*)$/m.exec(text)?.[1] ?? '';
    return `- [${title}](#${anchor(title)})`;
  });
  const bodies = ordered.map(([id, text]) => `<!-- ${id} -->\n${text}\n`);
  return [introduction, contents.join('\n'), bodies.join('\n')].join('\n\n');
}

/** As GitHub makes it of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

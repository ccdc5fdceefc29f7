import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createResultTable } from '../../../engine/report/audit/result-table.ts';
import { jsonForScript, renderPage } from '../../../engine/report/html/page.ts';
import { type PageData, pageData } from '../../../engine/report/html/page-data.ts';
import { recordedAudit } from '../../browser/recorded-runs.ts';

describe('page of a run', () => {
  it('puts data in the page so that it ends neither its element nor a line, and reads back the same', () => {
    const tricky = fc.constantFrom('</script>', '<!--', ']]>', '\u2028', '\u2029', '&lt;', '{{style}}', '\ud800');
    fc.assert(
      fc.property(fc.array(fc.oneof(tricky, fc.string({ unit: 'binary' }))), (texts) => {
        const json = jsonForScript(texts);
        expect(json).not.to.match(/[<>&\u2028\u2029]/);
        expect(JSON.parse(json)).to.deep.equal(JSON.parse(JSON.stringify(texts)));
      }),
    );
  });

  it('allows the style and the script that are in it, by their digests, and nothing else', () => {
    const html = renderPage(tableOf(3, 15), '1.2.3');
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const digest = (element: string): string => {
      const text = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(html)?.[1] ?? '';
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };
    expect(policy.split('; ')).to.deep.equal([
      "default-src 'none'",
      'img-src data:',
      `script-src ${digest('script')}`,
      `style-src ${digest('style')}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(html).not.to.match(/(src|href)="(?!data:)/);
  });

  it('says each thing once: hosts to which the same happened share a row', () => {
    const data: PageData = pageData(tableOf(1000, 60), '1.2.3');
    expect(data.rows).to.have.length(2);
    expect(data.hosts.filter(({ row }) => row === 0)).to.have.length(400);
    expect(data.changes.filter(({ diff }) => diff)).to.have.length(1);
    expect(JSON.stringify(data).length).to.be.below(120_000);
  });

  it('cuts a diff that no page could show, and says by how much', () => {
    const { on, table } = createResultTable();
    for (const event of recordedAudit({ hosts: 1, tasks: 8, deviations: { 0: 'drifted' } }).events) {
      const [first] = event.type === 'host-task-ended' ? event.changes : [];
      const long = { path: 'content', before: null, after: 'line\n'.repeat(5000) };
      on(event.type === 'host-task-ended' && first ? { ...event, changes: [long] } : event);
    }
    const [change] = pageData(table, '1').changes;
    expect(change?.diff).to.have.length(2001);
    expect(change?.diff?.at(-1)).to.equal('… 3003 more lines');
  });
});

function tableOf(hosts: number, tasks: number) {
  const { on, table } = createResultTable();
  const deviations = Object.fromEntries(
    Array.from({ length: Math.min(hosts, 400) }, (_, i) => [i, 'drifted' as const]),
  );
  for (const event of recordedAudit({ hosts, tasks, deviations }).events) on(event);
  return table;
}

import { expect } from 'chai';
import type { Browser, Page } from 'puppeteer-core';
import { createResultTable } from '../../engine/report/audit/result-table.ts';
import { renderPage } from '../../engine/report/html/page.ts';
import type { EventStream } from '../report/event-stream.ts';
import { ask, describeWithChromium, launchChromium, openHtml } from './chromium.ts';
import { textsWithLowContrast } from './contrast.ts';
import { type Deviations, recordedAudit } from './recorded-runs.ts';

describeWithChromium('the HTML report in Chromium', function () {
  this.timeout(120_000);
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  const three = pageOf(
    recordedAudit({
      hosts: 3,
      tasks: 15,
      deviations: { 0: 'drifted', 1: 'unknown', 2: 'failed' },
      message: 'disk full',
    }),
  );

  describe('of 3 hosts', () => {
    it('shows every host and task with its outcome, and asks nobody for anything', async () => {
      await using opened = await openHtml(browser, three);
      const { page, requests, problems } = opened;
      expect(await texts(page, '.host-name')).to.deep.equal(['n1', 'n2', 'n3']);
      expect(await texts(page, '.task-name')).to.have.length(15);
      expect(await labels(page, '.o-changed')).to.deep.equal([
        'n1, Configure containerd: would change',
        'n1, containerd runs: would change',
      ]);
      expect(await labels(page, '.o-unknown')).to.deep.equal(['n2, containerd runs: unknown']);
      expect(await labels(page, '.o-none'))
        .to.have.length(9)
        .and.to.include('n3, containerd runs: did not come to it');
      expect({ requests, problems }).to.deep.equal({ requests: [], problems: [] });
    });

    it('lets nothing be loaded and no other script run', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      const fetched = await ask<string>(page, "fetch('https://example.com/').then(() => 'loaded', () => 'refused')");
      await ask(
        page,
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' }))",
      );
      expect([fetched, await ask(page, 'window.ran')]).to.deep.equal(['refused', undefined]);
    });

    it('opens the diff of a cell at a click, and closes it again', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      await page.locator('.cell.o-changed').click();
      expect(await text(page, '#details h2')).to.equal('Configure containerd');
      expect(await texts(page, '#details .before, #details .after')).to.deep.equal([
        'registry.k8s.io/pause:3.6',
        'registry.k8s.io/pause:3.9',
      ]);
      expect((await texts(page, '#details .line.added')).map((line) => line.trim())).to.deep.equal([
        '+  SystemdCgroup = true',
        '+  max_concurrent_downloads = 10',
        '+  discard_unpacked_layers = true',
      ]);
      await page.locator('#details .close').click();
      expect(await ask(page, 'details.hidden')).to.equal(true);
    });

    it('is walked with the keys: arrows, Enter, Escape, / and n', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      await page.focus('#matrix');
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'ArrowLeft'] as const) {
        await page.keyboard.press(key);
      }
      expect(await activeLabel(page)).to.equal('n1, The node is ready: ok');
      await page.keyboard.press('n');
      expect(await activeLabel(page)).to.equal('n1, Configure containerd: would change');
      expect(await ask(page, "getComputedStyle(document.querySelector('.is-active span')).boxShadow")).not.to.equal(
        'none',
      );
      await page.keyboard.press('Enter');
      expect(await text(page, '#details h2')).to.equal('Configure containerd');
      await page.keyboard.press('End');
      await page.keyboard.press('PageDown');
      expect(await text(page, '#details .details-host')).to.equal('n3');
      await page.keyboard.press('Escape');
      expect(await ask(page, '[details.hidden, document.activeElement.id]')).to.deep.equal([true, 'matrix']);
      await page.keyboard.press('/');
      expect(await ask(page, 'document.activeElement.id')).to.equal('filter-hosts');
      await page.keyboard.type('/n2');
      expect(await ask(page, 'document.activeElement.value')).to.equal('/n2');
      await page.keyboard.press('Escape');
      expect(await ask(page, 'document.activeElement.id')).to.equal('matrix');
    });

    it('is a grid to those who hear it: rows, columns, headers, one active cell', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      const roles = await ask<Record<string, number>>(
        page,
        "Object.fromEntries(['row', 'rowheader', 'columnheader', 'gridcell'].map((role) => [role, matrix.querySelectorAll(`[role=${role}]`).length]))",
      );
      expect(roles).to.deep.equal({ row: 4, rowheader: 3, columnheader: 16, gridcell: 45 });
      const counts = "[matrix.getAttribute('aria-rowcount'), matrix.getAttribute('aria-colcount')]";
      expect(await ask(page, counts)).to.deep.equal(['4', '16']);
      expect(await activeLabel(page)).to.equal('n1, Gather facts: ok');
    });

    it('filters by outcome, host, task, state and difference', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      const shown = () => text(page, '#shown');
      await page.locator('[data-outcome=unknown]').click();
      expect(await shown()).to.equal('1 of 3 hosts, 1 of 15 tasks');
      await page.locator('#reset').click();
      await page.waitForFunction('document.querySelectorAll(".row").length === 3');
      await page.locator('#filter-differences').click();
      expect(await shown()).to.equal('3 of 3 hosts, 3 of 15 tasks');
      await page.type('#filter-hosts', '!n1');
      expect(await shown()).to.equal('2 of 3 hosts, 2 of 15 tasks');
      await page.locator('#reset').click();
      await page.waitForFunction('document.querySelectorAll(".row").length === 3');
      await page.type('#filter-tasks', 'kubelet systemd');
      expect(await texts(page, '.task-name')).to.deep.equal(['crictl.yaml', 'Docker is stopped']);
      await page.type('#filter-tasks', ' nothing');
      expect(await text(page, '#matrix .empty')).to.equal('Nothing fits these filters.');
      await page.locator('#reset').click();
      await page.waitForFunction('document.querySelectorAll(".row").length === 3');
      await page.locator('[data-standing=failed]').click();
      expect(await texts(page, '.host-name')).to.deep.equal(['n3']);
    });

    it('lists the findings by task, and every host with its standing', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      await page.locator('#tab-findings').click();
      expect(await texts(page, '.task h2')).to.deep.equal([
        'Packages of the runtime',
        'Configure containerd',
        'containerd runs',
      ]);
      expect(await text(page, '#panel-findings .message')).to.equal('disk full');
      await page.keyboard.press('ArrowRight');
      expect(await texts(page, '.hosts tbody .badge')).to.deep.equal(['failed', 'would change', 'unknown']);
      await page.locator('#tab-findings').click();
      await page.locator('.finding .button').click();
      expect(await ask(page, '[document.activeElement.id, details.hidden]')).to.deep.equal(['matrix', false]);
    });

    for (const scheme of ['light', 'dark'] as const) {
      it(`can be read in the ${scheme}: every text stands out by 4.5 to 1`, async () => {
        await using opened = await openHtml(browser, three);
        const { page } = opened;
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        const isDark = "getComputedStyle(document.body).backgroundColor === 'rgb(15, 19, 23)'";
        expect(await ask(page, isDark)).to.equal(scheme === 'dark');
        await page.locator('.cell.o-changed').click();
        expect(await textsWithLowContrast(page)).to.deep.equal([]);
        await page.locator('.cell.o-failed').click();
        expect(await textsWithLowContrast(page)).to.deep.equal([]);
        for (const tab of ['findings', 'hosts']) {
          await page.locator(`#tab-${tab}`).click();
          expect(await textsWithLowContrast(page), tab).to.deep.equal([]);
        }
        // The button overrules what the system says.
        const other = scheme === 'light' ? 'dark' : 'light';
        while ((await text(page, '#theme')) !== `Theme: ${other}`) await page.locator('#theme').click();
        expect(await ask(page, isDark)).to.equal(other === 'dark');
      });
    }

    it('fits a phone: nothing is cut off at the side', async () => {
      await using opened = await openHtml(browser, three);
      const { page } = opened;
      await page.setViewport({ width: 360, height: 720 });
      for (const tab of ['findings', 'matrix']) {
        await page.locator(`#tab-${tab}`).click();
        expect(await ask(page, 'document.documentElement.scrollWidth'), tab).to.be.at.most(360);
      }
      await page.locator('.cell.o-changed').click();
      expect(await ask(page, 'details.getBoundingClientRect().width')).to.equal(360);
    });
  });

  it('takes what hosts write for text, whatever it looks like', async () => {
    const evil =
      '</script><script>alert(1)</script><img src=x onerror=alert(2)><style>*{display:none}</style>\u2028{{data}}$&';
    const html = pageOf(
      recordedAudit({
        hosts: 3,
        tasks: 15,
        deviations: { 0: 'drifted', 2: 'failed' },
        nameOf: (i) => `<b onmouseover=alert(3)>${i}</b>`,
        message: evil,
      }),
    );
    await using opened = await openHtml(browser, html);
    const { page, problems } = opened;
    await page.locator('.cell.o-failed').click();
    expect(await text(page, '#details .message')).to.equal(evil.replace('\u2028', '\\u2028'));
    expect(await texts(page, '.host-name')).to.include('<b onmouseover=alert(3)>0</b>');
    for (const tab of ['findings', 'hosts']) await page.locator(`#tab-${tab}`).click();
    const elements = "document.querySelectorAll('img, b, script:not([type]), style').length";
    expect(await ask(page, elements)).to.equal(2);
    expect(problems).to.deep.equal([]);
  });

  describe('of 1,000 hosts and 60 tasks', () => {
    const deviations: Record<number, Deviations[number]> = { 500: 'failed', 501: 'unreachable', 700: 'unknown' };
    for (let i = 0; i < 41; i++) deviations[i] = 'drifted';
    const html = pageOf(recordedAudit({ hosts: 1000, tasks: 60, deviations }));

    it('keeps what is in the document small, wherever one scrolls to', async () => {
      await using opened = await openHtml(browser, html);
      const { page, problems } = opened;
      expect(html.length).to.be.below(400_000);
      const nodes = (): Promise<number> => ask(page, "document.querySelectorAll('*').length");
      expect(await nodes()).to.be.below(5000);
      await ask(page, 'matrix.scrollTo(100000, 1000000)');
      await page.waitForSelector('#cell-999-59');
      expect(await nodes()).to.be.below(5000);
      await page.focus('#matrix');
      await page.keyboard.down('Control');
      await page.keyboard.press('Home');
      await page.keyboard.up('Control');
      await page.waitForSelector('#cell-0-0');
      expect(await activeLabel(page)).to.equal('n0001, Gather facts: ok');
      for (const tab of ['findings', 'hosts']) await page.locator(`#tab-${tab}`).click();
      expect(await nodes()).to.be.below(8000);
      expect(problems).to.deep.equal([]);
    });

    it('finds the hosts that differ, and those of a range', async () => {
      await using opened = await openHtml(browser, html);
      const { page } = opened;
      await page.locator('#filter-differences').click();
      expect(await text(page, '#shown')).to.equal('44 of 1,000 hosts, 4 of 60 tasks');
      await page.type('#filter-hosts', 'n[0040:0502]');
      expect(await text(page, '#shown')).to.equal('4 of 1,000 hosts, 4 of 60 tasks');
      await page.locator('#tab-findings').click();
      expect(await texts(page, '.finding-count')).to.deep.equal(['1 host', '1 host', '41 hosts', '41 hosts']);
      expect(await texts(page, '.finding .names')).to.include('n[0001:0041]');
    });

    it('reaches the next difference over hundreds of hosts with one key', async () => {
      await using opened = await openHtml(browser, html);
      const { page } = opened;
      await page.type('#filter-hosts', '!n[0001:0041]');
      await page.focus('#matrix');
      await page.keyboard.press('n');
      expect(await activeLabel(page)).to.equal('n0501, Packages of the runtime: failed');
    });
  });
});

function pageOf({ events }: EventStream): string {
  const { on, table } = createResultTable();
  for (const event of events) on(event);
  return renderPage(table, '1.2.3');
}

function texts(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map((element) => element.textContent ?? ''));
}

async function text(page: Page, selector: string): Promise<string | undefined> {
  return (await texts(page, selector))[0];
}

function labels(page: Page, selector: string): Promise<(string | null)[]> {
  return page.$$eval(`[role=gridcell]${selector}`, (found) =>
    found.map((element) => element.getAttribute('aria-label')),
  );
}

/** The name of the cell that has the focus, as a screen reader finds it. */
function activeLabel(page: Page): Promise<string> {
  return ask(page, "document.getElementById(matrix.getAttribute('aria-activedescendant')).getAttribute('aria-label')");
}

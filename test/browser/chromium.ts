import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find(isExecutable);

/**
 * A suite that needs Chromium. Without one it is skipped and says so; where CI_REQUIRE_CHROMIUM=1 is set it fails, so that
 * no machine which is to look at pages forgets to.
 */
export function describeWithChromium(title: string, body: (this: Mocha.Suite) => void): void {
  if (program !== undefined) describe(title, body);
  else if (process.env.CI_REQUIRE_CHROMIUM === '1') {
    describe(title, () => {
      it('needs chromium', () => {
        throw new Error('CI_REQUIRE_CHROMIUM=1 is set, and there is no chromium on the PATH');
      });
    });
  } else describe.skip(`${title} (skipped: there is no chromium on the PATH)`, body);
}

/** Starts a browser without a window. */
export function launchChromium(): Promise<Browser> {
  // The sandbox needs a user who is not root, or user namespaces; the pages here are our own.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  return puppeteer.launch({ executablePath: program ?? '', args, protocolTimeout: 120_000 });
}

/** A page from a file, and what it did besides being shown. */
export interface OpenPage {
  readonly page: Page;
  /** Whatever was asked of anybody but the file itself. */
  readonly requests: readonly string[];
  /** Errors of the script, and what the browser says of broken policies. */
  readonly problems: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Shows HTML from a file, as somebody would who got it by mail. */
export async function openHtml(browser: Browser, html: string): Promise<OpenPage> {
  const folder = await mkdtemp(join(tmpdir(), 'runbook-page-'));
  const file = join(folder, 'report.html');
  await writeFile(file, html);
  const url = pathToFileURL(file).href;
  const page = await browser.newPage();
  const requests: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) requests.push(request.url());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('dialog', (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => problems.push(message.text()));
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(url);
  return {
    page,
    requests,
    problems,
    async [Symbol.asyncDispose]() {
      await page.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** What an expression is in the page. */
export async function ask<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

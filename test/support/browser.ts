import process from 'node:process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { PASSWORD } from './hub.js';

/** Debian's. Another one can be named. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** What takes longer on a page will not happen. */
const PAGE_ANSWERS_WITHIN_MS = 15_000;

/** Somebody with a browser of their own, and everything that it complains about. */
export class Visitor {
  private constructor(
    readonly page: Page,
    readonly url: string,
    readonly complaints: string[],
  ) {}

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PAGE_ANSWERS_WITHIN_MS);
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // A hub that was killed is complained about by the browser itself; what it says of the policy is a fault of ours.
      if (/Content.Security|Refused to/i.test(message.text())) complaints.push(message.text());
    });
    const visitor = new Visitor(page, url, complaints);
    await visitor.go();
    return visitor;
  }

  /** Goes to a place of the pages without loading them anew, as a link does. */
  async go(place = ''): Promise<void> {
    await this.page.goto(`${this.url}/#/${place}`);
  }

  /** Registers through the form, in either language. */
  async register(userId: string): Promise<void> {
    await this.go('enter');
    await this.page.locator('.enter .link').click();
    await this.page.locator('input[name=userId]').fill(userId);
    await this.page.locator('input[name=password]').fill(PASSWORD);
    await this.page.locator('.enter button[type=submit]').click();
    await this.isLive();
  }

  /** Comes as somebody who has logged in here before. */
  async comeAs({ userId, token }: { userId: string; token: string }): Promise<void> {
    const session = JSON.stringify({ userId, token });
    await this.page.evaluate(`localStorage.setItem('order-hub:session', ${JSON.stringify(session)})`);
    await this.page.reload();
    await this.isLive();
  }

  async openStore(storeId: string): Promise<void> {
    await this.go('panel');
    await this.page.locator('input[name=storeId]').fill(storeId);
    await this.page.locator('.enter button[type=submit]').click();
    await this.page.getByRole('heading', { name: storeId }).waitFor();
  }

  /** Fills the shelf from a file, as a seller with many books does. */
  async importBooks(csv: string): Promise<void> {
    await this.go('panel/import');
    const file = { name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) };
    await this.page.locator('input[type=file]').setInputFiles(file);
    await this.page.locator('.import .actions button').click();
  }

  async topUp(amount: string): Promise<void> {
    await this.go('wallet');
    await this.page.locator('input[name=amount]').fill(amount);
    await this.page.locator('button[value=deposit]').click();
    await this.page.locator('.entries tbody tr').waitFor();
  }

  /** Waits until the page says that it is up to date. */
  async isLive(): Promise<void> {
    await this.page.locator('.line-state[data-state=live]').waitFor();
  }
}

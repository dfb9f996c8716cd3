import process from 'node:process';
import { afterAll, beforeAll } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Config } from '../../src/config.js';
import { PASSWORD, TestHub } from './hub.js';
import { HubProcess } from './hub.process.js';
import { createTestDatabase, type TestDatabase } from './test.database.js';

/** Debian's Chromium by default. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

/** Three request timeouts of a page. */
const PAGE_ANSWERS_WITHIN_MS = 30_000;

/** A user with a separate browser context, and the page errors seen in it. */
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
      // The browser logs failed requests to a killed hub; only CSP violations are our fault.
      if (/Content.Security|Refused to/i.test(message.text())) complaints.push(message.text());
    });
    const visitor = new Visitor(page, url, complaints);
    await visitor.go();
    return visitor;
  }

  /** Navigates to a hash route, without a page load. */
  async go(place = ''): Promise<void> {
    await this.page.goto(`${this.url}/#/${place}`);
  }

  /** Registers through the form, in any language. */
  async register(userId: string): Promise<void> {
    await this.go('login');
    await this.page.locator('.login .link').click();
    await this.page.locator('input[name=userId]').fill(userId);
    await this.page.locator('input[name=password]').fill(PASSWORD);
    await this.page.locator('.login button[type=submit]').click();
    await this.isLive();
  }

  /** Restores a stored session, as a returning user would. */
  async comeAs({ userId, token }: { userId: string; token: string }): Promise<void> {
    const session = JSON.stringify({ userId, token });
    await this.page.evaluate(`localStorage.setItem('order-hub:session', ${JSON.stringify(session)})`);
    await this.page.reload();
    await this.isLive();
  }

  async openStore(storeId: string): Promise<void> {
    await this.go('panel');
    await this.page.locator('input[name=storeId]').fill(storeId);
    await this.page.locator('.open-store button[type=submit]').click();
    await this.page.getByRole('heading', { name: storeId }).waitFor();
  }

  /** Imports books from a CSV file. */
  async importBooks(csv: string): Promise<void> {
    await this.go('panel/import');
    const file = { name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) };
    await this.page.locator('input[type=file]').setInputFiles(file);
    await this.page.locator('.import button.start').click();
  }

  async topUp(amount: string): Promise<void> {
    await this.go('wallet');
    await this.page.locator('input[name=amount]').fill(amount);
    await this.page.locator('button[value=deposit]').click();
    await this.page.locator('.entries tbody tr').waitFor();
  }

  /** Waits until the page shows a live connection. */
  async isLive(): Promise<void> {
    await this.page.locator('.connection-status[data-state=live]').waitFor();
  }
}

interface BrowserFixture<Hub> {
  readonly hub: Hub;
  /** Opens a page in a new browser context, at the hub's URL by default. */
  visit(options?: BrowserContextOptions & { url?: string }): Promise<Visitor>;
}

/** A hub and a browser for one test file. */
export function hubAndBrowser(
  seed: (hub: TestHub) => Promise<void> = async () => {},
  settings: Partial<Config> = {},
): BrowserFixture<TestHub> {
  return fixtureOf(async () => {
    const hub = await TestHub.start(settings);
    await seed(hub);
    return { hub, stop: () => hub.stop() };
  });
}

/** The same with the hub in a separate process, which can be killed and restarted on its port. */
export function hubProcessAndBrowser(
  variables: Record<string, string> = {},
): BrowserFixture<HubProcess> & { startAgain(): Promise<void> } {
  let database: TestDatabase;
  let hub: HubProcess;
  const fixture = fixtureOf(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, variables);
    const stop = async () => {
      await hub.kill();
      await database.drop();
    };
    return { hub, stop };
  });
  return {
    get hub() {
      return hub;
    },
    visit: (options) => fixture.visit(options),
    async startAgain() {
      hub = await HubProcess.start(database, variables, { port: Number(new URL(hub.url).port) });
    },
  };
}

/** Launches Chromium. The caller closes it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

function fixtureOf<Hub extends { url: string }>(
  start: () => Promise<{ hub: Hub; stop: () => Promise<void> }>,
): BrowserFixture<Hub> {
  let browser: Browser;
  let started: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    started = await start();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await started?.stop();
  });
  return {
    get hub() {
      return started.hub;
    },
    visit: ({ url = started.hub.url, ...options } = {}) => Visitor.open(browser, url, options),
  };
}

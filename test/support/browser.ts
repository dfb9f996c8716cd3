import process from 'node:process';
import { afterAll, beforeAll } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { PASSWORD, TestHub } from './hub.js';
import { HubProcess } from './hub.process.js';
import { createTestDatabase, type TestDatabase } from './test.database.js';

/** Debian's. Another one can be named. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

/** What takes longer on a page will not happen: by then it has asked the hub more than three times. */
const PAGE_ANSWERS_WITHIN_MS = 30_000;

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

interface Stage<Hub> {
  readonly hub: Hub;
  /** Opens a page of somebody else each time, on the hub's own address unless told. */
  visit(options?: BrowserContextOptions & { url?: string }): Promise<Visitor>;
}

/** A hub and a browser for the tests of a file, which end with them. */
export function hubAndBrowser(furnish: (hub: TestHub) => Promise<void> = async () => {}): Stage<TestHub> {
  return stageOf(async () => {
    const hub = await TestHub.start();
    await furnish(hub);
    return { hub, stop: () => hub.stop() };
  });
}

/** The same with a hub as its users have it: a process of its own, that can be killed and started again where it was. */
export function hubProcessAndBrowser(): Stage<HubProcess> & { startAgain(): Promise<void> } {
  let database: TestDatabase;
  let hub: HubProcess;
  const stage = stageOf(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database);
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
    visit: (options) => stage.visit(options),
    async startAgain() {
      hub = await HubProcess.start(database, {}, { port: Number(new URL(hub.url).port) });
    },
  };
}

/** Debian's Chromium. The caller closes it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

function stageOf<Hub extends { url: string }>(
  start: () => Promise<{ hub: Hub; stop: () => Promise<void> }>,
): Stage<Hub> {
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

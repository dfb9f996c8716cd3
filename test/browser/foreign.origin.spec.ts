import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

/** A web server of somebody else, with a page that does nothing by itself. */
async function otherSite(): Promise<{ url: string; server: Server }> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>other</p>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** What a script of the page may try, with a token that it has come by. Each gives what became of it. */
function attempt(page: Page, hubUrl: string, token: string): Promise<Record<string, string>> {
  const script = `(async () => {
    const hub = ${JSON.stringify(hubUrl)};
    const headers = { authorization: 'Bearer ' + ${JSON.stringify(token)} };
    const outcome = (work) => work.then((value) => 'read: ' + value, () => 'kept out');
    const socket = new Promise((resolve, reject) => {
      const line = new WebSocket(hub.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket');
      line.onmessage = ({ data }) => resolve(data);
      line.onerror = line.onclose = reject;
    });
    const script = new Promise((resolve, reject) => {
      globalThis.___eio = [resolve];
      const tag = document.createElement('script');
      tag.onerror = reject;
      tag.onload = () => reject();
      tag.src = hub + '/socket.io/?EIO=4&transport=polling&j=0';
      document.body.append(tag);
    });
    const text = (path, options) => fetch(hub + path, options).then((response) => response.text());
    return {
      socket: await outcome(socket),
      polling: await outcome(text('/socket.io/?EIO=4&transport=polling')),
      script: await outcome(script),
      open: await outcome(text('/books')),
      wallet: await outcome(text('/wallet', { headers })),
      deposit: await outcome(text('/wallet/deposits', {
        method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"amount":5}',
      })),
      withCookies: await outcome(text('/wallet', { credentials: 'include' })),
    };
  })()`;
  return page.evaluate(script) as Promise<Record<string, string>>;
}

describe('a page of another origin, in a browser,', () => {
  let site: Awaited<ReturnType<typeof otherSite>>;
  let browser: Browser;
  beforeAll(async () => {
    site = await otherSite();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    site.server.close();
  });

  async function attemptsOn(hub: TestHub): Promise<{ outcomes: Record<string, string>; person: Person }> {
    const person = await hub.person();
    const page = await browser.newPage();
    await page.goto(site.url);
    const outcomes = await attempt(page, hub.url, person.token);
    await page.close();
    return { outcomes, person };
  }

  test('reads nothing and changes nothing, even with a token: no socket, no polling, no script, no request', async () => {
    const hub = await TestHub.start();
    const { outcomes, person } = await attemptsOn(hub);
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['kept out']));
    expect(await person.balance()).toBe(0);
    await hub.stop();
  });

  test('can do what the hub lets it when its origin is listed, and still nothing by a script tag or by cookies', async () => {
    const hub = await TestHub.start({ allowedOrigins: [site.url] });
    const { outcomes, person } = await attemptsOn(hub);
    const kept = Object.keys(outcomes).filter((name) => outcomes[name] === 'kept out');
    expect(kept.sort()).toEqual(['script', 'withCookies']);
    expect(await person.balance()).toBe(5);
    await hub.stop();
  });
});

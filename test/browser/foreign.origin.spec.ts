import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

/** A web server of another origin with an empty page. */
async function foreignSite(): Promise<{ url: string; server: Server }> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>other</p>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** What a script of the page can try with a stolen token; each attempt returns its outcome. */
function attempt(page: Page, hubUrl: string, token: string): Promise<Record<string, string>> {
  const script = `(async () => {
    const hub = ${JSON.stringify(hubUrl)};
    const headers = { authorization: 'Bearer ' + ${JSON.stringify(token)} };
    const outcome = (work) => work.then((value) => 'read: ' + value, () => 'blocked');
    const socket = new Promise((resolve, reject) => {
      const webSocket = new WebSocket(hub.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket');
      webSocket.onmessage = ({ data }) => resolve(data);
      webSocket.onerror = webSocket.onclose = reject;
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

describe('a page of another origin', () => {
  let site: Awaited<ReturnType<typeof foreignSite>>;
  let browser: Browser;
  beforeAll(async () => {
    site = await foreignSite();
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

  test('can neither read nor change anything, even with a token', async () => {
    const hub = await TestHub.start();
    const { outcomes, person } = await attemptsOn(hub);
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['blocked']));
    expect(await person.balance()).toBe(0);
    await hub.stop();
  });

  test('can use the hub when its origin is allowed, except by script tag or cookies', async () => {
    const hub = await TestHub.start({ allowedOrigins: [site.url] });
    const { outcomes, person } = await attemptsOn(hub);
    const blocked = Object.keys(outcomes).filter((name) => outcomes[name] === 'blocked');
    expect(blocked.sort()).toEqual(['script', 'withCookies']);
    expect(await person.balance()).toBe(5);
    await hub.stop();
  });
});

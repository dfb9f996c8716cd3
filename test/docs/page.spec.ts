import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { errorTypes } from '../../src/contract/errors.js';
import type { RouteRow } from '../../src/contract/row.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { html, json, phrase } from '../../src/docs/markup.js';
import { TestHub } from '../support/hub.js';

describe('the API documentation page', () => {
  let hub: TestHub;
  let policy: string;
  let page: string;

  beforeAll(async () => {
    hub = await TestHub.start();
    const answer = await fetch(`${hub.url}/docs`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    policy = answer.headers.get('content-security-policy') ?? '';
    page = await answer.text();
  });
  afterAll(() => hub.stop());

  const matches = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found = '']) => found);

  test('loads nothing, and allows its own style and script, and requests to its own hub, only', () => {
    const [style = ''] = matches(/<style>(.*?)<\/style>/gs);
    const [script = ''] = matches(/<script>(.*?)<\/script>/gs);
    const hash = (content: string) => createHash('sha256').update(content).digest('base64');
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `script-src 'sha256-${hash(script)}'`,
      `style-src 'sha256-${hash(style)}'`,
    ]);
    expect(page.match(/<script\b/g)).toHaveLength(1);
    expect(page).not.toMatch(/<(link|img|iframe|form)\b|\sstyle=|\son\w+=|@import|url\(/);
  });

  test('links only to its own anchors and, relatively, to the two documents', () => {
    const ids = matches(/ id="([^"]+)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const links = matches(/ href="([^"]+)"/g);
    const anchors = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(anchors.filter((anchor) => !ids.includes(anchor))).toEqual([]);
    expect(links.filter((link) => !link.startsWith('#'))).toEqual(['openapi.json', 'asyncapi.json']);
  });

  test('has an anchor for every route, message, push and error, linked from its contents', () => {
    const contents = page.slice(page.indexOf('<nav'), page.indexOf('</nav>'));
    const anchors = [
      ...Object.keys(routes).map((name) => `route-${name}`),
      ...[...Object.keys(messages), ...Object.keys(pushes)].map((name) => `message-${name.replace(':', '.')}`),
    ];
    for (const anchor of anchors) {
      expect(page).toContain(`id="${anchor}"`);
      expect(contents).toContain(`href="#${anchor}"`);
    }
    for (const code of Object.keys(errorTypes)) expect(page).toContain(`id="refusal-${code}"`);
  });

  test('shows the limits and descriptions of the contract', () => {
    const text = unescaped(page.replace(/<script>.*<\/script>/s, '').replace(/<[^>]+>/g, ''));
    for (const limit of ['string, 1 to 64 characters', 'array of 1 to 100', 'integer, 1 to 1,000,000']) {
      expect(text).toContain(limit);
    }
    expect(text).toContain('Any user except the store’s owner.');
    expect(text).not.toMatch(/undefined|\[object|NaN|`|\*\*/);
  });

  const articleOf = (id: string) => {
    const start = page.indexOf(`<article id="${id}"`);
    return unescaped(page.slice(start, page.indexOf('</article>', start)));
  };

  test.each(Object.entries<RouteRow>(routes).filter(([, { data, mediaType }]) => data && !mediaType))(
    'shows the whole answer of %s, as its shape says',
    (name, { data }) => {
      const [, answer = ''] = /<figure class="answer">.*?<code>(.*?)<\/code>/s.exec(articleOf(`route-${name}`)) ?? [];
      expect(() => data?.parse(JSON.parse(answer.replace(/<\/?[bi]>/g, '')))).not.toThrow();
    },
  );

  test('shows every route and message with the client library, curl and Python', () => {
    const place = articleOf('message-order.place');
    expect(place).toContain("<code>await hub.place({ storeId: 'corner-books', items: [");
    expect(place).toContain('<code>curl "$HUB/orders" -H "Authorization: Bearer $TOKEN"');
    expect(place).toContain("<code>hub.call('order:place', storeId='corner-books', items=[{'bookId':");
    expect(articleOf('route-storeBooks')).toContain(
      "<code>await api.call('storeBooks', { q: '三体', limit: 20, storeId: 'corner-books' });",
    );
    for (const name of Object.keys(routes))
      expect(articleOf(`route-${name}`)).toContain('Samples: Client library, curl, Python');
    // The route of `order:seen` is about one order.
    for (const name of Object.keys(messages).filter((other) => other !== 'order:seen'))
      expect(articleOf(`message-${name.replace(':', '.')}`)).toContain('Samples: Client library, curl, Python');
  });

  test('escapes markup', () => {
    const markup = '<b onclick="x">&\'';
    const escaped = '&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;';
    expect(html`<p>${markup}</p>`.text).toBe(`<p>${escaped}</p>`);
    expect(html`${phrase(`\`${markup}\``)}`.text).toBe(`<code>${escaped}</code>`);
    expect(html`${json({ [markup]: markup })}`.text).not.toContain('<b onclick');
  });
});

function unescaped(markup: string): string {
  return markup.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

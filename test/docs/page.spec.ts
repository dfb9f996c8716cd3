import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { errorTypes } from '../../src/contract/errors.js';
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

  test('loads nothing, runs nothing, and only allows its own style', () => {
    const [style = ''] = matches(/<style>(.*?)<\/style>/gs);
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `style-src 'sha256-${hash}'`,
    ]);
    expect(page).not.toMatch(/<(script|link|img|iframe|form)\b|\sstyle=|\son\w+=|@import|url\(/);
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
    const text = page.replace(/<[^>]+>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    for (const limit of ['string, 1 to 64 characters', 'array of 1 to 100', 'integer, 1 to 1,000,000']) {
      expect(text).toContain(limit);
    }
    expect(text).toContain('Any user except the store’s owner.');
    expect(text).not.toMatch(/undefined|\[object|NaN|`|\*\*/);
  });

  test('escapes markup', () => {
    const markup = '<b onclick="x">&\'';
    const escaped = '&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;';
    expect(html`<p>${markup}</p>`.text).toBe(`<p>${escaped}</p>`);
    expect(html`${phrase(`\`${markup}\``)}`.text).toBe(`<code>${escaped}</code>`);
    expect(html`${json({ [markup]: markup })}`.text).not.toContain('<b onclick');
  });
});

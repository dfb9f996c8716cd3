import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { refusals } from '../../src/contract/errors.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { html, json, phrase } from '../../src/docs/markup.js';
import { TestHub } from '../support/hub.js';

describe('the page of the API documents', () => {
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

  const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found = '']) => found);

  test('loads nothing, runs nothing, and may wear no style but its own', () => {
    const [style = ''] = all(/<style>(.*?)<\/style>/gs);
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

  test('leads to its own places and to the two documents beside it, wherever it is served', () => {
    const ids = all(/ id="([^"]+)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const links = all(/ href="([^"]+)"/g);
    const places = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(places.filter((place) => !ids.includes(place))).toEqual([]);
    expect(links.filter((link) => !link.startsWith('#'))).toEqual(['openapi.json', 'asyncapi.json']);
  });

  test('has a place for every route, message, push and refusal, and its contents lead there', () => {
    const contents = page.slice(page.indexOf('<nav'), page.indexOf('</nav>'));
    const places = [
      ...Object.keys(routes).map((name) => `route-${name}`),
      ...[...Object.keys(messages), ...Object.keys(pushes)].map((name) => `message-${name.replace(':', '.')}`),
    ];
    for (const place of places) {
      expect(page).toContain(`id="${place}"`);
      expect(contents).toContain(`href="#${place}"`);
    }
    for (const code of Object.keys(refusals)) expect(page).toContain(`id="refusal-${code}"`);
  });

  test('shows limits and meanings as the contract has them', () => {
    const text = page.replace(/<[^>]+>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    for (const said of ['text, 1 to 64 characters', 'list of 1 to 100', 'whole number, 1 to 1,000,000']) {
      expect(text).toContain(said);
    }
    expect(text).toContain('Anybody but the store’s owner.');
    expect(text).not.toMatch(/undefined|\[object|NaN|`|\*\*/);
  });

  test('takes nothing that is put into it for markup', () => {
    const bad = '<b onclick="x">&\'';
    const escaped = '&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;';
    expect(html`<p>${bad}</p>`.text).toBe(`<p>${escaped}</p>`);
    expect(html`${phrase(`\`${bad}\``)}`.text).toBe(`<code>${escaped}</code>`);
    expect(html`${json({ [bad]: bad })}`.text).not.toContain('<b onclick');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PASSWORD, TestHub } from '../support/hub.js';
import { prepare } from '../support/hub.process.js';

const LINES_MAX = 25;
const [, section = ''] = /\n(## The client library\n.*?)\n## /s.exec(readFileSync('README.md', 'utf8')) ?? [];

let hub: TestHub;
beforeAll(async () => {
  prepare();
  hub = await TestHub.start();
});
afterAll(() => hub.stop());

/** Runs the README's code as it is written, with its free names given, and returns what it shows and prints. */
async function runSection(given: Record<string, string>): Promise<string> {
  const [, code = ''] = /```js\n(.*?)```/s.exec(section) ?? [];
  const names = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
  const show = "const show = ({ status }) => console.log('heard', status);\n";
  const child = spawn(process.execPath, ['--input-type=module', '-e', [...names, show, code].join('')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    // The connection would stay open.
    if (/paid|OUT_OF_STOCK/.test(printed)) child.kill();
  });
  await once(child, 'close');
  return printed;
}

test('the README’s client part is short, and its code places and pays an order, or says why not', async () => {
  expect(section.trimEnd().split('\n').length).toBeLessThanOrEqual(LINES_MAX);
  const { storeId } = await hub.seller([{ bookId: 'three-body', price: 2_300, stock: 3 }]);
  const buyer = await hub.register('lin');
  await buyer.deposit(10_000);
  const given = { url: hub.url, userId: 'lin', password: PASSWORD, storeId, bookId: 'three-body' };
  expect(await runSection(given)).toBe('heard placed\nheard paid\n');
  expect(await runSection(given)).toMatch(/^OUT_OF_STOCK .+ \{ bookId: 'three-body', wanted: 2, available: 1 \}\n$/);
}, 60_000);

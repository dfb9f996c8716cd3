import { type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

interface Sent {
  path: string;
  body?: string;
  token?: string | undefined;
  headers?: Record<string, string>;
}
interface Received {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: unknown;
}

describe('a command over HTTP', () => {
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    buyer = await hub.buyer();
    seller = await hub.seller();
  });
  afterAll(() => hub.stop());

  /** With its length it is served directly, in chunks by Express. */
  function send({ path, body = '', token = buyer.token, headers = {} }: Sent, isChunked: boolean): Promise<Received> {
    const all = {
      'Content-Type': 'application/json',
      ...(isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      'X-Request-Id': 'same',
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${hub.url}${path}`, { method: 'POST', headers: all }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(text) }),
        );
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  async function bothWays(sent: Sent): Promise<Received> {
    const [direct, chunked] = [await send(sent, false), await send(sent, true)];
    for (const { headers } of [direct, chunked]) {
      for (const name of ['date', 'retry-after']) delete headers[name];
    }
    expect(direct).toEqual(chunked);
    return direct;
  }
  const place = (fields: object) =>
    JSON.stringify({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], ...fields });

  test('gets the same answer and headers whichever way it is served', async () => {
    await send({ path: '/orders', body: place({ key: 'k' }) }, false);
    const placed = await bothWays({ path: '/orders', body: place({ key: 'k' }) });
    expect([placed.status, placed.headers['idempotency-replayed']]).toEqual([201, 'true']);
    const { orderId } = placed.body as { orderId: string };
    const headers = { 'Idempotency-Key': 'p' };
    await send({ path: `/orders/${orderId}/pay`, headers }, false);
    const paid = await bothWays({ path: `/orders/${orderId}/pay`, headers, body: '{}' });
    expect([paid.status, paid.headers['event-seq']]).toEqual([200, '2']);
  });

  test.each<[string, number, () => Sent]>([
    ['an unfinished text', 400, () => ({ path: '/orders', body: '{' })],
    ['a number', 400, () => ({ path: '/orders', body: '7' })],
    ['a list', 400, () => ({ path: '/orders', body: '[]' })],
    [
      'deep nesting',
      400,
      () => ({ path: '/orders', body: place({ deep: JSON.parse('['.repeat(40) + ']'.repeat(40)) }) }),
    ],
    ['an unlisted field', 400, () => ({ path: '/orders', body: place({ extra: 1 }) })],
    ['an unlisted query parameter', 400, () => ({ path: '/orders?extra=1', body: place({}) })],
    ['two keys', 400, () => ({ path: '/orders', body: place({ key: 'a' }), headers: { 'Idempotency-Key': 'b' } })],
    ['no token', 401, () => ({ path: '/orders', body: place({}), token: '' })],
    ['a bad token', 401, () => ({ path: '/wallet/deposits', body: '{"amount":1}', token: 'x'.repeat(43) })],
    ['an unknown order', 404, () => ({ path: '/orders/none/cancel', body: '{}' })],
    ['an order that differs from the path', 400, () => ({ path: '/orders/none/pay', body: '{"orderId":"other"}' })],
    ['another type', 400, () => ({ path: '/orders', body: place({}), headers: { 'Content-Type': 'text/plain' } })],
    [
      'a stock of somebody else',
      403,
      () => ({ path: `/stores/${seller.storeId}/books/book-1/stock`, body: '{"add":1}' }),
    ],
  ])('is refused alike: %s', async (_, status, sent) => {
    expect((await bothWays(sent())).status).toBe(status);
  });

  test('is refused at once after a logout', async () => {
    const other = await hub.buyer();
    expect((await send({ path: '/wallet/deposits', body: '{"amount":1}', token: other.token }, false)).status).toBe(
      200,
    );
    await other.post('/auth/logout');
    expect((await send({ path: '/wallet/deposits', body: '{"amount":1}', token: other.token }, false)).status).toBe(
      401,
    );
  });
});

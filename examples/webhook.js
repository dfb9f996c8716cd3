// A receiver of webhooks. It keeps one integer, the number of the last event that it has dealt with, and so deals with each
// event exactly once, whatever is repeated. The hub must be allowed to reach this machine: WEBHOOKS_PRIVATE=true npm start
//   HUB_TOKEN=<a session or API key> node examples/webhook.js [file]     prints the orders of this seller, until it is stopped
//   HUB_TOKEN=<the operator's key> HUB_USER=<seller> node examples/webhook.js   the same, for a shop's backend
//   node examples/webhook.js                                             shows it with a buyer and an order of its own
import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';
const isShow = process.env.HUB_TOKEN === undefined;
const file = process.argv[2] ?? (isShow ? join(tmpdir(), `webhook-${process.pid}.json`) : 'webhook.json');
/** Older requests may be replays of a thief's. */
const TOLERANCE_SECONDS = 300;

async function call(method, path, { token = process.env.HUB_TOKEN, body } = {}) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }).catch(
    () => {
      console.error(`No hub answers at ${url}. Start one with npm start, or set HUB_URL.`);
      process.exit(1);
    },
  );
  const answer = await response.json();
  if (response.ok) return answer;
  const { code, message, details } = answer.error;
  console.error(`${path}: ${code}: ${message} ${JSON.stringify(details ?? '')}`);
  console.error('For a receiver on this machine, start the hub with WEBHOOKS_PRIVATE=true.');
  process.exit(1);
}

/** The webhook's id and secret, and the one integer. */
let state = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;

function save(change) {
  state = { ...state, ...change };
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

/** As https://www.standardwebhooks.com says; its libraries do the same in many languages. */
function isSigned(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) < TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(state.secret.slice('whsec_'.length), 'base64');
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
  return signatures.split(' ').some((text) => {
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function receive({ events, complete }) {
  if (!complete) console.log('Events are missing: read the lists of orders again.');
  for (const event of events) {
    if (event.seq <= state.last) continue;
    console.log(`${event.status.padEnd(9)} ${event.orderId.slice(-6)}, event ${event.seq}`);
    // A real receiver stores the number in the transaction in which it deals with the event.
    save({ last: event.seq });
  }
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  if (!state || !isSigned(request.headers, body)) return response.writeHead(401).end();
  receive(JSON.parse(body));
  // The next request comes after this answer; without it, this one comes again.
  response.writeHead(204).end();
  if (isShow && state.last === 2) end();
});
const port = Number(process.env.WEBHOOK_PORT ?? (isShow ? 0 : 3001));
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}/`;

if (isShow) await show();
else if (!state) {
  const userId = process.env.HUB_USER;
  const body = { url: address, role: 'seller', ...(userId === undefined ? {} : { userId }) };
  const { webhookId, secret, delivered } = await call('POST', '/webhooks', { body });
  save({ webhookId, secret, last: delivered });
}
if (!isShow) console.log(`${address} receives the events after ${state.last}`);

function end() {
  rmSync(file);
  process.exit(0);
}

/** A buyer who orders and cancels: two events. */
async function show() {
  const account = { userId: `webhook-${crypto.randomUUID().slice(0, 8)}`, password: crypto.randomUUID() };
  await call('POST', '/auth/register', { body: account });
  const { token } = await call('POST', '/auth/login', { body: account });
  const webhook = { url: address, role: 'buyer', after: 0 };
  const { webhookId, secret } = await call('POST', '/webhooks', { token, body: webhook });
  save({ webhookId, secret, last: 0 });
  const { items } = await call('GET', '/books?limit=1', { token });
  const [book] = items;
  const order = { storeId: book.storeId, items: [{ bookId: book.bookId, count: 1 }] };
  const { orderId } = await call('POST', '/orders', { token, body: order });
  await call('POST', `/orders/${orderId}/cancel`, { token, body: { reason: 'too dear' } });
}

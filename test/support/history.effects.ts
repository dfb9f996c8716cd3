import { isDeepStrictEqual } from 'node:util';
import { messageHash } from '../../src/commands/command.js';
import { readAnswer } from '../../src/commands/kept.answer.js';
import { orderColumns } from '../../src/commands/order.columns.js';
import type { OrderEntity } from '../../src/commands/order.entity.js';
import { type OrderRow, orderRow } from '../../src/commands/order.view.js';
import type { RefusalCode } from '../../src/contract/errors.js';
import { isoTime } from '../../src/contract/fields.js';
import { HUB, type OrderStatus } from '../../src/contract/lifecycle.js';
import type { Order } from '../../src/contract/orders.js';
import type { Wallet } from '../../src/contract/wallet.js';
import type { Answer } from '../../src/contract/wire.js';
import type { Books } from './audit.js';
import type { Beginning, ClientCommand, History, Sent } from './history.js';

const PAGE = 2_000;

/** Never kept under a key, and no sign of anything done: the same message may be answered otherwise another time. */
const NEVER_KEPT: readonly RefusalCode[] = ['BAD_MESSAGE', 'UNAUTHENTICATED', 'UNKNOWN_MESSAGE'];

/** What a command does to an order. */
const TAKES_TO: Partial<Record<ClientCommand, OrderStatus>> = {
  'order:place': 'placed',
  'order:pay': 'paid',
  'order:ship': 'shipped',
  'order:receive': 'received',
  'order:cancel': 'cancelled',
};

interface StoredEntry {
  userId: string;
  entryNo: number;
  amount: number;
  balance: number;
  kind: string;
  orderId: string | null;
}
interface StoredAnswer {
  userId: string;
  idemKey: string;
  answer: string;
}

/** A command as one: however often, and by however many devices, it was sent with its key. */
interface Deed {
  userId: string;
  message: ClientCommand;
  request: Sent['request'];
  key: string | undefined;
  sent: Sent[];
  answers: Answer<unknown>[];
}

/** Whether each acknowledged command is done, each refused one is not, and nothing was done that nobody asked for. */
export async function effectFaults(history: History, books: Books): Promise<string[]> {
  const faults: string[] = [];
  const deeds = deedsOf(history.sent, faults);
  const orders = new Map((await storedOrders(books)).map((order) => [order.orderId, order]));
  for (const deed of deeds) faults.push(...answerFaults(deed));
  faults.push(...orderFaults(deeds, orders, history.beginning));
  faults.push(...(await ledgerFaults(deeds, books, history.beginning)));
  faults.push(...(await keyFaults(deeds, books)));
  return faults;
}

function deedsOf(sent: readonly Sent[], faults: string[]): Deed[] {
  const deeds = new Map<string, Deed>();
  const byKey = new Map<string, string>();
  for (const [index, each] of sent.entries()) {
    const { userId, message, request } = each;
    const { key, ...said } = request;
    const text = key === undefined ? `#${index}` : key;
    const id = `${userId}\n${text}\n${messageHash(message, said)}`;
    const deed = deeds.get(id) ?? { userId, message, request, key, sent: [], answers: [] };
    deeds.set(id, deed);
    deed.sent.push(each);
    for (const { answer } of each.answers) {
      if (!isFinal(answer)) continue;
      deed.answers.push(answer);
      if (isKeyReused(answer)) continue;
      const owner = byKey.get(`${userId}\n${text}`) ?? id;
      byKey.set(`${userId}\n${text}`, owner);
      if (owner !== id) faults.push(`other answer to the same key: ${name(deed)} was answered after another message`);
    }
  }
  return [...deeds.values()];
}

/** Answers that a client takes for the last word: those that are not to be sent again. */
function isFinal(answer: Answer<unknown>): boolean {
  return answer.ok || !answer.error.retryable;
}

function isKept(answer: Answer<unknown>): boolean {
  return answer.ok || !(answer.error.retryable || isKeyReused(answer) || NEVER_KEPT.includes(answer.error.code));
}

function isKeyReused(answer: Answer<unknown>): boolean {
  return !answer.ok && answer.error.code === 'KEY_REUSED';
}

function isDone(deed: Deed): boolean {
  return deed.answers.some(({ ok }) => ok);
}

function firstDone<Data>(deed: Deed): { data: Data; seq?: number } | undefined {
  const done = deed.answers.find(({ ok }) => ok);
  return done?.ok ? (done as { data: Data; seq?: number }) : undefined;
}

function name({ userId, message, key }: Pick<Deed, 'userId' | 'message' | 'key'>): string {
  return `${message} of ${userId}${key === undefined ? '' : ` with key ${key}`}`;
}

function withoutReplayed({ replayed: _, ...answer }: Answer<unknown>): object {
  return answer;
}

function answerFaults(deed: Deed): string[] {
  const faults: string[] = [];
  if (deed.sent.some(({ answers }) => !answers.some(({ answer }) => isFinal(answer)))) {
    faults.push(`never answered: ${name(deed)}`);
  }
  const kept = deed.answers.filter(isKept);
  const [first, ...others] = kept;
  if (first === undefined || deed.key === undefined) return faults;
  const told = withoutReplayed(first);
  const text = JSON.stringify(told);
  for (const other of others) {
    const again = withoutReplayed(other);
    if (JSON.stringify(again) === text || isDeepStrictEqual(again, told)) continue;
    faults.push(`other answer to the same key: ${name(deed)}: first ${text}, then ${JSON.stringify(again)}`);
  }
  if (kept.filter(({ replayed }) => !replayed).length > 1) {
    faults.push(`doubled: ${name(deed)} was answered as if it were new more than once`);
  }
  return faults;
}

/** Every change of an order, but the hub's own, is what exactly one acknowledged command has done. */
function orderFaults(deeds: readonly Deed[], orders: Map<string, OrderRow>, { versions }: Beginning): string[] {
  const faults: string[] = [];
  const claimed = new Map<string, Deed>();
  for (const deed of deeds) {
    const done = firstDone<Order>(deed);
    if (!done || TAKES_TO[deed.message] === undefined) continue;
    const { data } = done;
    const claim = `${data.orderId} ${data.version}`;
    const other = claimed.get(claim);
    if (other) faults.push(`lost: ${name(deed)} was acknowledged with the change that ${name(other)} made`);
    else claimed.set(claim, deed);
    faults.push(...orderFaultsOf(deed, data, orders.get(data.orderId)));
  }
  const suspects = suspectsOf(deeds);
  for (const order of orders.values()) {
    for (const { version, status, by } of order.timeline) {
      if (by === HUB || version <= (versions.get(order.orderId) ?? 0) || claimed.has(`${order.orderId} ${version}`)) {
        continue;
      }
      const items = order.items.map(({ bookId, count }) => ({ bookId, count }));
      const what = status === 'placed' ? contentOf(order.storeId, items) : order.orderId;
      const kind = suspects.get(`${by}\n${status}\n${what}`) ?? 'done without a command';
      faults.push(`${kind}: order ${order.orderId} became ${status} (version ${version}) by ${by}`);
    }
  }
  return faults;
}

function orderFaultsOf(deed: Deed, data: Order, order: OrderRow | undefined): string[] {
  if (!order) return [`lost: ${name(deed)}: there is no order ${data.orderId}`];
  const step = order.timeline[data.version - 1];
  const expected = { version: data.version, status: TAKES_TO[deed.message], by: deed.userId };
  if (step === undefined || step.version !== expected.version || step.status !== expected.status) {
    return [`lost: ${name(deed)}: order ${data.orderId} has ${JSON.stringify(step)} for ${JSON.stringify(expected)}`];
  }
  if (step.by !== deed.userId) return [`wrong person: ${name(deed)}: order ${data.orderId} says ${step.by} did it`];
  const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
  const items = order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price }));
  const kept = { orderId, storeId, buyerId, sellerId, total, items, placedAt: isoTime(placedAt), status: step.status };
  const told = Object.fromEntries(Object.keys(kept).map((field) => [field, data[field as keyof typeof kept]]));
  if (isDeepStrictEqual(told, kept)) return [];
  return [`answer differs: ${name(deed)}: told ${JSON.stringify(told)}, kept ${JSON.stringify(kept)}`];
}

/** What an effect that no acknowledgement stands for may come from: a refused command, or one that was done already. */
function suspectsOf(deeds: readonly Deed[]): Map<string, string> {
  const suspects = new Map<string, string>();
  for (const deed of [...deeds.filter(isDone), ...deeds.filter((each) => !isDone(each))]) {
    const { request, userId, message } = deed;
    const what =
      'orderId' in request ? request.orderId : 'items' in request && contentOf(request.storeId, request.items);
    const kind = isDone(deed) ? 'doubled' : deed.answers.length > 0 ? 'refused but done' : 'done but never answered';
    suspects.set(`${userId}\n${TAKES_TO[message]}\n${what}`, kind);
  }
  return suspects;
}

function contentOf(storeId: string, items: readonly { bookId: string; count: number }[]): string {
  return JSON.stringify([storeId, items.map(({ bookId, count }) => [bookId, count])]);
}

/** Every deposit and withdrawal is what exactly one acknowledged command has done; and each entry follows from the one before. */
async function ledgerFaults(deeds: readonly Deed[], books: Books, { entries: before }: Beginning): Promise<string[]> {
  const faults: string[] = [];
  const asked = new Map<string, Deed[]>();
  for (const deed of deeds) {
    if (!('amount' in deed.request)) continue;
    const done = firstDone<Wallet>(deed);
    const [amount, kind] =
      deed.message === 'wallet:deposit' ? [deed.request.amount, 'deposit'] : [-deed.request.amount, 'withdrawal'];
    const movement = [deed.userId, kind, amount].join('\n');
    const id = done ? `${movement}\n${done.data.balance}` : movement;
    asked.set(id, [...(asked.get(id) ?? []), deed]);
  }
  let previous: StoredEntry | undefined;
  for (const entry of await storedEntries(books)) {
    const earlier = previous?.userId === entry.userId ? previous : { balance: 0, entryNo: 0 };
    const follows = entry.balance === earlier.balance + entry.amount && entry.entryNo === earlier.entryNo + 1;
    if (!follows) faults.push(`out of balance: ${JSON.stringify(entry)} after ${JSON.stringify(earlier)}`);
    previous = entry;
    const { userId, kind, amount, balance, entryNo } = entry;
    if (entry.orderId !== null || entryNo <= (before.get(userId) ?? 0)) continue;
    const movement = [userId, kind, amount].join('\n');
    if (asked.get(`${movement}\n${balance}`)?.shift()) continue;
    const refused = asked.get(movement)?.shift();
    const why = refused ? (refused.answers.length > 0 ? 'refused but done' : 'done but never answered') : 'doubled';
    faults.push(`${why}: a ${kind} of ${amount} by ${userId} that left ${balance}`);
  }
  for (const deed of [...asked.values()].flat()) {
    if (isDone(deed)) faults.push(`lost: ${name(deed)} is not in the ledger`);
  }
  return faults;
}

/** The answer to each key is kept, and is the one that was told. */
async function keyFaults(deeds: readonly Deed[], books: Books): Promise<string[]> {
  const stored = new Map<string, string>();
  const orders = new Map((await storedOrders(books)).map((order) => [order.orderId, order]));
  for (const { userId, idemKey, answer } of await storedAnswers(books)) {
    stored.set(`${userId}\n${idemKey}`, toldBy(answer, userId, orders));
  }
  return deeds.flatMap((deed) => {
    const kept = deed.answers.find(isKept);
    if (!kept || deed.key === undefined) return [];
    const text = stored.get(`${deed.userId}\n${deed.key}`);
    if (text === undefined) return [`key not stored: ${name(deed)}`];
    const told = withoutReplayed(kept);
    if (JSON.stringify(told) === text || isDeepStrictEqual(told, JSON.parse(text))) return [];
    return [`other answer to the same key: ${name(deed)}: told ${JSON.stringify(told)}, kept ${text}`];
  });
}

/** What a kept answer says; what was kept itself, if that cannot be said any more. */
function toldBy(kept: string, userId: string, orders: ReadonlyMap<string, OrderRow>): string {
  try {
    return JSON.stringify(readAnswer(kept, userId, orders));
  } catch {
    return kept;
  }
}

async function storedOrders(books: Books): Promise<OrderRow[]> {
  const found: OrderRow[] = [];
  for (let after = ''; ; ) {
    const page = await books.rows<OrderEntity>(
      `SELECT ${orderColumns} FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ${PAGE}`,
      [after],
    );
    found.push(...page.map(orderRow));
    if (page.length < PAGE) return found;
    after = page.at(-1)?.orderId ?? '';
  }
}

/** Wallet by wallet, each from its first entry on. */
async function storedEntries(books: Books): Promise<StoredEntry[]> {
  return pagesByUser<StoredEntry>(
    books,
    `SELECT user_id AS userId, entry_no AS entryNo, amount, balance, kind, order_id AS orderId FROM wallet_entries
     WHERE user_id = ? AND entry_no > ? ORDER BY entry_no LIMIT ${PAGE}`,
    0,
    ({ entryNo }) => entryNo,
  );
}

async function storedAnswers(books: Books): Promise<StoredAnswer[]> {
  return pagesByUser<StoredAnswer>(
    books,
    `SELECT user_id AS userId, idem_key AS idemKey, answer FROM command_answers
     WHERE user_id = ? AND idem_key > ? ORDER BY idem_key LIMIT ${PAGE}`,
    '',
    ({ idemKey }) => idemKey,
  );
}

async function pagesByUser<Row>(
  books: Books,
  sql: string,
  start: string | number,
  place: (row: Row) => string | number,
): Promise<Row[]> {
  const found: Row[] = [];
  for (const { userId } of await books.rows<{ userId: string }>('SELECT user_id AS userId FROM users')) {
    for (let after = start; ; ) {
      const page = await books.rows<Row>(sql, [userId, after]);
      found.push(...page);
      const end = page.at(-1);
      if (page.length < PAGE || end === undefined) break;
      after = place(end);
    }
  }
  return found;
}

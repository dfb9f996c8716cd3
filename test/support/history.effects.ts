import { isDeepStrictEqual } from 'node:util';
import { orderColumns, parseOrder, type StoredOrder } from '../../src/commands/order.columns.js';
import type { OrderRow } from '../../src/commands/rows.js';
import { isoTime } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import { HUB } from '../../src/contract/transitions.js';
import type { Wallet } from '../../src/contract/wallet.js';
import type { Books } from './audit.js';
import { storedAnswer } from './handlers.js';
import {
  changeOf,
  describe,
  firstSuccess,
  groupCommands,
  type IssuedCommand,
  isAcknowledged,
  isFinal,
  isStored,
  withoutReplayed,
} from './history.commands.js';
import type { Beginning, ClientRequest, History } from './history.js';
import { type Payments, readPayments } from './history.payments.js';
import { claimFaults, seenBy, seenFaults } from './history.staff.js';

const PAGE = 2_000;

interface StoredEntry {
  userId: string;
  entryNo: number;
  amount: number;
  balance: number;
  kind: string;
  orderId: string | null;
  at: number;
}
interface StoredAnswer {
  userId: string;
  idemKey: string;
  answer: string;
}

/** Checks that every acknowledged command took effect, no refused one did, and nothing happened without a command. */
export async function effectFaults(history: History, books: Books): Promise<string[]> {
  const faults: string[] = [];
  const commands = groupCommands(history.sent, faults);
  const orders = new Map((await storedOrders(books)).map((order) => [order.orderId, order]));
  for (const command of commands) faults.push(...answerFaults(command));
  const payments = await readPayments(books);
  faults.push(...orderFaults(commands, orders, history.beginning, payments));
  faults.push(...claimFaults(history, commands, orders));
  faults.push(...(await ledgerFaults(commands, books, history.beginning, payments)));
  faults.push(...(await keyFaults(commands, books)));
  return faults;
}

function answerFaults(command: IssuedCommand): string[] {
  const faults: string[] = [];
  if (command.sent.some(({ answers }) => !answers.some(({ answer }) => isFinal(answer)))) {
    faults.push(`never answered: ${describe(command)}`);
  }
  const stored = command.answers.filter(isStored);
  const [first, ...others] = stored;
  if (first === undefined || command.key === undefined) return faults;
  const received = withoutReplayed(first);
  const text = JSON.stringify(received);
  for (const other of others) {
    const again = withoutReplayed(other);
    if (JSON.stringify(again) === text || isDeepStrictEqual(again, received)) continue;
    faults.push(`inconsistent answer: ${describe(command)}: first ${text}, then ${JSON.stringify(again)}`);
  }
  if (stored.filter(({ replayed }) => !replayed).length > 1) {
    faults.push(`duplicate: ${describe(command)} was executed more than once`);
  }
  return faults;
}

/** Every change of an order, except the hub's own, comes from exactly one acknowledged command. */
function orderFaults(
  commands: readonly IssuedCommand[],
  orders: Map<string, OrderRow>,
  { versions }: Beginning,
  payments: Payments,
): string[] {
  const faults: string[] = [];
  const claimed = new Map<string, IssuedCommand>();
  for (const command of commands) {
    for (const change of seenBy(command, orders)) claimed.set(change, command);
    faults.push(...seenFaults(command, orders));
    const success = firstSuccess<Order>(command);
    if (!success || !movesOne(command)) continue;
    const { data } = success;
    const claim = `${data.orderId} ${data.version}`;
    const other = claimed.get(claim);
    if (other) faults.push(`lost: ${describe(command)} was acknowledged with the change made by ${describe(other)}`);
    else claimed.set(claim, command);
    faults.push(...orderFaultsOf(command, data, orders.get(data.orderId)));
  }
  const suspects = suspectsOf(commands);
  for (const order of orders.values()) {
    for (const { version, status, command, by, at } of order.timeline) {
      if (command === 'pay' && payments.paid(order.orderId, at)) continue;
      if (by === HUB || version <= (versions.get(order.orderId) ?? 0) || claimed.has(`${order.orderId} ${version}`)) {
        continue;
      }
      const items = order.items.map(({ bookId, count }) => ({ bookId, count }));
      const what = command === 'place' ? contentOf(order.storeId, items) : order.orderId;
      const kind = suspects.get(`${by}\n${command}\n${what}`) ?? 'done without a command';
      faults.push(`${kind}: order ${order.orderId} became ${status} (version ${version}) by ${by}`);
    }
  }
  return faults;
}

/** A claim is no change of its order, and `seen` one of several orders, or of none. */
function movesOne({ message }: IssuedCommand): boolean {
  return changeOf(message) !== undefined && message !== 'order:claim' && message !== 'order:seen';
}

function orderFaultsOf(command: IssuedCommand, data: Order, order: OrderRow | undefined): string[] {
  if (!order) return [`lost: ${describe(command)}: there is no order ${data.orderId}`];
  const step = order.timeline[data.version - 1];
  const expected = { version: data.version, command: changeOf(command.message), by: command.userId };
  if (step === undefined || step.version !== expected.version || step.command !== expected.command) {
    return [
      `lost: ${describe(command)}: order ${data.orderId} has ${JSON.stringify(step)} for ${JSON.stringify(expected)}`,
    ];
  }
  if (step.by !== command.userId) return [`wrong user: ${describe(command)}: order ${data.orderId} names ${step.by}`];
  const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
  const items = order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price }));
  const stored = {
    orderId,
    storeId,
    buyerId,
    sellerId,
    total,
    items,
    placedAt: isoTime(placedAt),
    status: step.status,
  };
  const told = {
    ...data,
    items: data.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price })),
  };
  const received = Object.fromEntries(Object.keys(stored).map((field) => [field, told[field as keyof typeof stored]]));
  if (isDeepStrictEqual(received, stored)) return [];
  return [
    `answer differs: ${describe(command)}: received ${JSON.stringify(received)}, stored ${JSON.stringify(stored)}`,
  ];
}

/** What may have caused a change without an acknowledgement: a refused, unanswered or already acknowledged command. */
function suspectsOf(commands: readonly IssuedCommand[]): Map<string, string> {
  const suspects = new Map<string, string>();
  for (const command of [...commands.filter(isAcknowledged), ...commands.filter((each) => !isAcknowledged(each))]) {
    const { request, userId, message } = command;
    const orderIds = 'orderIds' in request ? request.orderIds : 'orderId' in request ? [request.orderId] : [];
    const what = 'storeId' in request && 'items' in request ? [contentOf(request.storeId, request.items)] : orderIds;
    const kind = isAcknowledged(command)
      ? 'duplicate'
      : command.answers.length > 0
        ? 'refused but done'
        : 'done but never answered';
    for (const each of what) suspects.set(`${userId}\n${changeOf(message)}\n${each}`, kind);
  }
  return suspects;
}

function contentOf(storeId: string, items: readonly { bookId: string; count: number }[]): string {
  return JSON.stringify([storeId, items.map(({ bookId, count }) => [bookId, count])]);
}

/** Every deposit and withdrawal comes from exactly one acknowledged command, and each entry follows from the previous one. */
async function ledgerFaults(
  commands: readonly IssuedCommand[],
  books: Books,
  { entries: before }: Beginning,
  payments: Payments,
): Promise<string[]> {
  const faults: string[] = [];
  const requested = new Map<string, IssuedCommand[]>();
  for (const command of commands) {
    if (!command.message.startsWith('wallet:')) continue;
    const success = firstSuccess<Wallet>(command);
    const asked = (command.request as ClientRequest<'wallet:deposit' | 'wallet:withdraw'>).amount;
    const [amount, kind] = command.message === 'wallet:deposit' ? [asked, 'deposit'] : [-asked, 'withdrawal'];
    const movement = [command.userId, kind, amount].join('\n');
    const id = success ? `${movement}\n${success.data.balance}` : movement;
    requested.set(id, [...(requested.get(id) ?? []), command]);
  }
  let previous: StoredEntry | undefined;
  for (const entry of await storedEntries(books)) {
    const earlier = previous?.userId === entry.userId ? previous : { balance: 0, entryNo: 0 };
    const follows = entry.balance === earlier.balance + entry.amount && entry.entryNo === earlier.entryNo + 1;
    if (!follows) faults.push(`broken ledger: ${JSON.stringify(entry)} after ${JSON.stringify(earlier)}`);
    previous = entry;
    const { userId, kind, amount, balance, entryNo, at } = entry;
    if (entry.orderId !== null || entryNo <= (before.get(userId) ?? 0)) continue;
    if (payments.moved(userId, kind, amount, at)) continue;
    const movement = [userId, kind, amount].join('\n');
    if (requested.get(`${movement}\n${balance}`)?.shift()) continue;
    const refused = requested.get(movement)?.shift();
    const why = refused ? (refused.answers.length > 0 ? 'refused but done' : 'done but never answered') : 'duplicate';
    faults.push(`${why}: a ${kind} of ${amount} by ${userId} with the balance ${balance}`);
  }
  for (const command of [...requested.values()].flat()) {
    if (isAcknowledged(command)) faults.push(`lost: ${describe(command)} is not in the ledger`);
  }
  return faults;
}

/** The answer to each key is stored, and equals the one that was sent. */
async function keyFaults(commands: readonly IssuedCommand[], books: Books): Promise<string[]> {
  const answers = new Map<string, string>();
  const orders = new Map((await storedOrders(books)).map((order) => [order.orderId, order]));
  for (const { userId, idemKey, answer } of await storedAnswers(books)) {
    answers.set(`${userId}\n${idemKey}`, presentStored(answer, userId, orders));
  }
  return commands.flatMap((command) => {
    const stored = command.answers.find(isStored);
    if (!stored || command.key === undefined) return [];
    const text = answers.get(`${command.userId}\n${command.key}`);
    if (text === undefined) return [`key not stored: ${describe(command)}`];
    const received = withoutReplayed(stored);
    if (JSON.stringify(received) === text || isDeepStrictEqual(received, JSON.parse(text))) return [];
    return [`inconsistent answer: ${describe(command)}: received ${JSON.stringify(received)}, stored ${text}`];
  });
}

/** A stored answer as it would be replayed, or the stored text if that is no longer possible. */
function presentStored(text: string, userId: string, orders: Map<string, OrderRow>): string {
  try {
    return JSON.stringify(storedAnswer({ orders }, userId, text));
  } catch {
    return text;
  }
}

async function storedOrders(books: Books): Promise<OrderRow[]> {
  const found: OrderRow[] = [];
  for (let after = ''; ; ) {
    const page = await books.rows<StoredOrder>(
      `SELECT ${orderColumns} FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ${PAGE}`,
      [after],
    );
    found.push(...page.map(parseOrder));
    if (page.length < PAGE) return found;
    after = page.at(-1)?.orderId ?? '';
  }
}

/** Grouped by wallet, in entry order. */
async function storedEntries(books: Books): Promise<StoredEntry[]> {
  return pagesByUser<StoredEntry>(
    books,
    `SELECT user_id AS userId, entry_no AS entryNo, amount, balance, kind, order_id AS orderId, at FROM wallet_entries
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
  cursorOf: (row: Row) => string | number,
): Promise<Row[]> {
  const found: Row[] = [];
  for (const { userId } of await books.rows<{ userId: string }>('SELECT user_id AS userId FROM users')) {
    for (let after = start; ; ) {
      const page = await books.rows<Row>(sql, [userId, after]);
      found.push(...page);
      const end = page.at(-1);
      if (page.length < PAGE || end === undefined) break;
      after = cursorOf(end);
    }
  }
  return found;
}

import type { Command } from '../commands/command.js';
import type { BookRow, Copies, OrderChanges, OrderRow } from '../commands/rows.js';
import type { Change, UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { isoTime } from '../contract/fields.js';
import {
  type Actor,
  allowedCommands,
  type ChangeCommand,
  canRoleEver,
  claimableCommands,
  HUB,
  type OrderCommand,
  type OrderStatus,
} from '../contract/transitions.js';
import { acceptedAtOf, deadlineOf } from './order.deadlines.js';
import { isNothingLeft, type Line, lineAt, linesOf, type OrderLines, onTheirWay } from './order.lines.js';
import { actorOf, conditionsOf } from './order.presenter.js';
import { applyEntry, claimOf } from './order.timeline.js';

/* What the rules of an order's life are made of. Pure functions, as they are. */

/** The order, if this user may act on it so now. A stranger learns nothing about it. */
export function findOrder(
  unit: UnitOfWork,
  command: Command & { request: { orderId: string } },
  name: OrderCommand,
  now: number,
) {
  const order = unit.orders.get(command.request.orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  const actor = actorOf(order, command.actorId, command.acting);
  if (!actor || !canRoleEver(name, actor)) return new HubError('FORBIDDEN');
  const claimed = claimableCommands.includes(name) ? claimedByAnother(order, command, now) : undefined;
  if (claimed) return claimed;
  const state = linesOf(order);
  const isAllowed = allowedCommands(order.status, actor, conditionsOf(order, state, now)).includes(name);
  return isAllowed ? { order, actor, state } : wrongState(order, actor, name, now);
}

/** What keeps a member of staff from acting, while another works on the order. The owner may always act. */
export function claimedByAnother(
  order: OrderRow,
  { actorId, acting }: Pick<Command, 'actorId' | 'acting'>,
  now: number,
): HubError | undefined {
  const held = claimOf(order, now);
  if (!acting || !held || held.by === actorId) return undefined;
  return new HubError('CLAIMED', undefined, { by: held.by, until: isoTime(held.until) });
}

/** The refusal of a command on a seller's money, for its member of staff: the seller's balance is not the member's. */
export function withoutBalance<Outcome extends object>(
  { acting }: Pick<Command, 'acting'>,
  outcome: Outcome | HubError,
): Outcome | HubError {
  const hides = acting && outcome instanceof HubError && outcome.code === 'INSUFFICIENT_FUNDS';
  return hides ? new HubError('INSUFFICIENT_FUNDS') : outcome;
}

interface Step {
  command: ChangeCommand;
  status: OrderStatus;
  actorId: string | null;
  dueAt: number | null;
  changes?: OrderChanges;
}

/** Adds one entry to the order's timeline. Only `dueAt` changes beside it. */
export function advance(
  order: OrderRow,
  now: number,
  { command, status, actorId, dueAt, changes }: Step,
): NonNullable<Change['order']> {
  const entry = { version: order.version + 1, status, command, by: actorId ?? HUB, at: now };
  const after = applyEntry(order, changes ? { ...entry, changes } : entry);
  after.dueAt = dueAt;
  return { after, previous: order.status };
}

export function wrongState(order: OrderRow, actor: Actor, command: ChangeCommand, now: number): HubError {
  const allowed = allowedCommands(order.status, actor, conditionsOf(order, linesOf(order), now));
  const others = allowed.filter((name) => name !== command);
  return new HubError('ORDER_STATE', undefined, { status: order.status, allowed: others });
}

interface NamedCopies {
  bookId: string;
  count: number;
}

/** Resolves the items of a request to copies of the order’s lines. `left` returns how many copies of a line the command may affect. */
export function pick(
  { lines }: OrderLines,
  items: readonly NamedCopies[],
  left: (line: Line) => number,
): Copies | HubError {
  const found = items.map(({ bookId, count }) => {
    return { bookId, count, index: lines.findIndex((line) => line.bookId === bookId) };
  });
  const unknown = found.find(({ index }) => index < 0);
  if (unknown) {
    return new HubError('BOOK_NOT_FOUND', 'This order has no book with this id.', { bookId: unknown.bookId });
  }
  const copies: Copies = [];
  for (const { bookId, count, index } of found) {
    const available = left(lineAt(lines, index));
    if (count > available) {
      return new HubError('ORDER_STATE', 'The order has fewer copies left.', { bookId, left: available });
    }
    copies.push([index, count]);
  }
  return copies;
}

/** Back into stock. */
export function stockOf(unit: UnitOfWork, order: OrderRow, copies: Copies): NonNullable<Change['stock']> {
  return copies.map(([line, delta]) => {
    return { book: loadedBook(unit, lineAt(order.items, line).bookNo), delta };
  });
}

function loadedBook(unit: UnitOfWork, bookNo: number): BookRow {
  const book = unit.booksByNo.get(bookNo);
  if (!book) throw new Error('A book of the order was not loaded');
  return book;
}

/** The same, but that nothing is left of the books that the store has run out of. */
export function withdrawal(
  unit: UnitOfWork,
  { items }: OrderRow,
  restored: NonNullable<Change['stock']>,
  unavailable: readonly string[],
): { stock: NonNullable<Change['stock']>; withdrawn: NonNullable<OrderChanges['withdrawn']> } {
  const gone = items
    .filter(({ bookId }) => unavailable.includes(bookId))
    .map(({ bookNo }) => {
      const book = loadedBook(unit, bookNo);
      const returned = restored.find((each) => each.book === book)?.delta ?? 0;
      return { book, delta: -book.stock, copies: book.stock + returned };
    });
  const others = restored.filter(({ book }) => !gone.some((each) => each.book === book));
  return {
    stock: [...others, ...gone.map(({ book, delta }) => ({ book, delta }))],
    withdrawn: gone.map(({ book: { bookNo }, copies }) => ({ bookNo, copies })),
  };
}

/** The status of an order that was paid, with these lines and parcels. */
export function statusOf(state: OrderLines): OrderStatus {
  if (!isNothingLeft(state)) return 'paid';
  if (state.parcels.length === 0) return 'cancelled';
  return onTheirWay(state).length === 0 ? 'received' : 'shipped';
}

/** When the hub acts on such an order next. */
export function dueOf(order: OrderRow, state: OrderLines, status: OrderStatus): number | null {
  const times = onTheirWay(state).map(({ dueAt }) => dueAt);
  const isAccepted = state.parcels.length > 0 || acceptedAtOf(order) !== null;
  if (status === 'paid') times.push(deadlineOf(order, isAccepted)?.at ?? null);
  const due = times.filter((time) => time !== null);
  return due.length === 0 ? null : Math.min(...due);
}

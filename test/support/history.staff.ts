import type { OrderRow } from '../../src/commands/rows.js';
import { isoTime } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { claimableCommands, HUB } from '../../src/contract/transitions.js';
import { describe, firstSuccess, type IssuedCommand } from './history.commands.js';
import type { ClientRequest, History, Membership, SocketSession } from './history.js';

/** A claim that was acknowledged, or the freeing of an order, with the version that the order had then. */
interface AcknowledgedClaim {
  command: IssuedCommand;
  version: number;
  by: string | null;
  until: string | null;
}

/** The changes, as `orderId version`, by which this command was the first to see orders. */
export function seenBy(command: IssuedCommand, orders: ReadonlyMap<string, OrderRow>): string[] {
  return seenIn(command).flatMap(({ orderId, seenAt }) => {
    const entry = seenEntryOf(orders.get(orderId));
    return entry?.by === command.userId && isoTime(entry.at) === seenAt ? [`${orderId} ${entry.version}`] : [];
  });
}

/** An order that was acknowledged as seen has been since, and no other answer says when. */
export function seenFaults(command: IssuedCommand, orders: ReadonlyMap<string, OrderRow>): string[] {
  return seenIn(command).flatMap(({ orderId, seenAt }) => {
    const entry = seenEntryOf(orders.get(orderId));
    if (entry && isoTime(entry.at) === seenAt) return [];
    return [`lost: ${describe(command)}: order ${orderId} was seen at ${seenAt}, and has ${JSON.stringify(entry)}`];
  });
}

function seenIn(command: IssuedCommand): Order[] {
  return command.message === 'order:seen' ? (firstSuccess<{ orders: Order[] }>(command)?.data.orders ?? []) : [];
}

function seenEntryOf(order: OrderRow | undefined) {
  return order?.timeline.find(({ command }) => command === 'seen');
}

/** Whoever is neither of an order's parties acts as a member of its seller's staff: only with events between hiring and removal. */
export function actorFaults(
  { memberships }: History,
  { by, buyerId, sellerId, orderId, command, seq }: OrderStatusPush,
  floor: number,
): string[] {
  if (seq <= floor || [buyerId, sellerId, HUB].includes(by)) return [];
  const isMember = memberships.some(({ ownerId, userId, after, until }) => {
    return ownerId === sellerId && userId === by && seq > after && seq <= until;
  });
  return isMember ? [] : [`acted without being a member: ${by}: ${command} of order ${orderId}, event ${seq}`];
}

/** Checks that every acknowledged claim held and blocked the other members, and that sockets received no claim but these. */
export function claimFaults(
  { sessions, memberships, beginning }: History,
  commands: readonly IssuedCommand[],
  orders: ReadonlyMap<string, OrderRow>,
): string[] {
  const faults: string[] = [];
  const claims = new Map<string, AcknowledgedClaim[]>();
  for (const command of commands) {
    if (command.message !== 'order:claim') continue;
    const success = firstSuccess<Order>(command);
    if (!success) continue;
    const { orderId, version, claim } = success.data;
    const { seconds } = command.request as ClientRequest<'order:claim'>;
    const by = seconds === 0 ? null : command.userId;
    if ((claim?.by ?? null) !== by) faults.push(`answer differs: ${describe(command)}: ${JSON.stringify(claim)}`);
    const until = claim?.until ?? null;
    claims.set(orderId, [...(claims.get(orderId) ?? []), { command, version, by, until }]);
  }
  for (const order of orders.values()) {
    if (beginning.versions.has(order.orderId)) continue;
    faults.push(...rowFaults(order, claims.get(order.orderId) ?? [], memberships));
    faults.push(...trespasses(order, claims.get(order.orderId) ?? []));
  }
  for (const session of sessions) faults.push(...pushFaults(session, claims, orders));
  return faults;
}

function rowFaults(order: OrderRow, claims: AcknowledgedClaim[], memberships: readonly Membership[]): string[] {
  const { orderId, sellerId, claimedBy, claimedUntil } = order;
  const faults: string[] = [];
  // Freeing what is free changes nothing.
  const least = claims.filter(({ by }) => by !== null).length;
  if (order.claims < least) faults.push(`lost: order ${orderId} has ${order.claims} of ${least} acknowledged claims`);
  if (order.claims > claims.length) {
    faults.push(`claimed without a command: order ${orderId} has ${order.claims} claims of ${claims.length}`);
  }
  const latest = latestOf(claims, Number.POSITIVE_INFINITY);
  const until = isoTime(claimedUntil);
  const isAnswered = claims.some((claim) => claim.by === claimedBy && claim.until === until);
  // Nor does freeing an order whose claim is over: its row keeps that.
  const isKnown =
    latest && latest.by !== null
      ? latest.by === claimedBy && latest.until === until
      : isAnswered || claims.length === 0;
  if (!isKnown) faults.push(`a claim differs from its answer: order ${orderId}: ${claimedBy} until ${until}`);
  const isOfShop = memberships.some(({ ownerId, userId }) => ownerId === sellerId && userId === claimedBy);
  if (claimedBy !== null && claimedBy !== sellerId && !isOfShop) {
    faults.push(`acted without being a member: ${claimedBy}: claim of order ${orderId}`);
  }
  return faults;
}

/** What members of staff did with the order while another had claimed it. The owner may. */
function trespasses({ orderId, buyerId, sellerId, timeline }: OrderRow, claims: AcknowledgedClaim[]): string[] {
  return timeline.flatMap(({ command, by, at, version }) => {
    const isFree = [buyerId, sellerId, HUB].includes(by) || !claimableCommands.some((name) => name === command);
    const claim = isFree ? undefined : latestOf(claims, version);
    if (!claim || claim.until === null || claim.by === by || Date.parse(claim.until) <= at) return [];
    return [`done in spite of a claim: order ${orderId}: ${command} by ${by}, claimed by ${claim.by}`];
  });
}

/** The last claim before a version of the order. Undefined where several were made at one version: they are not numbered. */
function latestOf(claims: readonly AcknowledgedClaim[], before: number): AcknowledgedClaim | undefined {
  const earlier = claims.filter(({ version }) => version < before);
  const version = Math.max(...earlier.map((claim) => claim.version));
  const [latest, ...others] = earlier.filter((claim) => claim.version === version);
  return others.length === 0 ? latest : undefined;
}

function pushFaults(
  { clientId, url, userId, actingFor = userId, claims: pushes }: SocketSession,
  claims: ReadonlyMap<string, AcknowledgedClaim[]>,
  orders: ReadonlyMap<string, OrderRow>,
): string[] {
  const reached = new Map<string, number>();
  return pushes.flatMap((push) => {
    const { orderId } = push;
    const where = `${clientId} at ${url}: ${JSON.stringify(push)}`;
    if (orders.get(orderId)?.sellerId !== actingFor) return [`wrong user: ${where}`];
    const same = (claims.get(orderId) ?? []).filter(({ by, until }) => by === push.by && until === push.until);
    if (same.length === 0) return [`phantom claim: ${where}`];
    const before = reached.get(orderId) ?? 0;
    const version = Math.max(...same.map((claim) => claim.version));
    reached.set(orderId, Math.max(before, Math.min(...same.map((claim) => claim.version))));
    return version < before ? [`out of order: ${where} came after a later claim`] : [];
  });
}

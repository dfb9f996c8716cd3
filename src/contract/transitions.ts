/** The order lifecycle as one table: which command, sent by which actor, moves an order from which status to which. */
export const orderStatuses = ['placed', 'paid', 'shipped', 'received', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export const roles = ['buyer', 'seller'] as const;
export type Role = (typeof roles)[number];

/** The hub is an actor too: it cancels and completes orders when their time is up. */
export type Actor = Role | 'hub';
export const HUB = 'hub';

export const orderCommands = ['pay', 'ship', 'receive', 'cancel'] as const;
export type OrderCommand = (typeof orderCommands)[number];

/** What changes an order without moving it. Never listed in `allowed`. */
export const amendCommands = ['readdress', 'note'] as const;
export type AmendCommand = (typeof amendCommands)[number];

/** What can change an order: the commands of users, and `timeout`, where the hub acts by itself. */
export const changeCommands = ['place', ...orderCommands, 'timeout', ...amendCommands] as const;
export type ChangeCommand = (typeof changeCommands)[number];

export interface Transition {
  command: OrderCommand;
  from: OrderStatus;
  by: readonly Actor[];
  to: OrderStatus;
  /** What else the same transaction does. */
  effect: string;
}

export const transitions: readonly Transition[] = [
  {
    command: 'pay',
    from: 'placed',
    by: ['buyer'],
    to: 'paid',
    effect:
      'Debits the buyer and credits the seller, with a ledger entry for each. Under `SETTLE_AT=received`, the hub holds the money.',
  },
  {
    command: 'cancel',
    from: 'placed',
    by: ['buyer', 'seller', 'hub'],
    to: 'cancelled',
    effect: 'Restores the stock. The hub does this at `expiresAt`.',
  },
  { command: 'ship', from: 'paid', by: ['seller'], to: 'shipped', effect: 'Stores the carrier and tracking number.' },
  {
    command: 'cancel',
    from: 'paid',
    by: ['buyer', 'seller', 'hub'],
    to: 'cancelled',
    effect:
      'Restores the stock; debits the seller and credits the buyer, with a ledger entry for each. Under `SETTLE_AT=received`, the buyer gets back what the hub holds. The hub does this at `shipBy`.',
  },
  {
    command: 'receive',
    from: 'shipped',
    by: ['buyer', 'hub'],
    to: 'received',
    effect:
      'Completes the order. Under `SETTLE_AT=received`, credits the seller with what the hub holds. The hub does this if the buyer has not confirmed in time.',
  },
];

export interface Amendment {
  command: AmendCommand;
  from: readonly OrderStatus[];
  by: readonly Role[];
}

export const amendments: readonly Amendment[] = [
  { command: 'readdress', from: ['placed'], by: ['buyer'] },
  { command: 'readdress', from: ['paid'], by: ['seller'] },
  { command: 'note', from: orderStatuses, by: roles },
];

/** The first step. Any user except the store's owner may place an order, and becomes its buyer. */
export const placement = {
  command: 'place',
  by: ['buyer'],
  to: 'placed',
  effect: 'Takes the copies out of stock, fixes titles and prices, and sets `expiresAt`.',
} as const;

/** The statuses of an open order. Neither its buyer nor its seller can unregister while it is open. */
export const openStatuses: readonly OrderStatus[] = ['placed', 'paid', 'shipped'];
export const closedStatuses = orderStatuses.filter((status) => !openStatuses.includes(status));

const commandsByStatus = new Map<OrderStatus, ChangeCommand>(transitions.map(({ to, command }) => [to, command]));

/**
 * The command that moves an order to this status; `timeout` if the hub did. Derives the command of changes that were stored without
 * one, by earlier releases.
 */
export function commandInto({ status, by }: { status: OrderStatus; by: string }): ChangeCommand {
  return by === HUB ? 'timeout' : (commandsByStatus.get(status) ?? placement.command);
}

export function transitionFrom(command: OrderCommand, from: OrderStatus): Transition | undefined {
  return transitions.find((transition) => transition.command === command && transition.from === from);
}

/** Whether an actor may send this command in any status at all; if not, it gets `FORBIDDEN` whatever the status. */
export function canRoleEver(command: OrderCommand, actor: Actor): boolean {
  return transitions.some((transition) => transition.command === command && transition.by.includes(actor));
}

/** Whether an actor may amend an order in any status at all; if not, it gets `FORBIDDEN` whatever the status. */
export function canRoleAmend(command: AmendCommand, actor: Actor): actor is Role {
  return amendments.some((amendment) => amendment.command === command && amendment.by.some((role) => role === actor));
}

export function canAmendFrom(command: AmendCommand, actor: Role, status: OrderStatus): boolean {
  return amendments.some(
    ({ command: name, from, by }) => name === command && by.includes(actor) && from.includes(status),
  );
}

/** The commands that an actor may send now. An overdue order cannot be paid or shipped, even before the hub has cancelled it. */
export function allowedCommands(status: OrderStatus, actor: Actor, overdue: boolean): OrderCommand[] {
  return orderCommands.filter((command) => {
    if (overdue && endsAtDue(command)) return false;
    return transitionFrom(command, status)?.by.includes(actor) ?? false;
  });
}

/** Whether this command is in time only until the hub would cancel the order: at `expiresAt`, or at `shipBy`. */
export function endsAtDue(command: OrderCommand): boolean {
  return command === 'pay' || command === 'ship';
}

/** When an order's money goes to its seller. */
export const settlements = ['paid', 'received'] as const;
export type Settlement = (typeof settlements)[number];

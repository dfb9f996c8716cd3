/** The order lifecycle as one table: which command, sent by which actor, moves an order from which status to which. */
export const orderStatuses = ['placed', 'paid', 'shipped', 'received', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export const roles = ['buyer', 'seller'] as const;
export type Role = (typeof roles)[number];

/** The hub is an actor too: it cancels and completes orders when their time is up. */
export type Actor = Role | 'hub';
export const HUB = 'hub';

export const orderCommands = ['pay', 'ship', 'receive', 'cancel', 'accept', 'refund', 'track'] as const;
export type OrderCommand = (typeof orderCommands)[number];

/** What changes an order without moving it. Never listed in `allowed`. */
export const amendCommands = ['readdress', 'note', 'seen'] as const;
export type AmendCommand = (typeof amendCommands)[number];

/** What can change an order: the commands of users, and `timeout`, where the hub acts by itself. */
export const changeCommands = ['place', ...orderCommands, 'timeout', ...amendCommands] as const;
export type ChangeCommand = (typeof changeCommands)[number];

/** What must hold besides the status, each with its meaning for the API documents. */
export const conditions = {
  inTime: 'before the hub would cancel it, at `expiresAt`, `acceptBy` or `shipBy`',
  acceptable: 'until it has been accepted too often',
  parcelsLeft: 'with fewer parcels than an order may have',
  onItsWay: 'with a parcel on its way',
  refundable: 'with money, or copies, not given back yet',
  trackable: 'with a parcel on its way, until too many changes of its tracking',
} as const;
export type Condition = keyof typeof conditions;

export interface Transition {
  command: OrderCommand;
  from: OrderStatus;
  by: readonly Actor[];
  /** The next status: the first that applies, where there are several. */
  to: readonly OrderStatus[];
  when?: readonly Condition[];
  /** What else the same transaction does. */
  effect: string;
}

const refund = {
  command: 'refund',
  by: ['seller'],
  when: ['refundable'],
  effect:
    'Gives money back to the buyer, for copies or as an amount, and puts shipped copies back into stock if the seller says so.',
} as const;
const track = {
  command: 'track',
  by: ['seller'],
  when: ['trackable'],
  effect: 'Changes the carrier or the tracking number of a parcel.',
} as const;

export const transitions: readonly Transition[] = [
  {
    command: 'pay',
    from: 'placed',
    by: ['buyer'],
    to: ['paid'],
    when: ['inTime'],
    effect:
      'Debits the buyer and credits the seller, with a ledger entry for each. Under `SETTLE_AT=received`, the hub holds the money.',
  },
  {
    command: 'cancel',
    from: 'placed',
    by: ['buyer', 'seller', 'hub'],
    to: ['cancelled'],
    effect: 'Restores the stock. The hub does this at `expiresAt`.',
  },
  {
    command: 'accept',
    from: 'paid',
    by: ['seller'],
    to: ['paid'],
    when: ['inTime', 'acceptable'],
    effect: 'Sets `acceptedAt`, and `readyAt` where it is given. Sent again, it moves `readyAt`.',
  },
  {
    command: 'ship',
    from: 'paid',
    by: ['seller'],
    to: ['paid', 'shipped'],
    when: ['inTime', 'parcelsLeft'],
    effect:
      'Makes a parcel of these copies, by default of all that are left, with its carrier and tracking number. `shipped` once nothing is left. Accepts the order, if that has not been done.',
  },
  {
    command: 'receive',
    from: 'paid',
    by: ['buyer', 'hub'],
    to: ['paid'],
    when: ['onItsWay'],
    effect: 'Completes a parcel, by default all that are on their way.',
  },
  {
    command: 'cancel',
    from: 'paid',
    by: ['buyer', 'seller', 'hub'],
    to: ['paid', 'cancelled', 'received', 'shipped'],
    effect:
      'Restores the stock of these copies, by default of all that are not shipped; debits the seller and credits the buyer, with a ledger entry for each. Under `SETTLE_AT=received`, the buyer gets back what the hub holds. Once nothing is left: `cancelled` if nothing was shipped, `received` if all of that has been, else `shipped`. The hub does this at `acceptBy`, if the order is not accepted, and at `shipBy`.',
  },
  { ...refund, from: 'paid', to: ['paid'] },
  { ...track, from: 'paid', to: ['paid'] },
  {
    command: 'receive',
    from: 'shipped',
    by: ['buyer', 'hub'],
    to: ['shipped', 'received'],
    when: ['onItsWay'],
    effect:
      'Completes a parcel, by default all that are on their way, and with the last one the order. Under `SETTLE_AT=received`, that credits the seller with what the hub still holds. The hub does this if the buyer has not confirmed in time, for each parcel.',
  },
  { ...refund, from: 'shipped', to: ['shipped'] },
  { ...track, from: 'shipped', to: ['shipped'] },
  { ...refund, from: 'received', to: ['received'] },
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
  { command: 'seen', from: orderStatuses, by: ['seller'] },
];

/** What a claim of an order keeps the other members of the seller's staff from. */
export const claimableCommands: readonly OrderCommand[] = ['ship', 'accept', 'cancel', 'refund'];

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

const commandsByStatus: Record<OrderStatus, ChangeCommand> = {
  placed: placement.command,
  paid: 'pay',
  shipped: 'ship',
  received: 'receive',
  cancelled: 'cancel',
};

/**
 * The command that usually moves an order to this status; `timeout` if the hub did. Changes by it are stored without their command,
 * as earlier releases stored all.
 */
export function commandInto({ status, by }: { status: OrderStatus; by: string }): ChangeCommand {
  return by === HUB ? 'timeout' : commandsByStatus[status];
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

/** The commands that an actor may send now. An overdue order cannot be paid, accepted or shipped, even before the hub has cancelled it. */
export function allowedCommands(
  status: OrderStatus,
  actor: Actor,
  holds: (condition: Condition) => boolean,
): OrderCommand[] {
  return orderCommands.filter((command) => {
    const transition = transitionFrom(command, status);
    return transition?.by.includes(actor) && (transition.when?.every(holds) ?? true);
  });
}

/** When an order's money goes to its seller. */
export const settlements = ['paid', 'received'] as const;
export type Settlement = (typeof settlements)[number];

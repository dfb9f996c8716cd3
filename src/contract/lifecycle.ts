/** The life of an order, as one table: which command, given by whom, takes an order from which status to which. */
export const orderStatuses = ['placed', 'paid', 'shipped', 'received', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export const roles = ['buyer', 'seller'] as const;
export type Role = (typeof roles)[number];

/** The hub acts by itself when a time has come. */
export type Party = Role | 'hub';
export const HUB = 'hub';

export const orderCommands = ['pay', 'ship', 'receive', 'cancel'] as const;
export type OrderCommand = (typeof orderCommands)[number];

export interface Step {
  command: OrderCommand;
  from: OrderStatus;
  by: readonly Party[];
  to: OrderStatus;
  /** What else happens, in the same transaction. */
  effect: string;
}

export const lifecycle: readonly Step[] = [
  {
    command: 'pay',
    from: 'placed',
    by: ['buyer'],
    to: 'paid',
    effect: 'The buyer is debited and the seller credited; both are booked in the ledger.',
  },
  {
    command: 'cancel',
    from: 'placed',
    by: ['buyer', 'seller', 'hub'],
    to: 'cancelled',
    effect: 'The stock comes back. The hub does it at `expiresAt`.',
  },
  { command: 'ship', from: 'paid', by: ['seller'], to: 'shipped', effect: 'Carrier and number are kept.' },
  {
    command: 'cancel',
    from: 'paid',
    by: ['buyer', 'seller'],
    to: 'cancelled',
    effect: 'The stock comes back; the seller is debited and the buyer credited; both are booked in the ledger.',
  },
  {
    command: 'receive',
    from: 'shipped',
    by: ['buyer', 'hub'],
    to: 'received',
    effect: 'The order is done. The hub does it when the buyer has not for long enough.',
  },
];

/** How it begins. Whoever places an order is its buyer from then on; everybody may but the owner of the store. */
export const placing = {
  command: 'place',
  by: ['buyer'],
  to: 'placed',
  effect: 'The stock is taken; titles and prices are kept as they are now; `expiresAt` is set.',
} as const;

/** The statuses in which an order still binds its parties: neither may leave while one is open. */
export const openStatuses: readonly OrderStatus[] = ['placed', 'paid', 'shipped'];

export function stepOf(command: OrderCommand, from: OrderStatus): Step | undefined {
  return lifecycle.find((step) => step.command === command && step.from === from);
}

/** Whether a party of this kind may ever give this command: the wrong role is refused whatever the status. */
export function mayEver(command: OrderCommand, party: Party): boolean {
  return lifecycle.some((step) => step.command === command && step.by.includes(party));
}

/** The commands that a party may give now. An unpaid order cannot be paid from `expiresAt` on, acted on or not. */
export function allowedCommands(status: OrderStatus, party: Party, expired: boolean): OrderCommand[] {
  return orderCommands.filter((command) => {
    if (command === 'pay' && expired) return false;
    return stepOf(command, status)?.by.includes(party) ?? false;
  });
}

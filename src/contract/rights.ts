/** What a caller may do. A session has all of these; an API key has those that it was made with. */
export const rights = ['read', 'buy', 'sell', 'stock', 'money', 'staff'] as const;
export type Right = (typeof rights)[number];

/** What the operator's key alone may do, and nothing else. */
export const operatorRights = ['sessions', 'funds'] as const;
export type OperatorRight = (typeof operatorRights)[number];

export type AnyRight = Right | OperatorRight;

/** What each right allows, for the API documents. */
export const rightMeanings: Record<AnyRight, string> = {
  read: 'every read and event, except those about money',
  buy: 'place, pay, receive, and cancel, note, readdress as the buyer',
  sell: 'ship, accept, refund, track, claim, seen, and cancel, note, readdress as the seller',
  stock: 'stores, books and stock',
  money: 'the balance, its entries, deposits and withdrawals',
  staff: 'the members of staff',
  sessions: 'sessions of any user: the operator’s key only',
  funds: 'deposits to any user: the operator’s key only',
};

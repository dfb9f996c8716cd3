import type { Books } from './audit.js';

/** What the payment provider's word has caused, without a command of a client. Each movement is found once. */
export interface Payments {
  moved(userId: string, kind: string, amount: number, at: number): boolean;
  /** Whether a top-up has paid this order at this time. */
  paid(orderId: string, at: number): boolean;
}

export async function readPayments(books: Books): Promise<Payments> {
  const topups = await books.rows<{ userId: string; orderId: string | null; amount: number; at: number }>(
    "SELECT user_id AS userId, order_id AS orderId, amount, settled_at AS at FROM topups WHERE status = 'succeeded'",
  );
  const returned = await books.rows<{ userId: string; amount: number; at: number }>(
    "SELECT user_id AS userId, amount, settled_at AS at FROM payouts WHERE status = 'returned'",
  );
  const movements = [
    ...topups.map(({ userId, amount, at }) => [userId, 'deposit', amount, at].join('\n')),
    ...returned.map(({ userId, amount, at }) => [userId, 'returned', amount, at].join('\n')),
  ];
  return {
    moved(...movement) {
      const index = movements.indexOf(movement.join('\n'));
      if (index !== -1) movements.splice(index, 1);
      return index !== -1;
    },
    paid: (orderId, at) => topups.some((topup) => topup.orderId === orderId && Number(topup.at) === at),
  };
}

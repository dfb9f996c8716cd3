import type { CommandHandlers, RowKeys } from '../commands/command.handler.js';
import { accountOf } from '../commands/command.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { orderHandlers } from '../orders/order.handlers.js';
import { newOrderId } from '../orders/order.id.js';
import { createTopup, isDisputed, paymentOf, settlePayout, settleTopup } from './payment.rules.js';

const payment = orderHandlers['order:pay'];

/** The commands of top-ups and payouts: the user's, and the internal ones that record the provider's outcome. */
export const paymentHandlers: CommandHandlers<'topup:create' | 'topup:settle' | 'payout:settle'> = {
  'topup:create': {
    newId: newOrderId,
    keys(command) {
      const userId = accountOf(command);
      const { newId = '', request } = command;
      return userId === null ? {} : { topups: [newId], wallets: [userId], ...rowsToPay(userId, request.orderId) };
    },
    relatedKeys: (unit, command) => relatedToPay(unit, accountOf(command), command.request.orderId),
    decide: createTopup,
    present(_unit, _command, { change: { topup } }) {
      if (!topup) throw new Error('A top-up was not created');
      return { data: { topupId: topup.topupId, status: 'pending', amount: topup.amount } };
    },
  },
  'topup:settle': {
    keys: ({ request: { topupId, userId, orderId, eventId } }) => ({
      ...{ topups: [topupId], paymentEvents: [eventId], wallets: [userId] },
      ...rowsToPay(userId, orderId),
    }),
    relatedKeys: (unit, { request: { userId, orderId } }) => relatedToPay(unit, userId, orderId),
    decide: settleTopup,
    present(unit, command) {
      const status = unit.topups.get(command.request.topupId)?.status ?? 'pending';
      return { data: { status, isDisputed: isDisputed(unit, command) } };
    },
  },
  'payout:settle': {
    keys: ({ request: { payoutId, userId } }) => ({ payouts: [payoutId], wallets: [userId] }),
    decide: settlePayout,
    present: (unit, { request: { payoutId } }) => ({
      data: { status: unit.payouts.get(payoutId)?.status ?? 'pending' },
    }),
  },
};

/** The rows that paying the order needs, as `order:pay` names them. */
function rowsToPay(userId: string, orderId: string | null | undefined): RowKeys {
  return typeof orderId === 'string' ? payment.keys(paymentOf(userId, orderId)) : {};
}

function relatedToPay(unit: UnitOfWork, userId: string | null, orderId: string | null | undefined): RowKeys {
  if (userId === null || typeof orderId !== 'string') return {};
  return payment.relatedKeys?.(unit, paymentOf(userId, orderId)) ?? {};
}

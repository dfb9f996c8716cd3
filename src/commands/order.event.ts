import { isoTime } from '../contract/fields.js';
import type { OrderStatus } from '../contract/transitions.js';
import type { EventBody } from '../rooms/event.codec.js';
import type { OrderRow } from './rows.js';

/** The event of the order's latest change. */
export function orderEvent(
  order: OrderRow,
  previous: OrderStatus | null,
  entry: OrderRow['timeline'][number],
): EventBody {
  const { orderId, version, status, storeId, buyerId, sellerId, total, carrier, trackingNo, cancelReason } = order;
  return {
    orderId,
    version,
    status,
    previous,
    command: entry.command,
    storeId,
    buyerId,
    sellerId,
    total,
    by: entry.by,
    at: isoTime(entry.at),
    ...(carrier === null ? {} : { carrier }),
    ...(trackingNo === null ? {} : { trackingNo }),
    ...(cancelReason === null ? {} : { cancelReason }),
  };
}

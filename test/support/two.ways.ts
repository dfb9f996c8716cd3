import { type ErrorBody, errorTypes } from '../../src/contract/errors.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer, Request } from '../../src/contract/wire.js';
import type { Person } from './person.js';

/** The two transports. Every command is available on both, with the same answer. */
export const ways = ['socket', 'HTTP'] as const;
export type Way = (typeof ways)[number];

export type OrderCommandName =
  `order:${'place' | 'pay' | 'accept' | 'ship' | 'receive' | 'cancel' | 'refund' | 'track'}`;

/** Submits a command over a transport. An HTTP response is converted into the shape of an acknowledgement. */
export async function give<Name extends OrderCommandName>(
  way: Way,
  person: Person,
  name: Name,
  request: Request<Name>,
): Promise<Answer<Order>> {
  if (way === 'socket') return person.send(name, request) as Promise<Answer<Order>>;
  const { path, body } = routeOf(name, request);
  const { status, headers, body: received } = await person.post<Order & { error?: ErrorBody }>(path, body);
  const seq = headers.get('Event-Seq');
  const replayed = headers.get('Idempotency-Replayed') === null ? {} : { replayed: true as const };
  if (received.error) {
    if (status !== errorTypes[received.error.code].status)
      throw new Error(`${received.error.code} came with status ${status}`);
    if (seq !== null) throw new Error('A refusal came with the number of an event');
    return { ok: false, error: received.error, ...replayed };
  }
  if (status !== (name === 'order:place' ? 201 : 200)) throw new Error(`${name} succeeded with status ${status}`);
  return { ok: true, data: received, ...(seq === null ? {} : { seq: Number(seq) }), ...replayed };
}

function routeOf(name: OrderCommandName, request: Request<OrderCommandName>): { path: string; body: object } {
  if (!('orderId' in request)) return { path: '/orders', body: request };
  const { orderId, ...body } = request;
  return { path: `/orders/${encodeURIComponent(orderId)}/${name.slice('order:'.length)}`, body };
}

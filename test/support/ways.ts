import type { Order } from '../../src/contract/orders.js';
import { type Answer, KEY_HEADER, REPLAYED_HEADER, type Request, SEQ_HEADER } from '../../src/contract/wire.js';
import { TestHub } from './hub.js';
import { type HttpAnswer, Person } from './person.js';
import { createTestDatabase } from './test.database.js';

export type OrderMessage =
  `order:${'place' | 'pay' | 'accept' | 'ship' | 'receive' | 'cancel' | 'refund' | 'track' | 'claim'}`;
/** One transport over which a person can submit a command. */
export type Way = (message: OrderMessage, request: Request<OrderMessage>) => Promise<Answer<Order>>;

/** Another device of the same person, by default on the same hub. */
export function device(person: Person, hub: TestHub = person.hub): Person {
  const other = new Person(hub, person.userId, person.token);
  other.storeId = person.storeId;
  other.actingFor = person.actingFor;
  return other;
}

/** Converts an HTTP response into the shape of an acknowledgement. */
export function asAnswer<Data>({ status, headers, body }: HttpAnswer<unknown>): Answer<Data> {
  const replayed = headers.get(REPLAYED_HEADER) === 'true' ? { replayed: true as const } : {};
  const seq = headers.get(SEQ_HEADER);
  if (status >= 400)
    return { ok: false, ...(body as { error: Extract<Answer<Data>, { ok: false }>['error'] }), ...replayed };
  return { ok: true, data: body as Data, ...(seq === null ? {} : { seq: Number(seq) }), ...replayed };
}

/** Submits a command over HTTP, with its key in the header. */
export async function overHttp(
  person: Person,
  message: OrderMessage,
  { key, ...fields }: Request<OrderMessage>,
): Promise<Answer<Order>> {
  const headers: Record<string, string> = key === undefined ? {} : { [KEY_HEADER]: key };
  const path = 'orderId' in fields ? `/orders/${fields.orderId}/${message.slice('order:'.length)}` : '/orders';
  return asAnswer(await person.post(path, fields, headers));
}

/** Every transport of this person: a socket and HTTP on each of these hubs. */
export async function waysOf(person: Person, ...hubs: TestHub[]): Promise<Way[]> {
  const devices = await Promise.all(hubs.map((hub) => device(person, hub).connect()));
  return devices.flatMap((at): Way[] => [
    (message, request) => at.send(message, request),
    (message, request) => overHttp(at, message, request),
  ]);
}

/** Two hubs on one database. The embedded database serves a single process: there, both are the same hub. */
export async function twoHubs(overrides: Parameters<typeof TestHub.start>[0] = {}) {
  const database = await createTestDatabase();
  const here = await TestHub.start(overrides, database);
  const there = here.database.dialect.singleWriter ? here : await TestHub.start(overrides, database);
  return { here, there };
}

export async function stopBoth(here: TestHub, there: TestHub): Promise<void> {
  if (there !== here) await there.leave();
  await here.stop();
}

export function pick<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('There is nothing to pick from');
  return value;
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

/** `OK`, or the error code. */
export function codeOf(answer: Answer<unknown>): string {
  return answer.ok ? 'OK' : answer.error.code;
}

/** The data of an answer that must have succeeded. */
export function dataOf<Data>(answer: Answer<Data>): Data {
  if (!answer.ok) throw new Error(`The command was refused: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

import type { TestHub } from './hub.js';
import { Person } from './person.js';

/** A person's additional socket and every push it received, in order. */
export interface EventRecorder {
  at: Person;
  heard: { name: string; payload: unknown }[];
}

/** Connects another device of this person and records its pushes from the start. */
export async function listen(
  person: Person,
  last?: { buyer?: number; seller?: number },
  hub: TestHub = person.hub,
): Promise<EventRecorder> {
  const at = new Person(hub, person.userId, person.token);
  at.storeId = person.storeId;
  const heard: EventRecorder['heard'] = [];
  const connecting = at.connect(last ? { last } : {});
  at.socket?.onAny((name: string, payload: unknown) => heard.push({ name, payload }));
  await connecting;
  return { at, heard };
}

/** The recorded pushes in short: `buyer 3` for an order event, the push's name otherwise. */
export function inShort({ at, heard }: EventRecorder): string[] {
  const events = [...at.events];
  return heard.map(({ name }) => {
    const event = name === 'order:status' ? events.shift() : undefined;
    return event ? `${event.role} ${event.seq}` : name;
  });
}

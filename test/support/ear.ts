import type { TestHub } from './hub.js';
import { Person } from './person.js';

/** Everything that a socket of a person was told, in the order in which it was told. */
export interface Ear {
  at: Person;
  heard: { name: string; payload: unknown }[];
}

/** Connects another device of this person, and writes down what it hears from its first moment on. */
export async function listen(
  person: Person,
  last?: { buyer?: number; seller?: number },
  hub: TestHub = person.hub,
): Promise<Ear> {
  const at = new Person(hub, person.userId, person.token);
  at.storeId = person.storeId;
  const heard: Ear['heard'] = [];
  const connecting = at.connect(last ? { last } : {});
  at.socket?.onAny((name: string, payload: unknown) => heard.push({ name, payload }));
  await connecting;
  return { at, heard };
}

/** What was heard, in short: `buyer 3` for an event, and the name of everything else. */
export function inShort({ at, heard }: Ear): string[] {
  const events = [...at.events];
  return heard.map(({ name }) => {
    const event = name === 'order:status' ? events.shift() : undefined;
    return event ? `${event.role} ${event.seq}` : name;
  });
}

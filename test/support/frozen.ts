import type { Person } from './person.js';

interface ReadableLine {
  pause(): void;
  resume(): void;
}

/** Makes a person's socket take nothing of what the hub sends, as if its process stood still. Gives the way to let it go on. */
export function freeze(person: Person): () => void {
  // Socket.IO's client runs on `ws` here, which can stop reading.
  if (!person.socket) throw new Error(`${person.userId} is not connected`);
  const { ws } = person.socket.io.engine.transport as unknown as { ws: ReadableLine };
  ws.pause();
  return () => ws.resume();
}

import type { Person } from './person.js';

interface PausableSocket {
  pause(): void;
  resume(): void;
}

/** Stops reading from a person's socket, as if its process were suspended. Returns a function that resumes it. */
export function freeze(person: Person): () => void {
  // Socket.IO's client runs on `ws` here, which can be paused.
  if (!person.socket) throw new Error(`${person.userId} is not connected`);
  const { ws } = person.socket.io.engine.transport as unknown as { ws: PausableSocket };
  ws.pause();
  return () => ws.resume();
}

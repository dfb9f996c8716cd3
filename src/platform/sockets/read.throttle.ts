import type { HubSocket } from './hub.socket.js';

/**
 * After a rejection, reading from that socket pauses briefly. Messages of a flood that arrive meanwhile are read and rejected
 * together, at a fraction of the cost of each, and a client that honours `retryAfterMs` does not notice. The pause grows with the number
 * of paused sockets, which limits them to some 5,000 reads a second altogether, but is bounded so that no rejection comes late.
 */
const PAUSE_MS_MIN = 40;
const PAUSE_MS_MAX = 80;
const PAUSE_MS_PER_SOCKET = 0.2;

let pausedSockets = 0;

/** Pauses reading from a socket whose message was rejected. */
export function throttleReads({ data: { readControl } }: HubSocket): void {
  if (!readControl.pause('refused')) return;
  pausedSockets += 1;
  const ms = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, pausedSockets * PAUSE_MS_PER_SOCKET));
  setTimeout(() => {
    pausedSockets -= 1;
    readControl.resume('refused');
  }, ms);
}

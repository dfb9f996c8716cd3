import type { HubSocket } from './socket.js';

/**
 * Who was told "not now" is not read from for so long. What a flood sends meanwhile is read and refused together, at a fraction
 * of what each message would cost by itself; and whoever waits as told does not notice. No longer than this, because what waits
 * unread is refused late.
 */
const REST_MS = 100;

/** Lets a socket rest that was refused. */
export function rest({ conn }: HubSocket): void {
  const line = conn.request.socket;
  if (line.isPaused()) return;
  line.pause();
  setTimeout(() => line.resume(), REST_MS);
}

import type { HubSocket } from './socket.js';

/**
 * Who was told "not now" is not read from for a moment. What a flood sends meanwhile is read and refused together, at a fraction
 * of what each message would cost by itself; and whoever waits as told does not notice. The more there are who rest, the longer:
 * all together they are read from some 5,000 times a second at most. But never so long that a refusal would come late, because
 * what waits unread waits for it.
 */
const REST_MS_MIN = 40;
const REST_MS_MAX = 80;
const REST_MS_PER_SOCKET = 0.2;

let resting = 0;

/** Lets a socket rest that was refused. */
export function rest({ data: { reading } }: HubSocket): void {
  if (!reading.stop('refused')) return;
  resting += 1;
  const ms = Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, resting * REST_MS_PER_SOCKET));
  setTimeout(() => {
    resting -= 1;
    reading.goOn('refused');
  }, ms);
}

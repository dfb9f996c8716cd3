import { RoomsService } from '../../src/rooms/rooms.service.js';
import { type TestHub, until } from './hub.js';

/** Holds the next reading of a user's heads, which comes before `room:ready`, until it is released. `reading` resolves once it has begun. */
export function holdNextHeads({ hub }: TestHub): { reading: Promise<void>; release: () => void } {
  const rooms = hub.app.get(RoomsService);
  const heads = rooms.heads;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isReading = false;
  rooms.heads = async (userId) => {
    rooms.heads = heads;
    isReading = true;
    await released;
    return heads.call(rooms, userId);
  };
  return { reading: until('the hub reads the heads', () => isReading), release };
}

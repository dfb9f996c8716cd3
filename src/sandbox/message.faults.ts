import { Injectable } from '@nestjs/common';
import { HubError } from '../contract/errors.js';
import { DELAY_MS_DEFAULT, type FaultName, type FaultRequest } from '../contract/sandbox.js';
import type { MessageName } from '../contract/wire.js';

/** More are those of a test that went wrong. */
const PENDING_MAX = 10_000;

export interface Fault {
  do: FaultName;
  ms: number;
}

/** What is to be done to the next messages of each user. */
@Injectable()
export class MessageFaults {
  private readonly pending = new Map<string, { fault: Fault; left: number }[]>();
  private count = 0;

  add({ userId, message, do: name, times = 1, ms = DELAY_MS_DEFAULT }: FaultRequest): void {
    const key = keyOf(userId, message);
    const pending = this.pending.get(key) ?? [];
    if (this.count >= PENDING_MAX) {
      const problem = `would be more than ${PENDING_MAX} that no message has met`;
      throw HubError.badMessage([{ path: '', problem }]);
    }
    this.count++;
    pending.push({ fault: { do: name, ms }, left: times });
    this.pending.set(key, pending);
  }

  /** What is to be done to this message, if anything. */
  take(userId: string, message: MessageName): Fault | undefined {
    const key = keyOf(userId, message);
    const pending = this.pending.get(key);
    const next = pending?.[0];
    if (!pending || !next) return undefined;
    if (--next.left === 0) {
      pending.shift();
      this.count--;
    }
    if (pending.length === 0) this.pending.delete(key);
    return next.fault;
  }
}

function keyOf(userId: string, message: MessageName): string {
  return `${message}\n${userId}`;
}

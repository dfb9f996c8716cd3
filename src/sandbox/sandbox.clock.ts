import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { HubError } from '../contract/errors.js';
import { Clock } from '../platform/clock/clock.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { EventPublisher } from '../rooms/event.publisher.js';
import { DueWork } from './due.work.js';
import { SandboxState } from './sandbox.state.js';

/** What comes due within this time is done together. The hub would be given a second. */
const STEP_MS = 50;
/** Tries of providers and receivers that stay away, in one advance. What is due of them after that is tried once more, at its end. */
const TRIES_MAX = 100;
/** For clients that do not read. */
const RECEIVED_WITHIN_MS = 2_000;
const CHECK_MS = 5;
const LAST_TIME = Date.UTC(9999, 11, 31);

/** Moves the time on from one moment at which something is due to the next, and does it there. */
@Injectable()
export class SandboxClock {
  constructor(
    private readonly clock: Clock,
    private readonly state: SandboxState,
    private readonly due: DueWork,
    private readonly publisher: EventPublisher,
    private readonly sockets: SocketRegistry,
  ) {}

  /** Returns the time, once all that came due is done and received. */
  async advance(ms: number): Promise<number> {
    const end = this.clock.now() + ms;
    if (end > LAST_TIME) {
      throw HubError.badMessage([{ path: 'advanceMs', problem: 'would lead beyond the year 9999' }]);
    }
    await this.due.run();
    for (let tries = 0; ; ) {
      const orderAt = (await this.due.nextOrderAt()) ?? Number.POSITIVE_INFINITY;
      const tryAt = (tries < TRIES_MAX ? await this.due.nextTryAt() : undefined) ?? Number.POSITIVE_INFINITY;
      if (Math.min(orderAt, tryAt) > end) break;
      if (tryAt < orderAt) tries++;
      await this.state.moveTo(Math.min(end, Math.min(orderAt, tryAt) + STEP_MS));
      await this.due.run();
    }
    await this.state.moveTo(end);
    await this.due.run();
    await this.due.purge();
    await this.delivered();
    return this.clock.now();
  }

  private async delivered(): Promise<void> {
    const until = performance.now() + RECEIVED_WITHIN_MS;
    while (!this.publisher.isUpToDate && performance.now() < until) await sleep(CHECK_MS);
    await this.sockets.received(RECEIVED_WITHIN_MS);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { ErrorBody } from '../../contract/errors.js';
import { type CommandMessageName, isCommand } from '../../contract/wire.js';
import { RateLimiter } from '../limits/rate.limiter.js';
import { SecurityLog } from '../observability/security.log.js';
import type { HubSocket } from './hub.socket.js';

/** Provided by the command queue, which knows how much work the hub can take. */
export const COMMAND_ADMISSION = Symbol('COMMAND_ADMISSION');
export interface CommandAdmission {
  /** How many more such commands of this user the queue takes now. */
  capacityFor(name: CommandMessageName, userId: string): number;
  /** Counts commands as rejected, and returns their error. */
  reject(name: CommandMessageName, count: number): ErrorBody;
}

/** Why a message is not admitted. */
export interface Rejection {
  reason: 'rate limited' | 'overloaded';
  /** The error for this many such messages, which also counts them. */
  error(count: number): ErrorBody;
}

/** Decides whether a message is admitted, before it is parsed: a flood must not cost what the work would have cost. */
@Injectable()
export class MessageAdmission {
  constructor(
    @Inject(COMMAND_ADMISSION) private readonly commands: CommandAdmission,
    private readonly limits: RateLimiter,
    private readonly security: SecurityLog,
  ) {}

  /** Undefined if the message is admitted. `ahead` counts commands of this socket that are admitted and not queued yet. */
  check({ data: { caller, messageBucket } }: HubSocket, name: unknown, ahead = 0): Rejection | undefined {
    const { userId, address } = caller;
    const waitMs = this.limits.waitMs(userId, messageBucket);
    if (waitMs > 0) {
      return { reason: 'rate limited', error: (count) => this.rateLimited({ userId, address }, waitMs, count) };
    }
    if (!isCommand(name) || this.commands.capacityFor(name, userId) > ahead) return undefined;
    this.limits.take(userId, messageBucket);
    return { reason: 'overloaded', error: (count) => this.commands.reject(name, count) };
  }

  /** Counts a message that was admitted. */
  admit({ data: { caller, messageBucket } }: HubSocket): void {
    this.limits.take(caller.userId, messageBucket);
  }

  private rateLimited(client: { userId: string; address: string }, waitMs: number, count: number): ErrorBody {
    const error = this.limits.rejectMessages(waitMs, count);
    this.security.record('rate-limited', { user: client.userId, address: client.address, code: error.code }, count);
    return error;
  }
}

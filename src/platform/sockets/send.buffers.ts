import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { SendBuffer } from './send.buffer.js';

/** How often the bytes are summed. */
const CHECK_MS = 100;
/** Bytes that may wait for their clients, of all sockets together. */
export const UNSENT_BYTES_MAX = 67_108_864;

/**
 * Bounds the memory of what sockets have not sent yet, of all of them together: each alone may be within its limits. Above the
 * total, the fullest socket of the user with most unsent bytes is disconnected; it resumes with `last`.
 */
@Injectable()
export class SendBuffers implements OnApplicationShutdown {
  private readonly open = new Map<SendBuffer, string>();
  private readonly timer = setInterval(() => this.check(), CHECK_MS).unref();

  /** Counts a user's socket until `onClose` calls back. */
  add(buffer: SendBuffer, userId: string, onClose: (closed: () => void) => void): void {
    this.open.set(buffer, userId);
    onClose(() => this.open.delete(buffer));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const byUser = new Map<string, number>();
    let total = 0;
    for (const [{ unsentBytes }, userId] of this.open) {
      if (unsentBytes === 0) continue;
      total += unsentBytes;
      byUser.set(userId, (byUser.get(userId) ?? 0) + unsentBytes);
    }
    while (total > UNSENT_BYTES_MAX) {
      const [worst = ''] = [...byUser].reduce((most, user) => (user[1] > most[1] ? user : most));
      const buffer = this.fullestOf(worst);
      if (!buffer) return;
      total -= buffer.unsentBytes;
      byUser.set(worst, (byUser.get(worst) ?? 0) - buffer.unsentBytes);
      this.open.delete(buffer);
      buffer.disconnectSlowConsumer();
    }
  }

  private fullestOf(userId: string): SendBuffer | undefined {
    let fullest: SendBuffer | undefined;
    for (const [buffer, owner] of this.open) {
      if (owner === userId && buffer.unsentBytes > (fullest?.unsentBytes ?? 0)) fullest = buffer;
    }
    return fullest;
  }
}

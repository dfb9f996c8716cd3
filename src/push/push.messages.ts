import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { PushMessage } from '../contract/push.js';
import { ReceiverClient } from '../platform/http/receiver.client.js';
import { NOTICE_KEPT_MS, type PushAnswer, readRetryAfter } from './push.rules.js';
import type { PushSubscription } from './push.subscription.entity.js';
import { VapidKeys, webPush } from './vapid.keys.js';

/** From the look-up of the push service to its answer: less than what a notice is claimed for. */
const PUSH_TIMEOUT_MS = 10_000;
/** Of RFC 8030: what a push service keeps in place of an earlier message of the same topic. */
const TOPIC_CHARACTERS = 32;

export type Receiver = Pick<PushSubscription, 'endpoint' | 'p256dh' | 'auth'>;

/** Encrypts push messages for one browser each (RFC 8291), and sends them as its push service expects (RFC 8030). */
@Injectable()
export class PushMessages {
  constructor(
    private readonly keys: VapidKeys,
    private readonly receivers: ReceiverClient,
  ) {}

  /** Returns what the push service answered, or null if nothing came in time. */
  async send(receiver: Receiver, message: PushMessage): Promise<PushAnswer | null> {
    const { endpoint, p256dh, auth } = receiver;
    const [{ generateRequestDetails }, authorization] = await Promise.all([
      webPush(),
      this.keys.authorization(endpoint),
    ]);
    const { headers, body } = generateRequestDetails(
      { endpoint, keys: { p256dh, auth } },
      JSON.stringify(message),
      // The library signs a token for each message, which takes longer than the encryption.
      {
        vapidDetails: null as never,
        TTL: NOTICE_KEPT_MS / 1_000,
        urgency: message.kind === 'paid' ? 'high' : 'normal',
        topic: topicOf(message),
      },
    );
    const answer = await this.receivers.post(endpoint, {
      headers: { ...headers, authorization, 'user-agent': 'order-hub' },
      body,
      timeoutMs: PUSH_TIMEOUT_MS,
    });
    return answer && { status: answer.status, retryAfterMs: readRetryAfter(answer.retryAfter) };
  }
}

/** One for what becomes of an order, and one for its notes: a push service keeps, and a browser shows, the latest of each. */
function topicOf({ orderId, kind }: PushMessage): string {
  const subject = kind === 'note' ? 'note' : 'order';
  return createHash('sha256').update(`${subject} ${orderId}`).digest('base64url').slice(0, TOPIC_CHARACTERS);
}

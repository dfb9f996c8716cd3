import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { ReceiverClient } from '../platform/http/receiver.client.js';
import type { Webhook } from './webhook.entity.js';
import { signatureHeaders } from './webhook.signature.js';

/** From the look-up of the host to the answer. */
export const DELIVERY_TIMEOUT_MS = 10_000;

export interface WebhookMessage {
  /** `webhook-id`. */
  id: string;
  body: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Sends signed requests to webhooks. */
@Injectable()
export class WebhookSender {
  constructor(
    private readonly receivers: ReceiverClient,
    private readonly clock: Clock,
  ) {}

  /** Returns the HTTP status of the answer, or null if none came in time. Never rejects. */
  async send({ url, secret }: Pick<Webhook, 'url' | 'secret'>, message: WebhookMessage): Promise<number | null> {
    const { id, body, timeoutMs = DELIVERY_TIMEOUT_MS, signal } = message;
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'order-hub',
      ...signatureHeaders(secret, id, this.clock.realNow(), body),
    };
    const answer = await this.receivers.post(url, { headers, body, timeoutMs, signal });
    return answer?.status ?? null;
  }
}

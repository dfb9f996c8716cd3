import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Person } from './person.js';

const ANSWER_WITHIN_MS = 8_000;
const PAUSE_MS = 50;
/** Longer than any outage of a test. */
const GIVES_UP_AFTER_MS = 120_000;

/** An answer that stays: a success, or a refusal that is not for now. */
export type Final<Data> = { ok: true; data: Data } | { ok: false; error: ErrorBody };

/** The hubs of a test, which die: a command goes to one of them until it has its final answer, with one key. */
export class ShopClient {
  constructor(
    private readonly urls: () => readonly string[],
    private readonly random: () => number,
  ) {}

  /** One of the hubs, dead or alive. */
  anyUrl(): string {
    const urls = this.urls();
    return urls[Math.floor(this.random() * urls.length)] ?? '';
  }

  async post<Data>({ token }: Person, path: string, body: object): Promise<Final<Data>> {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    };
    const end = Date.now() + GIVES_UP_AFTER_MS;
    for (let attempt = 0; Date.now() < end; attempt++) {
      if (attempt > 0) await sleep(PAUSE_MS);
      const answer = await this.attempt<Data>(path, { method: 'POST', headers, body: JSON.stringify(body) });
      if (answer && (answer.ok || !answer.error.retryable)) return answer;
    }
    throw new Error(`${path} had no final answer`);
  }

  private async attempt<Data>(path: string, request: RequestInit): Promise<Final<Data> | undefined> {
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`${this.anyUrl()}${path}`, { ...request, signal });
      const body = (await response.json()) as Data & { error: ErrorBody };
      return response.ok ? { ok: true, data: body } : { ok: false, error: body.error };
    } catch {
      // Its hub has died, or the answer was cut.
      return undefined;
    }
  }
}

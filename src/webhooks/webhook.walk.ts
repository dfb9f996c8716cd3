import type { WalkedWebhook, WebhookCursors } from './webhook.cursors.js';

/** Webhooks of a step, and the pause after it: longer at the end of the walk. */
const PAGE = 1_000;
const STEP_MS = 100;
const PAUSE_MS = 1_000;

/** Walks through all webhooks again and again, in steps, so that whatever a wakeup missed is found. */
export class WebhookWalk {
  private after = '';
  private nextAt = 0;

  constructor(private readonly cursors: WebhookCursors) {}

  get isUnderway(): boolean {
    return this.after !== '';
  }

  /** Makes the next step possible at once. */
  hurry(): void {
    this.nextAt = 0;
  }

  /** The webhooks of the next step, and whether the walk is over; nothing before its time. */
  async next(now: number): Promise<{ page: WalkedWebhook[]; isOver: boolean } | undefined> {
    if (performance.now() < this.nextAt) return undefined;
    const page = await this.cursors.walk(this.after, PAGE, now);
    const isOver = page.length < PAGE;
    this.after = isOver ? '' : (page.at(-1)?.webhookId ?? '');
    this.nextAt = performance.now() + (isOver ? PAUSE_MS : STEP_MS);
    return { page, isOver };
  }
}

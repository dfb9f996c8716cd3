import type { Role } from '../contract/transitions.js';
import { roomKey } from '../rooms/rooms.service.js';
import type { Webhook } from './webhook.entity.js';

/** Which webhooks there are, by room: what makes an event cost no statement where nobody listens. */
export class WebhookIndex {
  private readonly roomOf = new Map<string, string>();
  private readonly byRoom = new Map<string, Set<string>>();
  /** The webhooks seen in the walk that is under way. */
  private walked = new Set<string>();

  add({ webhookId, role, userId }: Pick<Webhook, 'webhookId' | 'role' | 'userId'>): void {
    const room = roomKey(role, userId);
    this.walked.add(webhookId);
    this.roomOf.set(webhookId, room);
    const webhooks = this.byRoom.get(room) ?? new Set();
    this.byRoom.set(room, webhooks.add(webhookId));
  }

  /** A walk through all webhooks has ended. Others are gone, and returned. */
  endWalk(): string[] {
    const gone = [...this.roomOf.keys()].filter((webhookId) => !this.walked.has(webhookId));
    for (const webhookId of gone) this.remove(webhookId);
    this.walked = new Set();
    return gone;
  }

  of(role: Role, userId: string): ReadonlySet<string> | undefined {
    return this.byRoom.size === 0 ? undefined : this.byRoom.get(roomKey(role, userId));
  }

  private remove(webhookId: string): void {
    const room = this.roomOf.get(webhookId) ?? '';
    this.roomOf.delete(webhookId);
    const webhooks = this.byRoom.get(room);
    webhooks?.delete(webhookId);
    if (webhooks?.size === 0) this.byRoom.delete(room);
  }
}

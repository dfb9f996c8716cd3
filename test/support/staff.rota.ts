import { setTimeout as sleep } from 'node:timers/promises';
import type { Books } from './audit.js';
import type { History, Membership } from './history.js';
import { until } from './hub.js';

const RIGHTS = ['read', 'sell'];
const ANSWER_WITHIN_MS = 5_000;
const RETRY_MS = 50;
/** Hubs and database servers are down for a while in some scenarios. */
const DONE_WITHIN_MS = 120_000;
const PAUSE_MS = { employed: 400, away: 200 };

export interface StaffMember {
  userId: string;
  ownerId: string;
  /** The owner's: only the owner, or who has the right, hires and removes. */
  ownerToken: string;
}

interface StaffRotaOptions {
  members: readonly StaffMember[];
  /** The current hubs. */
  urls: () => readonly string[];
  history: History;
  books: Books;
  random: () => number;
}

/** Hires the staff of sellers, and under load removes its members and hires them again. Records in the history who was a member when. */
export class StaffRota {
  removals = 0;
  private readonly current = new Map<string, Membership>();
  private isOver = false;
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: StaffRotaOptions) {}

  async hireAll(): Promise<void> {
    for (const member of this.options.members) await this.hire(member);
  }

  start(): void {
    this.loop = this.takeTurns();
    // A failure is thrown by `stop`.
    this.loop.catch(() => {});
  }

  /** Everybody is a member in the end. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.loop;
  }

  async hire({ userId, ownerId, ownerToken }: StaffMember): Promise<void> {
    const { history } = this.options;
    const membership = { ownerId, userId, after: await this.head(ownerId), until: Number.POSITIVE_INFINITY };
    history.memberships.push(membership);
    this.current.set(userId, membership);
    await this.request('POST', '/staff', ownerToken, [201], { userId, rights: RIGHTS });
  }

  async remove({ userId, ownerId, ownerToken }: StaffMember): Promise<void> {
    // An earlier attempt may have removed the member, and its answer was lost.
    await this.request('DELETE', `/staff/${encodeURIComponent(userId)}`, ownerToken, [204, 404]);
    const membership = this.current.get(userId);
    if (membership) membership.until = await this.head(ownerId);
    this.removals += 1;
  }

  private async takeTurns(): Promise<void> {
    const { members, random } = this.options;
    while (!this.isOver) {
      await sleep(random() * PAUSE_MS.employed);
      const member = members[Math.floor(random() * members.length)];
      if (!member) return;
      await this.remove(member);
      await sleep(random() * PAUSE_MS.away);
      await this.hire(member);
    }
  }

  /** The head of a seller's room, once the database answers. */
  private async head(ownerId: string): Promise<number> {
    let head: number | undefined;
    const sql = "SELECT head FROM rooms WHERE role = 'seller' AND user_id = ?";
    const read = async () => {
      const rows = await this.options.books.rows<{ head: number }>(sql, [ownerId]).catch(() => []);
      head = rows[0] && Number(rows[0].head);
      return head !== undefined;
    };
    await until(`the room of ${ownerId} can be read`, read, DONE_WITHIN_MS);
    return head ?? 0;
  }

  /** Sends a request to any hub, until it has one of these answers. */
  private async request(method: string, path: string, token: string, answers: readonly number[], body?: object) {
    const { urls, random } = this.options;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const send = async () => {
      const url = urls()[Math.floor(random() * urls().length)];
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`${url}${path}`, {
        ...{ method, headers, signal },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }).catch(() => undefined);
      await response?.text().catch(() => undefined);
      if (response && answers.includes(response.status)) return true;
      // What a client did wrong no retry mends.
      if (response && response.status < 500 && response.status !== 429)
        throw new Error(`${method} ${path} was answered with ${response.status}`);
      await sleep(RETRY_MS);
      return false;
    };
    await until(`${method} ${path} is answered`, send, DONE_WITHIN_MS);
  }
}

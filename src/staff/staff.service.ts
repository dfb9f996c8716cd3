import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { SessionsService } from '../auth/sessions.service.js';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import { type Right, rights } from '../contract/rights.js';
import {
  type AddMemberRequest,
  type MemberOfView,
  type MemberView,
  STAFF_PER_SELLER_MAX,
  type StaffRequest,
} from '../contract/staff.js';
import { accountOf, type Caller, missingRight } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockMembership } from '../platform/database/membership.lock.js';
import { toPage } from '../platform/database/pagination.js';
import { lockRows } from '../platform/database/row.lock.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { StaffMember } from './staff.member.entity.js';

/** A membership that was ended: sockets and commands of this member for this seller know it by its id. */
type Ended = Pick<StaffMember, 'userId' | 'membershipId'>;

/** The staff of sellers: who may act for whom, and within which rights. */
@Injectable()
export class StaffService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sessions: SessionsService,
    private readonly sockets: SocketRegistry,
    @InjectRepository(StaffMember) private readonly members: Repository<StaffMember>,
  ) {}

  /**
   * Adds a member, or replaces a member's rights. Throws `FORBIDDEN` for a right that the caller lacks, `USER_NOT_FOUND`, `BAD_MESSAGE`
   * for the seller itself and above the limit.
   */
  async add(caller: Caller, { userId, rights: given }: AddMemberRequest): Promise<MemberView> {
    const ownerId = accountOf(caller);
    if (userId === ownerId) throw HubError.badMessage([{ path: 'userId', problem: 'must not be the seller' }]);
    const lacking = given.find((right) => !caller.rights.has(right));
    if (lacking !== undefined) throw missingRight(lacking);
    const text = rights.filter((right) => given.includes(right)).join(' ');
    const { member, ended } = await this.database.transaction(
      async (tx) => {
        await this.lock(tx, caller, userId);
        // The seller's orders are placed before or after this: a member cannot place any. It also keeps the limit.
        await lockRows(tx, 'rooms', { role: 'seller', user_id: ownerId });
        await lockRows(tx, 'users', { user_id: userId });
        const sql = 'SELECT user_id FROM users WHERE user_id = ? AND unregistered_at IS NULL';
        const users: unknown[] = await tx.query(sql, [userId]);
        if (users.length === 0) throw new HubError('USER_NOT_FOUND', 'There is no such user.');
        return this.put(tx, { ownerId, userId, rights: text });
      },
      { userId: caller.userId },
    );
    this.disconnect(ended);
    return present(member);
  }

  /** Removes a member: its sockets end within a second on every hub. Throws `NOT_FOUND`. */
  async remove(caller: Caller, userId: string): Promise<void> {
    const ownerId = accountOf(caller);
    const ended = await this.database.transaction(
      async (tx) => {
        // Waits for the batches in which the member acts: what they do is done before.
        await this.lock(tx, caller, userId);
        const members = tx.withRepository(this.members);
        const member = await members.findOneBy({ ownerId, userId });
        if (!member) throw new HubError('NOT_FOUND', undefined, { what: 'member' });
        await members.delete({ ownerId, userId });
        return this.end(tx, [member]);
      },
      { userId: caller.userId },
    );
    this.disconnect(ended);
  }

  /** The members of the caller's staff, or of the seller's for whom the caller acts. */
  async list(caller: Caller, request: StaffRequest): Promise<Page<MemberView>> {
    return this.page({ ownerId: accountOf(caller) }, 'userId', request, present);
  }

  /** The sellers for whom this user may act. */
  async listOf(userId: string, request: StaffRequest): Promise<Page<MemberOfView>> {
    return this.page({ userId }, 'ownerId', request, (member) => {
      return { ownerId: member.ownerId, rights: rightsOf(member), createdAt: isoTime(member.createdAt) };
    });
  }

  /** The membership of this user in this seller's staff. */
  async find(ownerId: string, userId: string): Promise<{ membershipId: string; rights: Right[] } | null> {
    // Plain SQL, as for sessions: every request of a member reads it.
    const [member]: Pick<StaffMember, 'membershipId' | 'rights'>[] = await this.members.query(
      'SELECT membership_id AS membershipId, rights FROM staff_members WHERE owner_id = ? AND user_id = ?',
      [ownerId, userId],
    );
    return member ? { membershipId: member.membershipId, rights: rightsOf(member) } : null;
  }

  /** Ends all memberships of a user who unregisters, as seller and as member. `disconnect` follows once that is committed. */
  async leave(tx: Tx, userId: string): Promise<Ended[]> {
    const members = tx.withRepository(this.members);
    const left = await members.findBy([{ ownerId: userId }, { userId }]);
    for (const { ownerId, userId: memberId } of left) await members.delete({ ownerId, userId: memberId });
    return this.end(tx, left);
  }

  /** Disconnects the sockets on this hub of members who were removed. */
  disconnect(ended: readonly Ended[]): void {
    for (const { userId, membershipId } of ended) {
      this.sockets.endSessions(userId, 'staff', ({ acting }) => acting?.membershipId === membershipId);
    }
  }

  private async lock(tx: Tx, caller: Caller, userId: string): Promise<void> {
    await lockMembership(tx, caller);
    await lockRows(tx, 'staff_members', { owner_id: accountOf(caller), user_id: userId });
  }

  private async put(
    tx: Tx,
    wanted: Pick<StaffMember, 'ownerId' | 'userId' | 'rights'>,
  ): Promise<{ member: Omit<StaffMember, 'owner' | 'user' | 'version'>; ended: Ended[] }> {
    const members = tx.withRepository(this.members);
    const { ownerId, userId } = wanted;
    const before = await members.findOneBy({ ownerId, userId });
    if (before?.rights === wanted.rights) return { member: before, ended: [] };
    const member = { ...wanted, membershipId: uuidv7(), createdAt: before?.createdAt ?? this.clock.now() };
    if (before) {
      const { membershipId, rights: replaced } = member;
      await members.update({ ownerId, userId }, { membershipId, rights: replaced });
      return { member, ended: await this.end(tx, [before]) };
    }
    if ((await members.countBy({ ownerId })) >= STAFF_PER_SELLER_MAX) {
      throw HubError.badMessage([{ path: '', problem: `would be more than ${STAFF_PER_SELLER_MAX} members` }]);
    }
    await members.insert({ ...member, version: 0 });
    return { member, ended: [] };
  }

  /** Records them for the other hubs, among the sessions that have ended. */
  private async end(tx: Tx, members: readonly StaffMember[]): Promise<Ended[]> {
    for (const { userId, membershipId } of members) {
      await this.sessions.recordEnded(tx, userId, 'staff', [membershipId]);
    }
    return members.map(({ userId, membershipId }) => ({ userId, membershipId }));
  }

  private async page<View>(
    where: Partial<Pick<StaffMember, 'ownerId' | 'userId'>>,
    by: 'ownerId' | 'userId',
    { after, limit = PAGE_LIMIT_DEFAULT }: StaffRequest,
    view: (member: StaffMember) => View,
  ): Promise<Page<View>> {
    const query = this.members
      .createQueryBuilder('member')
      .where(where)
      .orderBy(`member.${by}`)
      .limit(limit + 1);
    if (after !== undefined) query.andWhere(`member.${by} > :after`, { after });
    const rows = await query.getMany();
    const { items, next } = toPage(
      rows,
      limit,
      (member) => ({ member }),
      ({ member }) => member[by],
    );
    return { items: items.map(({ member }) => view(member)), next };
  }
}

function rightsOf({ rights: text }: Pick<StaffMember, 'rights'>): Right[] {
  return rights.filter((right) => text.split(' ').includes(right));
}

function present(member: Pick<StaffMember, 'userId' | 'rights' | 'createdAt'>): MemberView {
  return { userId: member.userId, rights: rightsOf(member), createdAt: isoTime(member.createdAt) };
}

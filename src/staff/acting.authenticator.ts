import { Injectable } from '@nestjs/common';
import { BearerAuthenticator } from '../auth/bearer.authenticator.js';
import { HubError } from '../contract/errors.js';
import type { AnyRight } from '../contract/rights.js';
import type { SessionEndedReason } from '../contract/rooms.js';
import type { Principal } from '../platform/caller.js';
import type { Authenticator } from '../platform/sockets/handshake.js';
import { StaffService } from './staff.service.js';

/** Whom a bearer token stands for, and for whom that user acts. */
@Injectable()
export class ActingAuthenticator implements Authenticator {
  constructor(
    private readonly bearers: BearerAuthenticator,
    private readonly staff: StaffService,
  ) {}

  authenticate(token: string): Promise<Principal> {
    return this.bearers.authenticate(token);
  }

  async actFor(principal: Principal, ownerId: string): Promise<Principal> {
    const member = principal.kind === 'operator' ? null : await this.staff.find(ownerId, principal.userId);
    if (!member) throw new HubError('FORBIDDEN', 'You are not a member of this seller’s staff.');
    const { membershipId, rights } = member;
    // What a seller buys is the seller's own, whatever the rights.
    const both = rights.filter((right) => right !== 'buy' && principal.rights.has(right));
    return { ...principal, acting: { ownerId, membershipId }, rights: new Set<AnyRight>(both) };
  }

  /** Why an authenticated caller is one no more, if so: its session or membership may have ended while its socket was connecting. */
  async endingOf(principal: Principal): Promise<SessionEndedReason | undefined> {
    const ending = await this.bearers.endingOf(principal);
    const { userId, acting } = principal;
    if (ending !== undefined || !acting) return ending;
    const member = await this.staff.find(acting.ownerId, userId);
    return member?.membershipId === acting.membershipId ? undefined : 'staff';
  }
}

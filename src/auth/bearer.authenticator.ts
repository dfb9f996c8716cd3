import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import { operatorRights } from '../contract/rights.js';
import type { SessionEndedReason } from '../contract/rooms.js';
import { HUB } from '../contract/transitions.js';
import type { Principal } from '../platform/caller.js';
import { ApiKeysService } from './api.keys.service.js';
import { SessionsService } from './sessions.service.js';
import { hashToken, isKeySecret, isSameHash, isSessionToken } from './tokens.js';

const OPERATOR_RIGHTS = new Set(operatorRights);

/** Whom a bearer token stands for: the user of a session or of an API key, or the operator. */
@Injectable()
export class BearerAuthenticator {
  private readonly operatorHash: string | undefined;

  constructor(
    private readonly sessions: SessionsService,
    private readonly keys: ApiKeysService,
    @Inject(CONFIG) { operatorKey }: Config,
  ) {
    this.operatorHash = operatorKey === undefined ? undefined : hashToken(operatorKey);
  }

  /** Throws `UNAUTHENTICATED`. */
  async authenticate(token: string): Promise<Principal> {
    const hash = hashToken(token);
    if (this.operatorHash !== undefined && isSameHash(hash, this.operatorHash)) return operator(hash);
    let principal: Principal | undefined;
    if (isSessionToken(token)) principal = await this.sessions.findByHash(hash);
    else if (isKeySecret(token)) principal = await this.keys.findByHash(hash);
    if (!principal) throw new HubError('UNAUTHENTICATED');
    return principal;
  }

  /** Why an authenticated caller's session or key is over, if it is: it may have ended while its socket was connecting. */
  async endingOf(principal: Principal): Promise<SessionEndedReason | undefined> {
    const isLive = await (principal.kind === 'key' ? this.keys : this.sessions).isLive(principal.sessionId);
    return isLive ? undefined : this.sessions.reasonOf(principal);
  }
}

function operator(sessionId: string): Principal {
  return {
    userId: HUB,
    kind: 'operator',
    sessionId,
    terminal: null,
    expiresAt: Number.POSITIVE_INFINITY,
    rights: OPERATOR_RIGHTS,
  };
}

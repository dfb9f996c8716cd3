import { Controller } from '@nestjs/common';
import type {
  ApiKeyView,
  CreatedKey,
  CreateKeyRequest,
  KeyRequest,
  ListedSession,
  ListRequest,
  SessionRequest,
} from '../contract/auth.js';
import type { Page } from '../contract/fields.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { ApiKeysService } from './api.keys.service.js';
import { SessionsService } from './sessions.service.js';

/** What a user's devices and programs authenticate with. */
@Controller()
export class TokensController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly sessions: SessionsService,
  ) {}

  @ContractRoute('createKey')
  createKey(@CurrentUser() caller: Caller, @Input() request: CreateKeyRequest): Promise<CreatedKey> {
    return this.keys.create(caller, request);
  }

  @ContractRoute('keys')
  listKeys(@CurrentUser() { userId }: Caller, @Input() request: ListRequest): Promise<Page<ApiKeyView>> {
    return this.keys.list(userId, request);
  }

  @ContractRoute('deleteKey')
  deleteKey(@CurrentUser() { userId }: Caller, @Input() { keyId }: KeyRequest): Promise<void> {
    return this.keys.delete(userId, keyId);
  }

  @ContractRoute('sessions')
  listSessions(@CurrentUser() caller: Caller, @Input() request: ListRequest): Promise<Page<ListedSession>> {
    return this.sessions.list(caller, request);
  }

  @ContractRoute('endSession')
  endSession(@CurrentUser() caller: Caller, @Input() { sessionId }: SessionRequest): Promise<void> {
    return this.sessions.endById(caller, sessionId);
  }
}

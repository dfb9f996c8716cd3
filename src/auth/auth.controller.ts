import { Controller } from '@nestjs/common';
import type { LoggedIn, LoginRequest, PasswordRequest, SessionView } from '../contract/auth.js';
import { isoTime } from '../contract/fields.js';
import type { Caller, ClientInfo } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Client, ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { AuthService } from './auth.service.js';
import { SessionsService } from './sessions.service.js';

@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  @ContractRoute('login')
  login(@Client() client: ClientInfo, @Input() request: LoginRequest): Promise<LoggedIn> {
    return this.auth.login(request, client);
  }

  @ContractRoute('logout')
  logout(@CurrentUser() caller: Caller, @Input() _nothing: object): Promise<void> {
    return this.sessions.end(caller);
  }

  @ContractRoute('session')
  session(@CurrentUser() { userId, terminal, expiresAt }: Caller, @Input() _nothing: object): SessionView {
    return { userId, terminal, expiresAt: Number.isFinite(expiresAt) ? isoTime(this.clock.fromReal(expiresAt)) : null };
  }

  @ContractRoute('password')
  password(@CurrentUser() caller: Caller, @Input() request: PasswordRequest): Promise<void> {
    return this.auth.changePassword(caller, request);
  }
}

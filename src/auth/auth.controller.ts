import { Controller } from '@nestjs/common';
import type { LoggedIn, LoginRequest, PasswordRequest, SessionView } from '../contract/auth.js';
import { isoTime } from '../contract/fields.js';
import type { Caller, Sender } from '../platform/caller.js';
import { FromCaller, FromSender, Input, Serves } from '../platform/http.js';
import { AuthService } from './auth.service.js';
import { SessionsService } from './sessions.service.js';

@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  @Serves('login')
  login(@FromSender() sender: Sender, @Input() request: LoginRequest): Promise<LoggedIn> {
    return this.auth.login(request, sender);
  }

  @Serves('logout')
  logout(@FromCaller() caller: Caller, @Input() _nothing: object): Promise<void> {
    return this.sessions.end(caller);
  }

  @Serves('session')
  session(@FromCaller() { userId, terminal, expiresAt }: Caller, @Input() _nothing: object): SessionView {
    return { userId, terminal, expiresAt: isoTime(expiresAt) };
  }

  @Serves('password')
  password(@FromCaller() caller: Caller, @Input() request: PasswordRequest): Promise<void> {
    return this.auth.changePassword(caller, request);
  }
}

import { Controller } from '@nestjs/common';
import type { RegisterRequest, UnregisterRequest } from '../contract/auth.js';
import type { Caller, Sender } from '../platform/caller.js';
import { FromCaller, FromSender, Input, Serves } from '../platform/http.js';
import { AccountsService } from './accounts.service.js';

@Controller()
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Serves('register')
  register(@FromSender() sender: Sender, @Input() request: RegisterRequest): Promise<{ userId: string }> {
    return this.accounts.register(request, sender);
  }

  @Serves('unregister')
  unregister(@FromCaller() caller: Caller, @Input() { password }: UnregisterRequest): Promise<void> {
    return this.accounts.unregister(caller, password);
  }
}

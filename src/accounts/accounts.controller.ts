import { Controller } from '@nestjs/common';
import type { LoggedIn, OpenSessionRequest, RegisterRequest, UnregisterRequest } from '../contract/auth.js';
import type { Caller, ClientInfo } from '../platform/caller.js';
import { Client, ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { AccountsService } from './accounts.service.js';

@Controller()
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @ContractRoute('register')
  register(@Client() client: ClientInfo, @Input() request: RegisterRequest): Promise<{ userId: string }> {
    return this.accounts.register(request, client);
  }

  @ContractRoute('openSession')
  openSession(@CurrentUser() _operator: Caller, @Input() request: OpenSessionRequest): Promise<LoggedIn> {
    return this.accounts.openSession(request);
  }

  @ContractRoute('unregister')
  unregister(@CurrentUser() caller: Caller, @Input() { password }: UnregisterRequest): Promise<void> {
    return this.accounts.unregister(caller, password);
  }
}

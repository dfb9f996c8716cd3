import { Controller } from '@nestjs/common';
import type { PushKey, Subscribed, SubscribeRequest, SubscriptionRequest } from '../contract/push.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { PushService } from './push.service.js';

@Controller()
export class PushController {
  constructor(private readonly push: PushService) {}

  @ContractRoute('pushKey')
  key(@Input() _nothing: object): Promise<PushKey> {
    return this.push.key();
  }

  @ContractRoute('subscribe')
  subscribe(@CurrentUser() caller: Caller, @Input() request: SubscribeRequest): Promise<Subscribed> {
    return this.push.subscribe(caller, request);
  }

  @ContractRoute('unsubscribe')
  unsubscribe(@CurrentUser() caller: Caller, @Input() request: SubscriptionRequest): Promise<void> {
    return this.push.unsubscribe(caller, request);
  }
}

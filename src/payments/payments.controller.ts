import { Controller, Req } from '@nestjs/common';
import type { Page } from '../contract/fields.js';
import type {
  CreateTopupRequest,
  EventReceived,
  TopupPage,
  TopupRequest,
  TopupsRequest,
  TopupView,
} from '../contract/payments.js';
import type { Answer } from '../contract/wire.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, type HubRequest, Input } from '../platform/http/contract.route.js';
import { PaymentEvents } from './payment.events.js';
import { TopupsService } from './topups.service.js';

@Controller()
export class PaymentsController {
  constructor(
    private readonly topups: TopupsService,
    private readonly events: PaymentEvents,
  ) {}

  @ContractRoute('createTopup')
  create(@CurrentUser() caller: Caller, @Input() request: CreateTopupRequest): Promise<Answer<TopupPage>> {
    return this.topups.create(caller, request);
  }

  @ContractRoute('topups')
  list(@CurrentUser() caller: Caller, @Input() request: TopupsRequest): Promise<Page<TopupView>> {
    return this.topups.list(accountOf(caller), request);
  }

  @ContractRoute('topup')
  get(@CurrentUser() caller: Caller, @Input() { topupId }: TopupRequest): Promise<TopupView> {
    return this.topups.get(accountOf(caller), topupId);
  }

  @ContractRoute('paymentEvent')
  async receive(@Req() { body, headers }: HubRequest): Promise<EventReceived> {
    await this.events.receive(Buffer.isBuffer(body) ? body : Buffer.alloc(0), headers);
    return { received: true };
  }
}

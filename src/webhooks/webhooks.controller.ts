import { Controller } from '@nestjs/common';
import type { Page } from '../contract/fields.js';
import type {
  ChangeWebhookRequest,
  CreatedWebhook,
  CreateWebhookRequest,
  RewindRequest,
  Tested,
  WebhookRequest,
  WebhooksRequest,
  WebhookView,
} from '../contract/webhooks.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { WebhooksService } from './webhooks.service.js';

@Controller()
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @ContractRoute('createWebhook')
  create(@CurrentUser() caller: Caller, @Input() request: CreateWebhookRequest): Promise<CreatedWebhook> {
    return this.webhooks.create(caller, request);
  }

  @ContractRoute('webhooks')
  list(@CurrentUser() caller: Caller, @Input() request: WebhooksRequest): Promise<Page<WebhookView>> {
    return this.webhooks.list(caller, request);
  }

  @ContractRoute('changeWebhook')
  change(@CurrentUser() caller: Caller, @Input() request: ChangeWebhookRequest): Promise<WebhookView> {
    return this.webhooks.change(caller, request);
  }

  @ContractRoute('rewindWebhook')
  rewind(@CurrentUser() caller: Caller, @Input() request: RewindRequest): Promise<WebhookView> {
    return this.webhooks.rewind(caller, request);
  }

  @ContractRoute('testWebhook')
  test(@CurrentUser() caller: Caller, @Input() request: WebhookRequest): Promise<Tested> {
    return this.webhooks.test(caller, request);
  }

  @ContractRoute('deleteWebhook')
  delete(@CurrentUser() caller: Caller, @Input() request: WebhookRequest): Promise<void> {
    return this.webhooks.delete(caller, request);
  }
}

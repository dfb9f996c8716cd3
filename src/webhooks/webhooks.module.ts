import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RoomsModule } from '../rooms/rooms.module.js';
import { WebhookCursors } from './webhook.cursors.js';
import { WebhookDeliverer } from './webhook.deliverer.js';
import { Webhook } from './webhook.entity.js';
import { WebhookFailures } from './webhook.failures.js';
import { WebhookFlights } from './webhook.flights.js';
import { WebhookLetters } from './webhook.letters.js';
import { WebhookSender } from './webhook.sender.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksService } from './webhooks.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Webhook]), RoomsModule],
  controllers: [WebhooksController],
  providers: [
    WebhookSender,
    WebhookCursors,
    WebhookLetters,
    WebhookFlights,
    WebhookDeliverer,
    WebhookFailures,
    WebhooksService,
  ],
  exports: [WebhooksService, WebhookDeliverer, WebhookFailures],
})
export class WebhooksModule {}

import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CommandsModule } from '../commands/commands.module.js';
import { CONFIG, type Config } from '../config.js';
import { Clock } from '../platform/clock/clock.js';
import { listeningAddress } from '../platform/http/listening.address.js';
import { PaymentEvents } from './payment.events.js';
import { paymentHandlers } from './payment.handlers.js';
import { PAYMENT_PROVIDER, type PaymentProvider } from './payment.provider.js';
import { PaymentScheduler } from './payment.scheduler.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { Payout } from './payout.entity.js';
import { ProviderCalls } from './provider.calls.js';
import { TestPage } from './test.page.js';
import { TestProvider } from './test.provider.js';
import { Topup } from './topup.entity.js';
import { TopupsService } from './topups.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Topup, Payout]), CommandsModule.forFeature(paymentHandlers)],
  controllers: [PaymentsController],
  providers: [
    ProviderCalls,
    TopupsService,
    PaymentsService,
    PaymentEvents,
    PaymentScheduler,
    TestPage,
    { provide: PAYMENT_PROVIDER, inject: [CONFIG, Clock, HttpAdapterHost], useFactory: providerOf },
  ],
  exports: [TopupsService, PaymentsService, PaymentScheduler],
})
export class PaymentsModule {}

/** The provider of the configuration. Stripe's package is loaded only where it is used. */
async function providerOf(
  config: Config,
  clock: Clock,
  adapter: HttpAdapterHost,
): Promise<PaymentProvider | undefined> {
  const { payments } = config;
  if (!payments) return undefined;
  if (payments.provider === 'test')
    return new TestProvider(clock, () => listeningAddress(adapter.httpAdapter.getHttpServer(), config));
  const { StripeProvider } = await import('./stripe.provider.js');
  return new StripeProvider(payments, clock);
}

import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CommandsModule } from '../commands/commands.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { PushModule } from '../push/push.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { DueWork } from './due.work.js';
import { MessageFaults } from './message.faults.js';
import { SandboxClock } from './sandbox.clock.js';
import { SandboxController } from './sandbox.controller.js';
import { SANDBOX_CONTROLS, type SandboxControls } from './sandbox.controls.js';
import { SandboxGuard } from './sandbox.guard.js';
import { SandboxRequests } from './sandbox.requests.js';
import { SandboxState } from './sandbox.state.js';
import { Transcripts } from './transcripts.js';

/** What the sandbox does on the way of messages. */
@Module({ providers: [MessageFaults, Transcripts], exports: [MessageFaults, Transcripts] })
export class SandboxMessagesModule {}

/** Time, faults and transcripts for the tests of clients: with `SANDBOX=on` only. */
@Module({})
export class SandboxModule {
  static with(controls: SandboxControls): DynamicModule {
    return {
      module: SandboxModule,
      imports: [
        SandboxMessagesModule,
        CommandsModule,
        RoomsModule,
        OrdersModule,
        PaymentsModule,
        WebhooksModule,
        PushModule,
      ],
      controllers: [SandboxController],
      providers: [
        { provide: SANDBOX_CONTROLS, useValue: controls },
        { provide: APP_INTERCEPTOR, useExisting: SandboxRequests },
        SandboxRequests,
        SandboxGuard,
        SandboxState,
        SandboxClock,
        DueWork,
      ],
    };
  }
}

import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CommandsModule } from '../commands/commands.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { PushModule } from '../push/push.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StaffModule } from '../staff/staff.module.js';
import { StoresModule } from '../stores/stores.module.js';
import { WalletsModule } from '../wallets/wallets.module.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { PersonalController } from './personal.controller.js';
import { PersonalErasure } from './personal.erasure.js';
import { PersonalExport } from './personal.export.js';

@Module({
  imports: [
    AuthModule,
    StaffModule,
    CommandsModule,
    WalletsModule,
    PaymentsModule,
    RoomsModule,
    StoresModule,
    OrdersModule,
    WebhooksModule,
    PushModule,
  ],
  controllers: [AccountsController, PersonalController],
  providers: [AccountsService, PersonalErasure, PersonalExport],
})
export class AccountsModule {}

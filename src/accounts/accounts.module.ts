import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { WalletModule } from '../wallet/wallet.module.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';

@Module({
  imports: [AuthModule, WalletModule, RoomsModule, OrdersModule],
  controllers: [AccountsController],
  providers: [AccountsService],
})
export class AccountsModule {}

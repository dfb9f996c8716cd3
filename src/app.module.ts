import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuthModule } from './auth/auth.module.js';
import { EndedSession, Session } from './auth/session.entity.js';
import { User } from './auth/user.entity.js';
import { CommandAnswer } from './commands/command.entity.js';
import { CommandsModule } from './commands/commands.module.js';
import { OrderEntity } from './commands/order.entity.js';
import type { Config } from './config.js';
import { DocsModule } from './docs/docs.module.js';
import { OrdersModule } from './orders/orders.module.js';
import type { Logger } from './platform/logger.js';
import { PlatformModule } from './platform/platform.module.js';
import { HubBatch, Room, RoomEvent } from './rooms/room.entity.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { Book, BookGram, BookStock, BookTexts, Store } from './stores/store.entity.js';
import { StoresModule } from './stores/stores.module.js';
import { Wallet, WalletEntry } from './wallet/wallet.entity.js';
import { WalletModule } from './wallet/wallet.module.js';

const entities = [
  ...[User, Session, EndedSession],
  ...[Wallet, WalletEntry],
  ...[Store, Book, BookTexts, BookStock, BookGram],
  ...[OrderEntity, CommandAnswer],
  ...[Room, RoomEvent, HubBatch],
];

/** The table of contents. */
@Module({})
export class AppModule {
  static with(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.with(config, entities, logger), // what all stand on
        AuthModule, // who speaks
        RoomsModule, // what parties are told, numbered
        CommandsModule, // everything that moves stock, money or an order's status
        WalletModule, // balances and their ledger
        StoresModule, // what is for sale
        OrdersModule, // the ways in for orders, and their reads
        AccountsModule, // joining and leaving
        DocsModule, // how to speak to all this
      ],
    };
  }
}

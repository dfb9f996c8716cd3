import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuthModule } from './auth/auth.module.js';
import { CommandQueue } from './commands/command.queue.js';
import { CommandsModule } from './commands/commands.module.js';
import type { Config } from './config.js';
import { DocsModule } from './docs/docs.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import type { Logger } from './platform/observability/logger.js';
import { PlatformModule } from './platform/platform.module.js';
import { SocketsModule } from './platform/sockets/sockets.module.js';
import { PushModule } from './push/push.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import type { Extension } from './sandbox/extension.js';
import { ActingAuthenticator } from './staff/acting.authenticator.js';
import { StaffModule } from './staff/staff.module.js';
import { StoresModule } from './stores/stores.module.js';
import { WalletsModule } from './wallets/wallets.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** The table of contents. */
@Module({})
export class AppModule {
  static with(config: Config, logger: Logger, extension?: Extension): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.with(config, logger), // database, HTTP, limits, observability
        SocketsModule.with({
          imports: [StaffModule, CommandsModule, ...(extension ? [extension.dispatcherModule] : [])],
          authenticator: ActingAuthenticator,
          admission: CommandQueue,
          dispatcher: extension?.dispatcher,
        }),
        AuthModule, // users and sessions
        StaffModule, // who acts for whom
        RoomsModule, // numbered events
        CommandsModule, // the engine that executes commands
        WalletsModule, // balances and their ledger
        StoresModule, // stores, books, search, stock
        OrdersModule, // orders, over sockets and HTTP
        WebhooksModule, // events to receivers over HTTP
        PushModule, // messages to browsers whose page is closed
        PaymentsModule, // top-ups, payouts, the payment provider's events
        AccountsModule, // registering and unregistering
        DocsModule, // API documents
        ...(extension ? [extension.module] : []),
      ],
    };
  }
}

import { type DynamicModule, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { CONFIG, type Config } from '../../config.js';
import { AuthGuard } from '../http/auth.guard.js';
import { CommandRoutes } from '../http/command.routes.js';
import { ADMIN_UI, createAdminUi } from './admin.ui.js';
import { AUTHENTICATOR, type Authenticator, Handshake } from './handshake.js';
import { COMMAND_ADMISSION, type CommandAdmission, MessageAdmission } from './message.admission.js';
import { MessageBinding } from './message.binding.js';
import { MessageDispatcher } from './message.dispatcher.js';
import { SendBuffers } from './send.buffers.js';
import { SocketAdapter } from './socket.adapter.js';

interface SocketsOptions {
  imports: NonNullable<ModuleMetadata['imports']>;
  /** Services of the imported modules that know sessions, and how much work the hub takes. */
  authenticator: Type<Authenticator>;
  admission: Type<CommandAdmission>;
  /** In place of the usual one. */
  dispatcher?: Type<MessageDispatcher> | undefined;
}

/** Socket.IO for the gateways of all features, and the authentication of both transports. */
@Module({})
export class SocketsModule {
  static with({ imports, authenticator, admission, dispatcher = MessageDispatcher }: SocketsOptions): DynamicModule {
    return {
      module: SocketsModule,
      imports: [DiscoveryModule, ...imports],
      providers: [
        { provide: AUTHENTICATOR, useExisting: authenticator },
        { provide: COMMAND_ADMISSION, useExisting: admission },
        {
          provide: ADMIN_UI,
          inject: [CONFIG],
          useFactory: ({ adminPassword }: Config) => createAdminUi(adminPassword),
        },
        Handshake,
        MessageAdmission,
        MessageBinding,
        { provide: MessageDispatcher, useClass: dispatcher },
        SendBuffers,
        CommandRoutes,
        { provide: APP_GUARD, useClass: AuthGuard },
        SocketAdapter,
      ],
    };
  }
}

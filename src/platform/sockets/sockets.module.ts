import { type DynamicModule, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CONFIG, type Config } from '../../config.js';
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
}

/** Socket.IO for the gateways of all features. */
@Module({})
export class SocketsModule {
  static with({ imports, authenticator, admission }: SocketsOptions): DynamicModule {
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
        MessageDispatcher,
        SendBuffers,
        CommandRoutes,
        SocketAdapter,
      ],
    };
  }
}

import type { DynamicModule, Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { MessageDispatcher } from '../platform/sockets/message.dispatcher.js';

/** What a sandbox adds to a hub. */
export interface Extension {
  module: DynamicModule;
  /** In place of the usual one, with the module that it needs. */
  dispatcher: Type<MessageDispatcher>;
  dispatcherModule: Type;
  /** Installs what comes before every route. */
  configure(app: NestExpressApplication): void;
}

/** A hub with the extension. It does not listen itself. */
export interface ExtendedHub {
  app: NestExpressApplication;
  refused: Promise<string>;
  close(): Promise<void>;
}

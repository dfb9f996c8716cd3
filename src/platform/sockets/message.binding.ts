import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { GATEWAY_METADATA, MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { type MessageName, messages } from '../../contract/wire.js';
import type { MessageHandler } from './message.handlers.js';

/** Finds the gateway method of each message, by Nest's own `@SubscribeMessage`. */
@Injectable()
export class MessageBinding {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** The method of every message of the contract. One that no gateway subscribes to stops the start. */
  bind(): ReadonlyMap<MessageName, MessageHandler> {
    const methods = this.subscribedMethods();
    return new Map(
      Object.keys(messages).map((name) => {
        const method = methods.get(name);
        if (!method) throw new Error(`No gateway subscribes to the message ${name}`);
        return [name as MessageName, method];
      }),
    );
  }

  private subscribedMethods(): Map<unknown, MessageHandler> {
    const methods = new Map<unknown, MessageHandler>();
    for (const { metatype, instance } of this.discovery.getProviders()) {
      if (!metatype || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) continue;
      for (const name of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance))) {
        const method: MessageHandler = instance[name];
        if (Reflect.hasMetadata(MESSAGE_METADATA, method)) {
          methods.set(Reflect.getMetadata(MESSAGE_METADATA, method), method.bind(instance));
        }
      }
    }
    return methods;
  }
}

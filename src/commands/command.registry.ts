import { Injectable } from '@nestjs/common';
import type { CommandName } from '../contract/commands.js';
import type { CommandHandler } from './command.handler.js';

/** The handlers of all features, by command. Features fill it while the application starts. */
@Injectable()
export class CommandRegistry {
  private readonly handlers = new Map<string, CommandHandler>();

  register(handlers: Readonly<Record<string, CommandHandler>>): void {
    for (const [name, handler] of Object.entries(handlers)) {
      if (this.handlers.has(name)) throw new Error(`Two features handle the command ${name}`);
      this.handlers.set(name, handler);
    }
  }

  handlerOf(name: CommandName): CommandHandler {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`No feature handles the command ${name}`);
    return handler;
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { CommandName } from '../contract/commands.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { CommandAnswer } from './command.answer.entity.js';
import { CommandBatch } from './command.batch.js';
import type { CommandHandlers } from './command.handler.js';
import { CommandQueue } from './command.queue.js';
import { CommandRegistry } from './command.registry.js';
import { HeldRows } from './held.rows.js';
import { RetentionService } from './retention.service.js';
import { StoredAnswers } from './stored.answers.js';

/** The engine: executes commands in batches, and knows none of them. Features register what they handle. */
@Module({
  imports: [TypeOrmModule.forFeature([CommandAnswer]), RoomsModule],
  providers: [CommandRegistry, CommandBatch, CommandQueue, HeldRows, RetentionService, StoredAnswers],
  exports: [CommandRegistry, CommandQueue, StoredAnswers, RetentionService],
})
export class CommandsModule {
  /** The engine with a feature's handlers. A feature imports this, and submits through `CommandQueue`. */
  static forFeature<Names extends CommandName>(handlers: CommandHandlers<Names>): DynamicModule {
    const registration = {
      provide: Symbol('command handlers'),
      inject: [CommandRegistry],
      useFactory: (registry: CommandRegistry) => registry.register(handlers),
    };
    return {
      module: FeatureCommandsModule,
      imports: [CommandsModule],
      providers: [registration],
      exports: [CommandsModule],
    };
  }
}

/** One instance for each feature, so that `CommandsModule` itself stays one. */
@Module({})
class FeatureCommandsModule {}

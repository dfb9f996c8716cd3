import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms/rooms.module.js';
import { CommandBatch } from './command.batch.js';
import { CommandQueue } from './command.queue.js';
import { DueWatch } from './due.watch.js';
import { Keeping } from './keeping.js';

@Module({ imports: [RoomsModule], providers: [CommandBatch, CommandQueue, DueWatch, Keeping], exports: [CommandQueue] })
export class CommandsModule {}

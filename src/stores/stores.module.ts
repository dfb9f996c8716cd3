import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module.js';
import { BookSearch } from './book.search.js';
import { StoresController } from './stores.controller.js';
import { StoresService } from './stores.service.js';

@Module({ imports: [CommandsModule], controllers: [StoresController], providers: [StoresService, BookSearch] })
export class StoresModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CommandsModule } from '../commands/commands.module.js';
import { BookSearch } from './book.search.js';
import { BooksService } from './books.service.js';
import { Book, BookGram, BookStock, BookTexts, Store } from './store.entity.js';
import { storeHandlers } from './store.handlers.js';
import { StoresController } from './stores.controller.js';
import { StoresService } from './stores.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Store, Book, BookTexts, BookStock, BookGram]),
    CommandsModule.forFeature(storeHandlers),
  ],
  controllers: [StoresController],
  providers: [StoresService, BooksService, BookSearch],
  exports: [StoresService, BooksService],
})
export class StoresModule {}

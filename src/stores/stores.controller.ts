import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { CommandQueue } from '../commands/command.queue.js';
import type {
  AddBookRequest,
  addStockRequest,
  BookRequest,
  BookView,
  ChangeBookRequest,
  OpenStoreRequest,
  SearchRequest,
  StoresRequest,
} from '../contract/stores.js';
import type { Caller } from '../platform/caller.js';
import { FromCaller, Input, reply, Serves } from '../platform/http.js';
import { StoresService } from './stores.service.js';

@Controller()
export class StoresController {
  constructor(
    private readonly stores: StoresService,
    private readonly commands: CommandQueue,
  ) {}

  @Serves('openStore')
  open(@FromCaller() { userId }: Caller, @Input() request: OpenStoreRequest) {
    return this.stores.open(userId, request);
  }

  @Serves('stores')
  list(@Input() request: StoresRequest) {
    return this.stores.stores(request);
  }

  @Serves('store')
  store(@Input() { storeId }: { storeId: string }) {
    return this.stores.store(storeId);
  }

  @Serves('addBook')
  addBook(@FromCaller() { userId }: Caller, @Input() request: AddBookRequest) {
    return this.stores.addBook(userId, request);
  }

  @Serves('changeBook')
  changeBook(@FromCaller() { userId }: Caller, @Input() request: ChangeBookRequest) {
    return this.stores.changeBook(userId, request);
  }

  @Serves('addStock')
  async addStock(
    @FromCaller() caller: Caller,
    @Input() request: z.infer<typeof addStockRequest>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.commands.give<BookView>('stock:add', caller.userId, request, caller));
  }

  @Serves('book')
  book(@Input() request: BookRequest) {
    return this.stores.book(request);
  }

  @Serves('storeBooks')
  storeBooks(@Input() request: SearchRequest) {
    return this.stores.books(request);
  }

  @Serves('books')
  books(@Input() request: SearchRequest) {
    return this.stores.books(request);
  }
}

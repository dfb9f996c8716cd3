import { Controller } from '@nestjs/common';
import type { Page } from '../contract/fields.js';
import type { ChangeStoreRequest } from '../contract/store.policy.js';
import type {
  AddBookRequest,
  AddStockRequest,
  BookRequest,
  BookView,
  ChangeBookRequest,
  OpenStoreRequest,
  SearchRequest,
  StoresRequest,
  StoreView,
} from '../contract/stores.js';
import type { Answer } from '../contract/wire.js';
import type { Caller, ClientInfo } from '../platform/caller.js';
import { Client, ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { BooksService } from './books.service.js';
import { StoresService } from './stores.service.js';

@Controller()
export class StoresController {
  constructor(
    private readonly stores: StoresService,
    private readonly books: BooksService,
  ) {}

  @ContractRoute('openStore')
  openStore(@CurrentUser() caller: Caller, @Input() request: OpenStoreRequest): Promise<StoreView> {
    return this.stores.open(caller, request);
  }

  @ContractRoute('stores')
  listStores(@Input() request: StoresRequest): Promise<Page<StoreView>> {
    return this.stores.list(request);
  }

  @ContractRoute('store')
  getStore(@Input() { storeId }: { storeId: string }): Promise<StoreView> {
    return this.stores.get(storeId);
  }

  @ContractRoute('changeStore')
  changeStore(@CurrentUser() caller: Caller, @Input() request: ChangeStoreRequest): Promise<StoreView> {
    return this.stores.change(caller, request);
  }

  @ContractRoute('addBook')
  addBook(@CurrentUser() caller: Caller, @Input() request: AddBookRequest): Promise<BookView> {
    return this.books.add(caller, request);
  }

  @ContractRoute('changeBook')
  changeBook(@CurrentUser() caller: Caller, @Input() request: ChangeBookRequest): Promise<BookView> {
    return this.books.change(caller, request);
  }

  @ContractRoute('addStock')
  addStock(@CurrentUser() caller: Caller, @Input() request: AddStockRequest): Promise<Answer<BookView>> {
    return this.books.addStock(caller, request);
  }

  @ContractRoute('book')
  getBook(@Input() request: BookRequest): Promise<BookView> {
    return this.books.get(request);
  }

  @ContractRoute('storeBooks')
  listStoreBooks(@Client() client: ClientInfo, @Input() request: SearchRequest): Promise<Page<BookView>> {
    return this.books.list(client, request);
  }

  @ContractRoute('books')
  listBooks(@Client() client: ClientInfo, @Input() request: SearchRequest): Promise<Page<BookView>> {
    return this.books.list(client, request);
  }
}

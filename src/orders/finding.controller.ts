import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { CountsRequest, OrderExportRequest, StatusCounts } from '../contract/finding.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { OrderLineExport } from './order.line.export.js';
import { OrdersService } from './orders.service.js';

/** What is about many orders. Its paths come before those of one order, which would take a word of them for an id. */
@Controller()
export class FindingController {
  constructor(
    private readonly orders: OrdersService,
    private readonly exporter: OrderLineExport,
  ) {}

  @ContractRoute('orderCounts')
  counts(@CurrentUser() caller: Caller, @Input() request: CountsRequest): Promise<StatusCounts> {
    return this.orders.counts(caller, request);
  }

  @ContractRoute('orderExport')
  export(@CurrentUser() caller: Caller, @Input() request: OrderExportRequest, @Res() response: Response): void {
    this.exporter.send(caller, request, response);
  }
}

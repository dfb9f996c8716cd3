import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { CountsRequest, OrderExportRequest, StatusCounts } from '../contract/finding.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { OrderLineExport } from './order.line.export.js';

/** What is about many orders. Its paths come before those of one order, which would take a word of them for an id. */
@Controller()
export class FindingController {
  constructor(
    private readonly rooms: RoomsService,
    private readonly exporter: OrderLineExport,
  ) {}

  @ContractRoute('orderCounts')
  counts(@CurrentUser() { userId }: Caller, @Input() { role }: CountsRequest): Promise<StatusCounts> {
    return this.rooms.counts(role, userId);
  }

  @ContractRoute('orderExport')
  export(@CurrentUser() caller: Caller, @Input() request: OrderExportRequest, @Res() response: Response): void {
    this.exporter.send(caller, request, response);
  }
}

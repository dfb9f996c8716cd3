import { Controller } from '@nestjs/common';
import type { CountsRequest, StatusCounts } from '../contract/finding.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { RoomsService } from '../rooms/rooms.service.js';

/** What is about many orders. Its paths come before those of one order, which would take a word of them for an id. */
@Controller()
export class FindingController {
  constructor(private readonly rooms: RoomsService) {}

  @ContractRoute('orderCounts')
  counts(@CurrentUser() { userId }: Caller, @Input() { role }: CountsRequest): Promise<StatusCounts> {
    return this.rooms.counts(role, userId);
  }
}

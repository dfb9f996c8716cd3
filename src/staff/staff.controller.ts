import { Controller } from '@nestjs/common';
import type { Page } from '../contract/fields.js';
import type { AddMemberRequest, MemberOfView, MemberView, StaffRequest } from '../contract/staff.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { StaffService } from './staff.service.js';

@Controller()
export class StaffController {
  constructor(private readonly members: StaffService) {}

  @ContractRoute('addMember')
  add(@CurrentUser() caller: Caller, @Input() request: AddMemberRequest): Promise<MemberView> {
    return this.members.add(caller, request);
  }

  @ContractRoute('staff')
  list(@CurrentUser() caller: Caller, @Input() request: StaffRequest): Promise<Page<MemberView>> {
    return this.members.list(caller, request);
  }

  /** The user's own, also where the caller acts for a seller. */
  @ContractRoute('staffOf')
  listOf(@CurrentUser() { userId }: Caller, @Input() request: StaffRequest): Promise<Page<MemberOfView>> {
    return this.members.listOf(userId, request);
  }

  @ContractRoute('removeMember')
  remove(@CurrentUser() caller: Caller, @Input() { userId }: { userId: string }): Promise<void> {
    return this.members.remove(caller, userId);
  }
}

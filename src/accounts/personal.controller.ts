import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { EraseRequest } from '../contract/personal.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { PersonalErasure } from './personal.erasure.js';
import { PersonalExport } from './personal.export.js';

@Controller()
export class PersonalController {
  constructor(
    private readonly exporter: PersonalExport,
    private readonly erasure: PersonalErasure,
  ) {}

  @ContractRoute('export')
  export(@CurrentUser() caller: Caller, @Input() _request: object, @Res() response: Response): Promise<void> {
    return this.exporter.send(caller, response);
  }

  @ContractRoute('erase')
  erase(@CurrentUser() caller: Caller, @Input() request: EraseRequest): Promise<void> {
    return this.erasure.erase(caller, request);
  }
}

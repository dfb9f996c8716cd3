import { Controller, Inject, UseGuards } from '@nestjs/common';
import { isoTime } from '../contract/fields.js';
import {
  type FaultRequest,
  type MoveClockRequest,
  type MovedClock,
  sandboxRoutes,
  type Transcript,
  type TranscriptRequest,
} from '../contract/sandbox.js';
import { BoundRoute, Input } from '../platform/http/contract.route.js';
import { MessageFaults } from './message.faults.js';
import { SANDBOX_CONTROLS, type SandboxControls } from './sandbox.controls.js';
import { SandboxGuard } from './sandbox.guard.js';
import { Transcripts } from './transcripts.js';

@Controller()
@UseGuards(SandboxGuard)
export class SandboxController {
  constructor(
    @Inject(SANDBOX_CONTROLS) private readonly controls: SandboxControls,
    private readonly faults: MessageFaults,
    private readonly transcripts: Transcripts,
  ) {}

  @BoundRoute(sandboxRoutes.moveClock)
  async moveClock(@Input() { advanceMs }: MoveClockRequest): Promise<MovedClock> {
    return { now: isoTime(await this.controls.advance(advanceMs)) };
  }

  @BoundRoute(sandboxRoutes.addFault)
  addFault(@Input() request: FaultRequest): FaultRequest {
    this.faults.add(request);
    return request;
  }

  @BoundRoute(sandboxRoutes.reset)
  reset(@Input() _nothing: object): Promise<void> {
    return this.controls.reset();
  }

  @BoundRoute(sandboxRoutes.transcript)
  transcript(@Input() { userId }: TranscriptRequest): Transcript {
    return { entries: this.transcripts.read(userId) };
  }
}

import fc from 'fast-check';
import { type ErrorBody, errorBody } from '../../src/contract/errors.js';
import { rawHttp } from '../support/raw.http.js';
import { RawLine } from '../support/raw.line.js';
import { messageRows } from './rows.js';
import { type Shot, shots } from './shots.js';
import { Speaker } from './speaker.js';
import type { Stage } from './stage.js';

/** What every message is promised. */
const ANSWERED_WITHIN_MS = 5_000;
const LANES = 8;
const CHUNK = 250;
const VOLLEY = 50;
const SILENCE = ['was not answered', 'was neither answered nor cut', 'was answered 0 times'];
const PROBE = '["order:list",{"role":"buyer","limit":1}]';

export interface Found {
  shot: Shot;
  problem: string;
}

/** Throws shots at a hub, from many lines at once, and keeps those that were not dealt with as they must be. */
export class Gunner {
  readonly found: Found[] = [];
  /** How many were answered only when they were thrown again. */
  late = 0;
  private fired = 0;
  private chunk = 0;
  private readonly arbitrary: fc.Arbitrary<Shot>;

  constructor(
    private readonly stage: Stage,
    private readonly seed: number,
  ) {
    this.arbitrary = shots(new Map(messageRows.map((row) => [row.name, stage.validFor(row)])));
  }

  /** Goes on until so many frames and requests were sent, or the hub is gone. Gives how many it were. */
  async fire(frames: number): Promise<number> {
    const { buyer, seller, stranger } = this.stage.scene.people;
    const tokens = [buyer.token, seller.token, stranger.token];
    const lane = async (_: unknown, index: number) => {
      const line = new Lane(this.stage, tokens[index % tokens.length] ?? '');
      while (this.fired < frames && !this.stage.hub.hasEnded) {
        const all = fc.sample(this.arbitrary, { seed: this.seed + 7_919 * this.chunk++, numRuns: CHUNK });
        this.fired += all.reduce((sum, shot) => sum + sizeOf(shot), 0);
        this.found.push(...(await line.fireAll(all)));
      }
      line.end();
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await this.throwAgain();
    return this.fired;
  }

  /** What met with silence is thrown once more, alone: it may be that the machine was busy. Anything else needs no proof. */
  private async throwAgain(): Promise<void> {
    if (this.stage.hub.hasEnded) return;
    for (const each of this.found.filter(({ problem }) => SILENCE.includes(problem))) {
      if ((await this.again(each.shot)).length > 0) continue;
      this.found.splice(this.found.indexOf(each), 1);
      this.late += 1;
    }
  }

  /** One shot alone, as it was kept. */
  async again(shot: Shot): Promise<Found[]> {
    const line = new Lane(this.stage, this.stage.scene.people.buyer.token);
    const found = await line.fireAll([shot]);
    line.end();
    return found;
  }
}

function sizeOf(shot: Shot): number {
  return shot.kind === 'frames' ? shot.frames.length : 1;
}

/** One line to the hub, opened again whenever it was cut. */
class Lane {
  private speaker: Speaker | undefined;

  constructor(
    private readonly stage: Stage,
    private readonly token: string,
  ) {}

  async fireAll(all: Shot[]): Promise<Found[]> {
    const found: Found[] = [];
    const volley = all.filter((shot) => shot.kind === 'message');
    try {
      for (let next = 0; next < volley.length; next += VOLLEY)
        found.push(...(await this.say(volley.slice(next, next + VOLLEY))));
      for (const shot of all) {
        if (shot.kind === 'message') continue;
        const problem = await this.throwAt(shot);
        if (problem !== undefined) found.push({ shot, problem });
      }
    } catch (error) {
      // The hub is gone, or opens no line any more: one of these it was.
      found.push(...all.map((shot) => ({ shot, problem: String(error) })));
    }
    return found;
  }

  end(): void {
    this.speaker?.hangUp();
  }

  private async line(): Promise<Speaker> {
    if (!this.speaker || this.speaker.isClosed) this.speaker = await Speaker.connect(this.stage.url, this.token);
    return this.speaker;
  }

  /** Messages that are messages: each is answered, once, in the words of the contract. */
  private async say(volley: Extract<Shot, { kind: 'message' }>[]): Promise<Found[]> {
    const speaker = await this.line();
    const said = volley.map((shot) => ({ shot, id: speaker.say(shot.args) }));
    for (const { id } of said) await speaker.once(id, ANSWERED_WITHIN_MS);
    const found = said.flatMap(({ shot, id }) => {
      const problem = wrongWithAnswers(speaker.said(id));
      return problem === undefined ? [] : [{ shot, problem }];
    });
    speaker.forget();
    return found;
  }

  private throwAt(shot: Shot): Promise<string | undefined> {
    if (shot.kind === 'frames') return this.throwFrames(shot.frames);
    if (shot.kind === 'bytes') return this.throwBytes(Buffer.from(shot.hex, 'hex'));
    return shot.kind === 'request' ? this.request(shot) : Promise.resolve(undefined);
  }

  /** Whatever it was: the next message on this line is answered, or the line is cut. */
  private async throwFrames(frames: string[]): Promise<string | undefined> {
    const speaker = await this.line();
    speaker.line.send(...frames.map((each) => (each.startsWith('hex:') ? Buffer.from(each.slice(4), 'hex') : each)));
    const probe = speaker.say(PROBE, '1000000');
    const isAnswered = await speaker.once(probe, ANSWERED_WITHIN_MS);
    const problem = speaker.pushes.some(({ payload }) => isFault(payload)) ? 'found a fault of the hub' : undefined;
    speaker.forget();
    return problem ?? (isAnswered || speaker.isClosed ? undefined : 'was neither answered nor cut');
  }

  private async throwBytes(bytes: Buffer): Promise<undefined> {
    const line = await RawLine.open(this.stage.url);
    line.write(bytes);
    line.end();
    await line.closed;
  }

  private async request({
    method,
    path,
    headers,
    body,
  }: Extract<Shot, { kind: 'request' }>): Promise<string | undefined> {
    const bearing = { authorization: `Bearer ${this.token}`, ...headers };
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, ANSWERED_WITHIN_MS, undefined).unref());
    const asked = rawHttp(this.stage, method, path, { headers: bearing, body: method === 'HEAD' ? '' : body });
    const answer = await Promise.race([late, asked]);
    if (!answer) return 'was not answered';
    return answer.status === 500 ? `was answered with ${answer.text.slice(0, 200)}` : undefined;
  }
}

function wrongWithAnswers(answers: unknown[]): string | undefined {
  if (answers.length !== 1) return `was answered ${answers.length} times`;
  const [answer] = answers as { ok: boolean; error?: unknown }[];
  if (answer?.ok === true) return undefined;
  const error = errorBody.safeParse(answer?.error);
  if (!error.success) return 'was answered outside of the contract';
  return error.data.code === 'INTERNAL' ? `found a fault of the hub: ${JSON.stringify(error.data)}` : undefined;
}

function isFault(payload: unknown): boolean {
  return (payload as { error?: ErrorBody } | undefined)?.error?.code === 'INTERNAL';
}

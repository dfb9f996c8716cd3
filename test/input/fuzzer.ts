import fc from 'fast-check';
import { type ErrorBody, errorBody } from '../../src/contract/errors.js';
import { rawHttp } from '../support/raw.http.js';
import { RawLine } from '../support/raw.line.js';
import type { Fixture } from './fixture.js';
import { type FuzzInput, fuzzInputs } from './generators.js';
import { RawClient } from './raw.client.js';
import { messageRows } from './rows.js';

/** The timeout that the contract promises. */
const ANSWERED_WITHIN_MS = 5_000;
const WORKERS = 8;
const CHUNK = 250;
const BATCH_SIZE = 50;
const TIMEOUTS = ['was not answered', 'was neither answered nor cut', 'was answered 0 times'];
const PROBE = '["order:list",{"role":"buyer","limit":1}]';

export interface Finding {
  input: FuzzInput;
  problem: string;
}

/** Sends generated inputs to a hub over several connections, and collects those handled incorrectly. */
export class Fuzzer {
  readonly findings: Finding[] = [];
  /** Inputs that were only answered on a retry. */
  late = 0;
  private sent = 0;
  private chunk = 0;
  private readonly arbitrary: fc.Arbitrary<FuzzInput>;

  constructor(
    private readonly fixture: Fixture,
    private readonly seed: number,
  ) {
    this.arbitrary = fuzzInputs(new Map(messageRows.map((row) => [row.name, fixture.validFor(row)])));
  }

  /** Runs until this number of frames and requests was sent or the hub has exited. Returns the number sent. */
  async run(frames: number): Promise<number> {
    const { buyer, seller, stranger } = this.fixture.data.people;
    const tokens = [buyer.token, seller.token, stranger.token];
    const worker = async (_: unknown, index: number) => {
      const sender = new Worker(this.fixture, tokens[index % tokens.length] ?? '');
      while (this.sent < frames && !this.fixture.hub.hasEnded) {
        const all = fc.sample(this.arbitrary, { seed: this.seed + 7_919 * this.chunk++, numRuns: CHUNK });
        this.sent += all.reduce((sum, input) => sum + sizeOf(input), 0);
        this.findings.push(...(await sender.sendAll(all)));
      }
      sender.end();
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await this.retryTimeouts();
    return this.sent;
  }

  /** Retries inputs that timed out, one at a time: the machine may have been busy. Other findings are kept as they are. */
  private async retryTimeouts(): Promise<void> {
    if (this.fixture.hub.hasEnded) return;
    for (const finding of this.findings.filter(({ problem }) => TIMEOUTS.includes(problem))) {
      if ((await this.replay(finding.input)).length > 0) continue;
      this.findings.splice(this.findings.indexOf(finding), 1);
      this.late += 1;
    }
  }

  /** Sends a single stored input. */
  async replay(input: FuzzInput): Promise<Finding[]> {
    const sender = new Worker(this.fixture, this.fixture.data.people.buyer.token);
    const findings = await sender.sendAll([input]);
    sender.end();
    return findings;
  }
}

function sizeOf(input: FuzzInput): number {
  return input.kind === 'frames' ? input.frames.length : 1;
}

/** One connection to the hub, reopened whenever it is cut. */
class Worker {
  private client: RawClient | undefined;

  constructor(
    private readonly fixture: Fixture,
    private readonly token: string,
  ) {}

  async sendAll(all: FuzzInput[]): Promise<Finding[]> {
    const findings: Finding[] = [];
    const messages = all.filter((input) => input.kind === 'message');
    try {
      for (let next = 0; next < messages.length; next += BATCH_SIZE)
        findings.push(...(await this.sendMessages(messages.slice(next, next + BATCH_SIZE))));
      for (const input of all) {
        if (input.kind === 'message') continue;
        const problem = await this.sendInput(input);
        if (problem !== undefined) findings.push({ input, problem });
      }
    } catch (error) {
      // The hub crashed or refuses connections: any of these inputs may be the cause.
      findings.push(...all.map((input) => ({ input, problem: String(error) })));
    }
    return findings;
  }

  end(): void {
    this.client?.destroy();
  }

  private async connection(): Promise<RawClient> {
    if (!this.client || this.client.isClosed) this.client = await RawClient.connect(this.fixture.url, this.token);
    return this.client;
  }

  /** Well-formed messages: each must be answered exactly once, as the contract says. */
  private async sendMessages(messages: Extract<FuzzInput, { kind: 'message' }>[]): Promise<Finding[]> {
    const client = await this.connection();
    const pending = messages.map((input) => ({ input, id: client.send(input.args) }));
    for (const { id } of pending) await client.waitFor(id, ANSWERED_WITHIN_MS);
    const findings = pending.flatMap(({ input, id }) => {
      const problem = answerViolation(client.answersTo(id));
      return problem === undefined ? [] : [{ input, problem }];
    });
    client.clear();
    return findings;
  }

  private sendInput(input: FuzzInput): Promise<string | undefined> {
    if (input.kind === 'frames') return this.sendFrames(input.frames);
    if (input.kind === 'bytes') return this.sendBytes(Buffer.from(input.hex, 'hex'));
    return input.kind === 'request' ? this.request(input) : Promise.resolve(undefined);
  }

  /** Arbitrary frames: the next message on the connection must be answered, or the connection cut. */
  private async sendFrames(frames: string[]): Promise<string | undefined> {
    const client = await this.connection();
    client.socket.send(
      ...frames.map((finding) => (finding.startsWith('hex:') ? Buffer.from(finding.slice(4), 'hex') : finding)),
    );
    const probe = client.send(PROBE, '1000000');
    const isAnswered = await client.waitFor(probe, ANSWERED_WITHIN_MS);
    const problem = client.pushes.some(({ payload }) => isInternalError(payload))
      ? 'caused an internal error'
      : undefined;
    client.clear();
    return problem ?? (isAnswered || client.isClosed ? undefined : 'was neither answered nor cut');
  }

  private async sendBytes(bytes: Buffer): Promise<undefined> {
    const socket = await RawLine.open(this.fixture.url);
    socket.write(bytes);
    socket.end();
    await socket.closed;
  }

  private async request({
    method,
    path,
    headers,
    body,
  }: Extract<FuzzInput, { kind: 'request' }>): Promise<string | undefined> {
    const allHeaders = { authorization: `Bearer ${this.token}`, ...headers };
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, ANSWERED_WITHIN_MS, undefined).unref());
    const response = rawHttp(this.fixture, method, path, { headers: allHeaders, body: method === 'HEAD' ? '' : body });
    const answer = await Promise.race([late, response]);
    if (!answer) return 'was not answered';
    return answer.status === 500 ? `was answered with ${answer.text.slice(0, 200)}` : undefined;
  }
}

function answerViolation(answers: unknown[]): string | undefined {
  if (answers.length !== 1) return `was answered ${answers.length} times`;
  const [answer] = answers as { ok: boolean; error?: unknown }[];
  if (answer?.ok === true) return undefined;
  const error = errorBody.safeParse(answer?.error);
  if (!error.success) return 'was answered in violation of the contract';
  return error.data.code === 'INTERNAL' ? `caused an internal error: ${JSON.stringify(error.data)}` : undefined;
}

function isInternalError(payload: unknown): boolean {
  return (payload as { error?: ErrorBody } | undefined)?.error?.code === 'INTERNAL';
}

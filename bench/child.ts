/** How the runner and the processes that it starts speak: each question gets one answer, and may be followed by notices. */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';

interface ToChild {
  id: number;
  question: object;
}
type FromChild = { id: number; answer: unknown } | { id: number; failed: string } | { notice: object };

/** A process that answers, as the runner sees it. */
export class Child {
  private readonly waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  private asked = 0;

  constructor(
    readonly process: ChildProcess,
    private readonly name: string,
    onNotice: (notice: object) => void = () => {},
  ) {
    process.on('message', (message: FromChild) => {
      if ('notice' in message) return onNotice(message.notice);
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if ('failed' in message) waiting?.reject(new Error(`${name}: ${message.failed}`));
      else waiting?.resolve(message.answer);
    });
    // After all that it has said: an exit may be told of before the last message.
    process.on('disconnect', () => this.giveUp('ended'));
  }

  ask<Answer>(question: object, withinMs: number): Promise<Answer> {
    const id = this.asked++;
    const answered = new Promise<Answer>((resolve, reject) => {
      this.waiting.set(id, { resolve: (answer) => resolve(answer as Answer), reject });
    });
    const timer = setTimeout(() => this.giveUp(`did not answer ${JSON.stringify(question).slice(0, 80)}`), withinMs);
    this.process.send({ id, question } satisfies ToChild);
    return answered.finally(() => clearTimeout(timer));
  }

  private giveUp(why: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`${this.name} ${why}`));
    this.waiting.clear();
  }
}

/** Answers the runner's questions in this process. It does not keep the process alive by itself, and ends it with the runner. */
export function answer<Question extends object>(
  handle: (question: Question, notice: (what: object) => void) => Promise<unknown>,
): void {
  const say = (message: FromChild) => process.send?.(message);
  process.on('message', async ({ id, question }: ToChild) => {
    try {
      say({ id, answer: await handle(question as Question, (notice) => say({ notice })) });
    } catch (error) {
      say({ id, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

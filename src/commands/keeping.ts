import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { KEYS_KEPT_DAYS } from '../contract/fields.js';
import { EVENTS_KEPT_DAYS } from '../contract/rooms.js';
import { Database } from '../platform/database.js';
import { forgetInSteps } from '../platform/forget.js';
import { Logger } from '../platform/logger.js';
import { Watch } from '../platform/watch.js';
import { OldEvents } from '../rooms/old.events.js';

const LOOK_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Forgets what the contract keeps for a time only: events, and the answers to keys. Every hub does, each a little. */
@Injectable()
export class Keeping implements OnApplicationBootstrap {
  private readonly watch: Watch;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly oldEvents: OldEvents,
    private readonly logger: Logger,
  ) {
    this.watch = new Watch({
      everyMs: LOOK_EVERY_MS,
      look: () => this.forget(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'old events and answers cannot be deleted now'),
    });
  }

  onApplicationBootstrap(): void {
    this.watch.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.watch.stop();
  }

  /** Deletes all whose time is over. */
  async forget(now = Date.now()): Promise<void> {
    const isOver = () => this.stopped;
    const eventsBefore = now - EVENTS_KEPT_DAYS * DAY_MS;
    const answersBefore = now - KEYS_KEPT_DAYS * DAY_MS;
    const events = await this.oldEvents.forget(eventsBefore, isOver);
    const answers = await forgetInSteps((rowsMax) => this.forgetAnswers(answersBefore, rowsMax), isOver);
    if (events + answers > 0) this.logger.info({ events, answers }, 'forgot what was past its keeping time');
  }

  private async forgetAnswers(before: number, rowsMax: number): Promise<number> {
    const { read, dialect } = this.database;
    const old: { userId: string; idemKey: string }[] = await read.query(
      'SELECT user_id AS userId, idem_key AS idemKey FROM command_answers WHERE at < ? ORDER BY at LIMIT ?',
      [before, rowsMax],
    );
    if (old.length === 0) return 0;
    const [where, keys] = dialect.among.pairs(
      ['user_id', 'idem_key'],
      old.map(({ userId, idemKey }) => [userId, idemKey]),
    );
    // Another hub may have deleted one meanwhile, whose key was then used anew: that answer is young.
    const sql = `DELETE FROM command_answers WHERE ${where} AND at < ?`;
    await this.database.transaction((tx) => tx.query(sql, [...keys, before]));
    return old.length;
  }
}

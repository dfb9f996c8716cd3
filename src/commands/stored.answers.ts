import { Injectable } from '@nestjs/common';
import { isoTime, type Page } from '../contract/fields.js';
import type { ClientInfo } from '../platform/caller.js';
import { Database } from '../platform/database/database.js';
import { PageReader } from '../platform/database/page.reader.js';
import { decodeAnswer } from './idempotency.record.js';
import type { StoredAnswer } from './rows.js';

const PAGE = 100;

/** What is kept under an idempotency key: the answer, or a reference to the change of an order that the answer is built from. */
export type AnswerView = { key: string; messageHash: string; at: string } & StoredAnswer;

/** The idempotency keys of a user with their answers, for the user to take along. */
@Injectable()
export class StoredAnswers {
  constructor(
    private readonly database: Database,
    private readonly pages: PageReader,
  ) {}

  /** A page of them, in the order of the keys. */
  async page({ readKey }: ClientInfo, userId: string, after = ''): Promise<Page<AnswerView>> {
    const sql = `SELECT idem_key AS idemKey, OCTET_LENGTH(answer) AS bytes FROM command_answers
      WHERE user_id = ? AND idem_key > ? ORDER BY idem_key LIMIT ?`;
    const found: { idemKey: string; bytes: number }[] = await this.database.read.query(sql, [userId, after, PAGE + 1]);
    const rows = found.map(({ idemKey, bytes }) => ({ key: idemKey, bytes }));
    const read = (keys: string[]) => this.read(userId, keys);
    return this.pages.read({ readKey, rows, limit: PAGE, read, cursorOf: (key) => key });
  }

  private async read(userId: string, keys: string[]): Promise<AnswerView[]> {
    const [condition, values] = this.database.dialect.inCondition.values('idem_key', keys);
    const sql = `SELECT idem_key AS idemKey, message_hash AS messageHash, answer, at FROM command_answers
      WHERE user_id = ? AND ${condition} ORDER BY idem_key`;
    const stored: { idemKey: string; messageHash: string; answer: string; at: number }[] =
      await this.database.read.query(sql, [userId, ...values]);
    return stored.map(({ idemKey, messageHash, answer, at }) => {
      return { key: idemKey, messageHash, at: isoTime(at), ...decodeAnswer(answer) };
    });
  }
}

import { Injectable } from '@nestjs/common';
import { stringify } from 'csv-stringify/sync';
import type { Response } from 'express';
import { HubError } from '../../contract/errors.js';
import type { ExportFormat } from '../../contract/finding.js';
import type { Caller } from '../caller.js';
import { KeyedCounter } from '../limits/keyed.counter.js';
import { Logger } from '../observability/logger.js';
import { sendTexts } from './text.stream.js';

/** Each holds a page in memory while its client takes it. */
export const EXPORTS_MAX = 32;
export const EXPORTS_PER_USER_MAX = 2;
const RETRY_AFTER_MS = 1_000;

export const mediaTypes: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
};

/** Sends what is too much for one answer: a page at a time, at the pace at which its client takes it. */
@Injectable()
export class ExportStream {
  private readonly underway = new KeyedCounter();
  private total = 0;

  constructor(private readonly logger: Logger) {}

  /** Answers with the texts, which go on after this returns. Throws `OVERLOADED` beside too many others. */
  send(
    { userId, isConnected }: Caller,
    response: Response,
    { mediaType, fileName }: { mediaType: string; fileName?: string },
    texts: AsyncIterable<string>,
  ): void {
    if (this.total >= EXPORTS_MAX || this.underway.count(userId) >= EXPORTS_PER_USER_MAX) {
      throw new HubError('OVERLOADED', undefined, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.total++;
    this.underway.increment(userId);
    response.once('close', () => {
      this.total--;
      this.underway.decrement(userId);
    });
    if (fileName !== undefined) response.attachment(fileName);
    response.type(mediaType);
    sendTexts(response, texts).catch((error: unknown) => {
      if (isConnected()) this.logger.warn({ error: String(error) }, 'an export was cut short');
    });
  }

  /** The same for rows of a table, as a file of this name. */
  sendTable<Row extends object>(
    caller: Caller,
    response: Response,
    { name, format, columns }: { name: string; format: ExportFormat; columns: readonly (keyof Row & string)[] },
    pages: AsyncIterable<readonly Row[]>,
  ): void {
    const texts = format === 'csv' ? toCsv(columns, pages) : toLines(pages);
    this.send(caller, response, { mediaType: mediaTypes[format], fileName: `${name}.${format}` }, texts);
  }
}

/** One JSON object a line. */
export async function* toLines(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** RFC 4180, with a header. A spreadsheet would execute a text that begins like a formula: such a text begins with an apostrophe. */
async function* toCsv(columns: readonly string[], pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  const options = { columns: [...columns], escape_formulas: true, record_delimiter: 'windows' } as const;
  yield stringify([], { ...options, header: true });
  for await (const page of pages) yield stringify([...page], options);
}

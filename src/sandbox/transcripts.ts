import { Injectable } from '@nestjs/common';
import { isoTime } from '../contract/fields.js';
import type { FaultName } from '../contract/sandbox.js';
import { TRANSCRIPT_ENTRIES_MAX, TRANSCRIPT_USERS_MAX, type TranscriptEntry } from '../contract/sandbox.js';
import { Clock } from '../platform/clock/clock.js';

/** Of all entries together, as JSON. */
const CHARACTERS_MAX = 64 * 1_048_576;
const SECRET = /password|token|secret/i;
const HIDDEN = '(hidden)';

/** An entry that its answer is yet to complete. Kept as JSON, so that nobody changes it later, and its size is known. */
interface Kept {
  no: number;
  entry: Omit<TranscriptEntry, 'data' | 'answer'>;
  data: string;
  answer?: string;
}

interface Page {
  entries: Kept[];
  characters: number;
}

export type Said = Pick<TranscriptEntry, 'way' | 'direction' | 'name'>;

/** What each user has said and heard, as far as memory reaches: the latest entries of the users that were last heard of. */
@Injectable()
export class Transcripts {
  /** By user, in the order of their latest entries. */
  private readonly pages = new Map<string, Page>();
  private characters = 0;
  private no = 0;

  constructor(private readonly clock: Clock) {}

  /** The place of an entry that begins now and is written when it is known whose it is. */
  begin(): { no: number; at: string } {
    return { no: ++this.no, at: isoTime(this.clock.now()) };
  }

  /** Writes an entry, and returns how to complete it. */
  write(
    userId: string,
    said: Said,
    data: unknown,
    { no, at } = this.begin(),
  ): { answer(answer: unknown): void; fault(name: FaultName): void } {
    const page = this.pages.get(userId) ?? { entries: [], characters: 0 };
    this.pages.delete(userId);
    this.pages.set(userId, page);
    const kept: Kept = { no, entry: { at, ...said }, data: textOf(data) };
    page.entries.push(kept);
    this.add(page, kept.data.length);
    if (page.entries.length > TRANSCRIPT_ENTRIES_MAX) this.add(page, -sizeOf(page.entries.shift()));
    this.dropOldest();
    return {
      answer: (answer) => {
        kept.answer = textOf(answer);
        if (this.pages.get(userId) === page && page.entries.includes(kept)) this.add(page, kept.answer.length);
      },
      fault: (fault) => Object.assign(kept.entry, { fault }),
    };
  }

  /** Oldest first. */
  read(userId: string): TranscriptEntry[] {
    const entries = [...(this.pages.get(userId)?.entries ?? [])].sort((one, other) => one.no - other.no);
    return entries.map(({ entry, data, answer }) => ({
      ...entry,
      data: JSON.parse(data),
      ...(answer === undefined ? {} : { answer: JSON.parse(answer) }),
    }));
  }

  private add(page: Page, characters: number): void {
    page.characters += characters;
    this.characters += characters;
  }

  private dropOldest(): void {
    for (const [userId, page] of this.pages) {
      const isOver = this.pages.size > TRANSCRIPT_USERS_MAX || this.characters > CHARACTERS_MAX;
      if (!isOver || this.pages.size === 1) return;
      this.pages.delete(userId);
      this.characters -= page.characters;
    }
  }
}

function sizeOf(kept: Kept | undefined): number {
  return (kept?.data.length ?? 0) + (kept?.answer?.length ?? 0);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (name, inner: unknown) => (SECRET.test(name) ? HIDDEN : inner)) ?? 'null';
}

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import { STALLED_MS } from './slow.readers.js';

/** A client that reads shows it by taking one of these in time. */
const CHUNK_BYTES = 65_536;

/**
 * Sends an answer text by text, and asks for none before the client has taken the one before. A client that takes nothing for a while
 * is disconnected; so is one whose answer fails on its way, which must not take a part for the whole.
 */
export async function sendTexts(response: Response, texts: AsyncIterable<string>): Promise<void> {
  try {
    for await (const text of texts) {
      const bytes = Buffer.from(text);
      for (let from = 0; from < bytes.length && !response.destroyed; from += CHUNK_BYTES) {
        if (!response.write(bytes.subarray(from, from + CHUNK_BYTES))) await drained(response);
      }
      if (response.destroyed) return;
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function drained(response: Response): Promise<void> {
  if (response.destroyed) return;
  const over = new AbortController();
  const { signal } = over;
  const stalled = sleep(STALLED_MS, undefined, { signal }).then(() => response.destroy());
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal }), stalled]);
  over.abort();
}

import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { OrderWords } from './order.presenter.js';

/** For the size of a row of `orders`: the bytes of its address, and of its notes. */
export const addressBytes =
  'COALESCE((SELECT OCTET_LENGTH(deliver_to) FROM order_addresses a WHERE a.order_id = orders.order_id), 0)';
export const notesBytes =
  'COALESCE((SELECT SUM(OCTET_LENGTH(text)) FROM order_notes n WHERE n.order_id = orders.order_id), 0)';

interface StoredNote {
  orderId: string;
  no: number;
  text: string;
}

/** Reads what people wrote into orders. Batches write it, and words.erasure.ts erases it. */
@Injectable()
export class OrderWordsReader {
  constructor(private readonly database: Database) {}

  /** The words of each of these orders. */
  async read(orderIds: readonly string[]): Promise<(orderId: string) => OrderWords> {
    const [addresses, notes] = await Promise.all([this.addresses(orderIds), this.notes(orderIds)]);
    const notesOf = new Map<string, StoredNote[]>();
    for (const note of notes) notesOf.set(note.orderId, [...(notesOf.get(note.orderId) ?? []), note]);
    return (orderId) => ({ deliverTo: addresses.get(orderId), notes: notesOf.get(orderId) ?? [] });
  }

  /** The stored notes of these orders. */
  notes(orderIds: readonly string[]): Promise<StoredNote[]> {
    const { read, dialect } = this.database;
    const [condition, ids] = dialect.inCondition.values('order_id', orderIds);
    return read.query(`SELECT order_id AS orderId, note_no AS no, text FROM order_notes WHERE ${condition}`, ids);
  }

  /** The stored addresses of these orders, as far as they have one. */
  async addresses(orderIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (orderIds.length === 0) return new Map();
    const { read, dialect } = this.database;
    const [condition, ids] = dialect.inCondition.values('order_id', orderIds);
    const rows: { orderId: string; deliverTo: string }[] = await read.query(
      `SELECT order_id AS orderId, deliver_to AS deliverTo FROM order_addresses WHERE ${condition}`,
      ids,
    );
    return new Map(rows.map((row) => [row.orderId, row.deliverTo]));
  }
}

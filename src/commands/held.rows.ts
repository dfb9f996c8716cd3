import { Injectable } from '@nestjs/common';
import { Logger } from '../platform/observability/logger.js';
import type { RowName } from './row.names.js';

/** How long a row counts as held after it was last found so. Until then, a command that needs it does not wait for it. */
const REMEMBERED_MS = 10_000;
/** Consecutive commands blocked on writing to a table, after which the whole table counts as held: each attempt costs time. */
const CLOSURES_MAX = 3;

interface Hold {
  /** Rows can be tried without waiting (SKIP LOCKED). What is closed, a range or a table, is found open only by a write that waits. */
  by: 'row' | 'range';
  table: string;
  foundAt: number;
}

/** What other clients of the database (a console, a backup, a migration) hold of it, as far as commands ran into it. */
@Injectable()
export class HeldRows {
  private readonly holds = new Map<RowName, Hold>();
  private readonly heldSince = new Map<string, number>();
  private readonly closures = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  /** True nearly always, and then nothing else needs to be asked. */
  get isEmpty(): boolean {
    if (this.holds.size > 0) this.forgetOld();
    return this.holds.size === 0;
  }

  /** Whether a row is held, so that it is locked only if that needs no wait. */
  isHeld(name: RowName): boolean {
    return this.holds.get(name)?.by === 'row';
  }

  /** Whether only a trial may write to this row, or to what belongs to it. */
  isClosed(name: RowName): boolean {
    return this.holds.get(name)?.by === 'range';
  }

  /** Records rows of a table that could not be locked. */
  found(table: string, names: Iterable<RowName>): void {
    for (const name of names) this.hold(name, { by: 'row', table, foundAt: performance.now() });
  }

  /**
   * Records that a command could not write to a table, and that these rows may be why; without them, or after several commands
   * in turn, it is the whole table. Returns what the command waits for.
   */
  close(table: string, names: readonly RowName[] = []): RowName {
    const closures = (this.closures.get(table) ?? 0) + 1;
    this.closures.set(table, closures);
    const all: RowName = `${table} *`;
    const closed = closures < CLOSURES_MAX && names.length > 0 ? names : [all];
    for (const name of closed) this.hold(name, { by: 'range', table, foundAt: performance.now() });
    return closed[0] ?? all;
  }

  /** Records that of what a trial touched is still held what was, and returns the first of it, if any. */
  stillHeld(names: readonly RowName[]): RowName | undefined {
    const held = names.filter((name) => this.holds.has(name));
    for (const name of held) Object.assign(this.holds.get(name) ?? {}, { foundAt: performance.now() });
    return held[0];
  }

  /** Forgets rows that a batch could lock, or a trial could write. */
  free(names: Iterable<RowName>): void {
    for (const name of names) this.holds.delete(name);
    this.reportFree();
  }

  private hold(name: RowName, hold: Hold): void {
    const { table, by } = hold;
    this.holds.set(name, hold);
    if (this.heldSince.has(table)) return;
    this.heldSince.set(table, hold.foundAt);
    this.logger.warn(
      { table, held: by === 'row' ? 'rows' : 'a range or all' },
      'another client holds what commands need',
    );
  }

  private forgetOld(): void {
    const before = performance.now() - REMEMBERED_MS;
    for (const [name, { foundAt }] of this.holds) if (foundAt < before) this.holds.delete(name);
    this.reportFree();
  }

  private reportFree(): void {
    if (this.heldSince.size === 0) return;
    const tables = new Set([...this.holds.values()].map(({ table }) => table));
    for (const [table, since] of this.heldSince) {
      if (tables.has(table)) continue;
      this.heldSince.delete(table);
      this.closures.delete(table);
      const seconds = Math.round((performance.now() - since) / 1_000);
      this.logger.info({ table, seconds }, 'what another client held is free');
    }
  }
}

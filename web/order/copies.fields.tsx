import { useState } from 'react';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { OrderLine } from './order.lines.js';

/** Of how many copies a line is chosen, by book. */
export type Copies = ReadonlyMap<string, number>;

interface CopiesFieldsProps {
  legend: string;
  lines: readonly OrderLine[];
  maxOf: (line: OrderLine) => number;
  copies: Copies;
  onChange: (copies: Copies) => void;
}

/** A number for each line of an order that has copies to choose. */
export function CopiesFields({ legend, lines, maxOf, copies, onChange }: CopiesFieldsProps) {
  const t = useOrderPageTexts();
  return (
    <fieldset className="copies">
      <legend>{legend}</legend>
      {lines
        .filter((line) => maxOf(line) > 0)
        .map((line) => (
          <label key={line.bookId}>
            <span>{line.title}</span>
            <input
              type="number"
              aria-label={t.copiesOf(line.title)}
              min={0}
              max={maxOf(line)}
              required
              value={copies.get(line.bookId) ?? 0}
              onChange={({ target }) => {
                const count = Math.min(maxOf(line), Math.max(0, Math.floor(target.valueAsNumber || 0)));
                onChange(new Map(copies).set(line.bookId, count));
              }}
            />
            <span className="quiet">{t.of(maxOf(line))}</span>
          </label>
        ))}
    </fieldset>
  );
}

/** The choice of a form: at first all that there is, or nothing. */
export function useCopies(lines: readonly OrderLine[], initial: (line: OrderLine) => number) {
  return useState<Copies>(() => new Map(lines.map((line) => [line.bookId, initial(line)])));
}

export function countOf(copies: Copies): number {
  return [...copies.values()].reduce((sum, count) => sum + count, 0);
}

/** As the hub takes them; undefined for all that is left, which it takes by default. */
export function itemsOf(copies: Copies): { bookId: string; count: number }[] {
  return [...copies].flatMap(([bookId, count]) => (count > 0 ? [{ bookId, count }] : []));
}

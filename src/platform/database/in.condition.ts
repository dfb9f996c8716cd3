/** A condition for a WHERE clause, and the values of its placeholders. */
export type Condition = [sql: string, parameters: unknown[]];

type Value = string | number;

/** Matches rows whose column, or pair of columns, holds one of several distinct values. */
export interface InCondition {
  values(column: string, values: readonly Value[]): Condition;
  pairs(columns: readonly [string, string], pairs: readonly (readonly [Value, Value])[]): Condition;
}

/**
 * With a placeholder for each value. Pairs are grouped by their first value, `(a = ? AND b IN (?, ?)) OR …`, because MariaDB uses
 * no index for `(a, b) IN (…)`.
 */
export const placeholderConditions: InCondition = {
  values: (column, values) => [`${column} IN (${placeholders(values.length)})`, [...values]],
  pairs: ([first, second], pairs) => {
    const groups = new Map<Value, Value[]>();
    for (const [a, b] of pairs) {
      const group = groups.get(a);
      if (group) group.push(b);
      else groups.set(a, [b]);
    }
    const terms = [...groups.values()].map(({ length }) => `(${first} = ? AND ${second} IN (${placeholders(length)}))`);
    return [`(${terms.join(' OR ')})`, [...groups].flatMap(([a, seconds]) => [a, ...seconds])];
  },
};

/**
 * With one JSON array, so that the statement is the same for any number of values. SQLite builds a table for each list of
 * placeholders: selecting the keys of 256 commands from 64 buyers took 4.8 ms with those, and takes 0.7 ms with JSON, which saves
 * a tenth of the batch.
 */
export const jsonConditions: InCondition = {
  values: (column, values) => [`${column} IN (SELECT value FROM json_each(?))`, [JSON.stringify(values)]],
  pairs: ([first, second], pairs) => [
    `(${first}, ${second}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
    [JSON.stringify(pairs)],
  ],
};

/** `?, ?, …` */
export function placeholders(count: number): string {
  return new Array(count).fill('?').join(', ');
}

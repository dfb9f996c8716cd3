/** What follows SELECT, for columns that are named by field: `order_id AS orderId, …`, each with its table's alias if there is one. */
export function selectList(columns: Readonly<Record<string, string>>, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return Object.entries(columns)
    .map(([field, column]) => `${prefix}${column} AS ${field}`)
    .join(', ');
}

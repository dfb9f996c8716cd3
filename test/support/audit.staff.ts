const SEEN = '"command":"seen"';

/** What cannot be of a seller's staff, its claims and what it has seen. A text of a user's has its quotes escaped in a timeline. */
export const staffChecks = [
  {
    violation: 'an order was seen twice',
    sql: `SELECT order_id, timeline FROM orders
      WHERE LENGTH(timeline) - LENGTH(REPLACE(timeline, '${SEEN}', '')) > ${SEEN.length}`,
  },
  {
    violation: 'a claim is in an impossible state',
    sql: `SELECT order_id, claimed_by, claimed_until, claims FROM orders
      WHERE (claimed_by IS NULL AND claimed_until IS NOT NULL) OR (claimed_by IS NOT NULL AND (claimed_until IS NULL OR claims < 1))`,
  },
  {
    violation: 'a staff is in an impossible state',
    sql: `SELECT s.owner_id, s.user_id FROM staff_members s JOIN users u ON u.user_id IN (s.owner_id, s.user_id)
      WHERE s.owner_id = s.user_id OR u.unregistered_at IS NOT NULL`,
  },
];

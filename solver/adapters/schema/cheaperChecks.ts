// What every quote and every admission paid for nothing. A regular expression builds its automaton anew in
// each check. And ANALYZE, which follows load once a minute, looked at 30,000 rows a table, and with quotes
// parsed all their orders for the index on them, in the middle of the load. A tenth of the rows tells a
// planner of look-ups as much.

/** Lowercase hex of so many characters after 0x. */
const isHex = (column: string, digits: number) =>
  `length(${column}) = ${digits + 2} AND starts_with(${column}, '0x')
     AND translate(substr(${column}, 3), '0123456789abcdef', '') = ''`;

const fewer = (table: string, columns: readonly string[]) =>
  `ALTER TABLE ${table} ${columns.map((name) => `ALTER COLUMN ${name} SET STATISTICS 10`).join(', ')}`;

export const cheaperChecksSchema: readonly string[] = [
  // The same as the checks they replace, which the rows that are there have passed: NOT VALID.
  `ALTER TABLE orders
     DROP CONSTRAINT orders_order_id_check,
     DROP CONSTRAINT orders_owner_check,
     DROP CONSTRAINT orders_nonce_check,
     ADD CONSTRAINT orders_order_id_hex CHECK (${isHex('order_id', 64)}) NOT VALID,
     ADD CONSTRAINT orders_owner_hex CHECK (${isHex('owner', 40)}) NOT VALID,
     ADD CONSTRAINT orders_nonce_decimal CHECK (length(nonce) BETWEEN 1 AND 78
       AND translate(nonce, '0123456789', '') = ''
       AND (nonce = '0' OR NOT starts_with(nonce, '0'))) NOT VALID`,
  fewer('quotes', [
    ...['quote_id', 'created_at_ms', 'valid_until_ms', 'order_json', 'quoted_amounts', 'problem'],
    ...['snapshot_id', 'objective', 'result', 'response'],
  ]),
  `ALTER INDEX quotes_order ALTER COLUMN 1 SET STATISTICS 10`,
  `ALTER INDEX quotes_order ALTER COLUMN 2 SET STATISTICS 10`,
  fewer('orders', [
    ...['order_id', 'quote_id', 'owner', 'nonce', 'state', 'reason', 'order_json'],
    ...['owner_signature', 'signature_kind', 'award', 'facts', 'version', 'created_at_ms'],
    'updated_at_ms',
  ]),
  fewer('events', ['seq', 'order_id', 'at_ms', 'type', 'data']),
  fewer('jobs', [
    ...['kind', 'key', 'due_at_ms', 'again_at_ms', 'running', 'fence', 'attempts', 'last_error'],
  ]),
];

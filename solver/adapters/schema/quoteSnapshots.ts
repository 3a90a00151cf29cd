// What quotes on the same blocks share, stored once: the problem's text but for its objective. A quote's
// row then has its own objective alone, and names the snapshot. No foreign key: every quote of a block
// would lock the same row. postgresQuotes.ts keeps a snapshot far longer than any quote that may name it.

export const quoteSnapshotsSchema: readonly string[] = [
  `CREATE TABLE quote_snapshots (
     snapshot_id text PRIMARY KEY,
     head text NOT NULL,
     tail text NOT NULL,
     used_at_ms bigint NOT NULL)`,
  `CREATE INDEX quote_snapshots_used ON quote_snapshots (used_at_ms)`,
  `ALTER TABLE quotes
     ALTER COLUMN problem DROP NOT NULL,
     ADD COLUMN snapshot_id text,
     ADD COLUMN objective text,
     ADD CONSTRAINT quotes_problem_or_snapshot CHECK (
       (problem IS NULL) = (snapshot_id IS NOT NULL) AND
       (problem IS NULL) = (objective IS NOT NULL))`,
  `CREATE INDEX quotes_snapshot ON quotes (snapshot_id)`,
];

// Idempotency keys, so that every API process knows them. A row without an answer is being worked on
// until lease_until_ms; one with an answer is remembered until expires_at_ms.

export const idempotencySchema: readonly string[] = [
  `CREATE SEQUENCE idempotency_token`,
  `CREATE TABLE idempotency_keys (
     key text PRIMARY KEY,
     body text NOT NULL CHECK (body ~ '^[0-9a-f]{64}$'),
     token bigint NOT NULL,
     answer json,
     lease_until_ms bigint NOT NULL,
     expires_at_ms bigint NOT NULL)`,
  `CREATE INDEX idempotency_expires ON idempotency_keys (expires_at_ms)`,
];

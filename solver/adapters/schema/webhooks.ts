// Webhooks and their deliveries. Deliveries are made from events by one dispatcher, which has looked
// at all of them up to webhook_dispatch.safe_seq; a delivery is unique per (webhook, event).

export const webhooksSchema: readonly string[] = [
  `CREATE TABLE webhooks (
     webhook_id text PRIMARY KEY,
     secret text NOT NULL,
     url text NOT NULL,
     owner text CHECK (owner ~ '^0x[0-9a-f]{40}$'),
     events text[],
     state text NOT NULL CHECK (state IN ('active', 'disabled')),
     reason text,
     failures integer NOT NULL DEFAULT 0,
     since_seq bigint NOT NULL,
     created_at_ms bigint NOT NULL)`,
  `CREATE INDEX webhooks_owner ON webhooks (owner) WHERE state = 'active'`,
  `CREATE TABLE webhook_orders (
     webhook_id text NOT NULL REFERENCES webhooks ON DELETE CASCADE,
     order_id text NOT NULL,
     PRIMARY KEY (order_id, webhook_id))`,
  `CREATE INDEX webhook_orders_webhook ON webhook_orders (webhook_id)`,
  `CREATE TABLE webhook_deliveries (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     delivery_id text NOT NULL UNIQUE,
     webhook_id text NOT NULL REFERENCES webhooks ON DELETE CASCADE,
     seq bigint,
     order_id text,
     type text NOT NULL,
     state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'dropped')),
     attempts integer NOT NULL DEFAULT 0,
     next_at_ms bigint NOT NULL,
     last_at_ms bigint,
     last_status integer,
     last_error text,
     created_at_ms bigint NOT NULL,
     CONSTRAINT webhook_deliveries_event UNIQUE (webhook_id, seq))`,
  `CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, order_id, seq)
     WHERE state = 'pending'`,
  `CREATE INDEX webhook_deliveries_list ON webhook_deliveries (webhook_id, id)`,
  `CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at_ms)`,
  `CREATE TABLE webhook_dispatch (
     one boolean PRIMARY KEY DEFAULT true CHECK (one),
     safe_seq bigint NOT NULL)`,
  `INSERT INTO webhook_dispatch (safe_seq) VALUES (0)`,
];

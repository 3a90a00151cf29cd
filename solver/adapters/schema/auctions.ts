// Auctions, their members, sealed bids, the solver feed and what solvers did with their awards.

/** Transaction-level advisory locks. The numbers only have to differ from each other's. */
export const AUCTION_JOIN_LOCK = 7_262_001;
const MARKET_FEED_LOCK = 7_262_002;

export const auctionsSchema: readonly string[] = [
  `CREATE TABLE auctions (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     auction_id text UNIQUE CHECK (auction_id ~ '^0x[0-9a-f]{64}$'),
     state text NOT NULL CHECK (state IN ('gathering', 'bidding', 'closed')),
     gather_until_ms bigint NOT NULL,
     opened_at_ms bigint,
     closes_at_ms bigint,
     -- From here on no bid is taken, whatever any clock says: the closer has begun to read.
     sealed_at_ms bigint,
     closed_at_ms bigint,
     instance json,
     record json,
     CONSTRAINT auctions_fixed CHECK (state <> 'bidding' OR (auction_id IS NOT NULL
       AND opened_at_ms IS NOT NULL AND closes_at_ms IS NOT NULL AND instance IS NOT NULL)))`,
  `CREATE INDEX auctions_gathering ON auctions (id) WHERE state = 'gathering'`,
  `CREATE TABLE auction_orders (
     auction bigint NOT NULL REFERENCES auctions,
     order_id text NOT NULL REFERENCES orders,
     live boolean NOT NULL DEFAULT true,
     no_bid text,
     PRIMARY KEY (auction, order_id))`,
  // Never in two auctions at once, whatever any worker believes.
  `CREATE UNIQUE INDEX auction_orders_live ON auction_orders (order_id) WHERE live`,
  `CREATE INDEX auction_orders_order ON auction_orders (order_id, auction)`,
  // Text kept as signed; reserves and notes are our own desk's and never shown.
  `CREATE TABLE auction_bids (
     auction bigint NOT NULL REFERENCES auctions,
     hash text NOT NULL CHECK (hash ~ '^0x[0-9a-f]{64}$'),
     filler text NOT NULL CHECK (filler ~ '^0x[0-9a-f]{40}$'),
     bid json NOT NULL,
     reserves json NOT NULL,
     notes json NOT NULL,
     at_ms bigint NOT NULL,
     PRIMARY KEY (auction, hash))`,
  `CREATE INDEX auction_bids_filler ON auction_bids (filler, auction)`,
  `CREATE TABLE awards (
     order_id text NOT NULL REFERENCES orders,
     auction bigint NOT NULL REFERENCES auctions,
     award_id text NOT NULL UNIQUE,
     filler text NOT NULL CHECK (filler ~ '^0x[0-9a-f]{40}$'),
     awarded_at_ms bigint NOT NULL,
     outcome text CHECK (outcome IN ('filled', 'late', 'faded', 'void')),
     outcome_at_ms bigint,
     PRIMARY KEY (order_id, auction),
     CONSTRAINT awards_outcome CHECK ((outcome IS NULL) = (outcome_at_ms IS NULL)))`,
  // Never two open awards of one order.
  `CREATE UNIQUE INDEX awards_open ON awards (order_id) WHERE outcome IS NULL`,
  `CREATE INDEX awards_filler ON awards (filler, awarded_at_ms)`,
  // A number is given under a lock that is kept until commit, so numbers become visible in their
  // order and a reader that asks for what follows the last one it saw misses none.
  `CREATE SEQUENCE market_seq`,
  `CREATE FUNCTION next_market_seq() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
     BEGIN
       PERFORM pg_advisory_xact_lock(${MARKET_FEED_LOCK});
       RETURN nextval('market_seq');
     END $$`,
  `CREATE TABLE market_events (
     seq bigint PRIMARY KEY DEFAULT next_market_seq(),
     auction_id text,
     to_filler text,
     at_ms bigint NOT NULL,
     type text NOT NULL,
     data json NOT NULL)`,
  `CREATE INDEX market_events_filler ON market_events (to_filler, seq)`,
];

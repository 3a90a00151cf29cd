// The records a host writes: nodes, venues, ticks, cost groups and targets. Amounts are scaled by
// the host so that one unit of a priced node is worth one dollar (its price field is then exactly
// 1); units of unpriced nodes are arbitrary but finite. Refuses nothing itself: index.ts checks.

/** Venue kinds; 1 and 2 are the pools of n nodes at the end of this file. */
export const CONSTANT_PRODUCT: i32 = 0;
export const CONCENTRATED: i32 = 3;
export const ORDER: i32 = 4;
export const BRIDGE: i32 = 5;
/** A node → the dollars that count: a target's worth, a batch's surplus. The core's own, never a host's. */
export const WORTH: i32 = 6;
/** An order of a batch: takes what it asks for at `from`, brings what it sells to `to`. */
export const BATCH_ORDER: i32 = 7;

/** Directions a venue may be used in. */
export const FORWARD: i32 = 1;
export const REVERSE: i32 = 2;

// ╒═══════════════════════ Node, 72 bytes ════════════════════════╕
// │  0 supply f64 ◄ what the plan may spend                       │
// │  8 price  f64 ◄ 1 where the node has a price, else 0          │
// │ 16 start  f64 ◄ a dual price to start from, 0 for none        │
// │ 24 target i32 ◄ index or −1 │ 28 reserved i32                 │
// │ 32 dual   f64 ► dual price, dollars per scaled unit           │
// │ 40 left   f64 ► what the plan leaves here                     │
// │ 48 demand f64 (own) │ 56 tree f64 (own)                       │
// │ 64 loop   f64 ► dual price with nothing sold, where the bound │
// │                 counts loops of pure arbitrage; else 0        │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Node {
  supply: f64;
  price: f64;
  start: f64;
  target: i32;
  reserved: i32;
  dual: f64;
  left: f64;
  demand: f64;
  tree: f64;
  loop: f64;
}

// ╒══════════════════════ Venue, 128 bytes ═══════════════════════╕
// │  0 kind i32 │  4 from i32 │  8 to i32 │ 12 directions i32     │
// │ 16 a     f64 ◄ constant product: reserve of `from`            │
// │              ◄ concentrated: √price now (to per from)         │
// │              ◄ order, bridge: the most it takes in            │
// │ 24 b     f64 ◄ constant product: reserve of `to`              │
// │ 32 keep  f64 ◄ 1 − fee; order, bridge: out per in             │
// │ 40 fixedFee f64 ◄ bridge: taken from the output, units of `to`│
// │ 48 fixedCost f64 ◄ dollars, once if used                      │
// │ 56 capFrom f64 │ 64 capTo f64 ◄ input caps by direction, or ∞ │
// │ 72 down i32 │ 76 downCount i32 ◄ ticks below the price, falling│
// │ 80 up   i32 │ 84 upCount   i32 ◄ ticks above it, rising       │
// │ 88 nodes i32 │ 92 nodeCount i32 ◄ reserved: pools of n nodes  │
// │ 96 whole i32 ◄ fill: 1 if all or nothing │ 100 … 127 reserved │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Venue {
  kind: i32;
  from: i32;
  to: i32;
  directions: i32;
  a: f64;
  b: f64;
  keep: f64;
  fixedFee: f64;
  fixedCost: f64;
  capFrom: f64;
  capTo: f64;
  down: i32;
  downCount: i32;
  up: i32;
  upCount: i32;
  nodes: i32;
  nodeCount: i32;
  whole: i32;
  reserved0: i32;
  reserved1: f64;
  reserved2: f64;
  reserved3: f64;
}

// ╒════════════ Tick, 32 bytes: one range of liquidity ═══════════╕
// │  0 near f64 ◄ √price where the range begins, seen from now    │
// │  8 liquidity f64 ◄ in it; the far end is the next tick's near,│
// │                    the last tick of a list carries 0          │
// │ 16 sumIn  f64 (own) input before fees up to `near`            │
// │ 24 sumOut f64 (own) output up to `near`                       │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Tick {
  near: f64;
  liquidity: f64;
  sumIn: f64;
  sumOut: f64;
}

// ╒══════════ Group, 16 bytes: a cost paid once for all ══════════╕
// │  0 fixedCost f64 ◄ dollars                                    │
// │  8 members i32 ◄ first in the member list │ 12 memberCount i32│
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Group {
  fixedCost: f64;
  members: i32;
  memberCount: i32;
}

// ╒═════════════ Target, 16 bytes ════════════════════════════════╕
// │  0 weight f64 ◄ of the portfolio's worth │ 8 node i32 (own)   │
// │ 12 nodeCount i32 (own)                                        │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Target {
  weight: f64;
  node: i32;
  nodeCount: i32;
}

/** Balancer's weighted and stable pools: any two of their nodes trade, through one invariant. */
export const WEIGHTED: i32 = 1;
export const STABLE: i32 = 2;

// ╒═════════ PoolNode, 48 bytes: one balance of an n-node pool ═══╕
// │  0 node i32 ◄ index │ 4 reserved i32                          │
// │  8 balance f64 ◄ core units                                   │
// │ 16 weight  f64 ◄ weighted: share of 1                         │
// │ 24 rate    f64 ◄ stable: the pool's own units per core unit   │
// │ 32 cap     f64 ◄ the most it may take in, core units, or ∞    │
// │ 40 trade   f64 (own) what the pool pays out (+) or takes in   │
// └───────────────────────────────────────────────────────────────┘
// A pool's Venue: nodes and nodeCount name its PoolNodes; keep = 1 − swap fee, charged on what goes
// in; a = A·n of a stable pool, as its contract multiplies it; b (own) = a stable pool's invariant
// D in its own units, 0 until measured: a host that writes balances writes b = 0.
@unmanaged
export class PoolNode {
  node: i32;
  reserved: i32;
  balance: f64;
  weight: f64;
  rate: f64;
  cap: f64;
  trade: f64;
}

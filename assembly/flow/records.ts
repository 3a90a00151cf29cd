// The working memory's records: what a search knows of each edge, and the two short copies its hot
// loops read. Own to the core, not part of the ABI; state.ts says where they lie. Plain data, no rules.

// ╒═════════════════════ Flow, 176 bytes (own) ═══════════════════╕
// │  0 direction i32 │  4 mode i32 │  8 mask i32 │ 12 kind i32    │
// │ 16 input f64    24 output f64 : the venue's best trade, whole │
// │ 32 surplus f64 : what it is worth at the prices, before costs │
// │ 40 curvature f64 : w, of the smooth part                      │
// │ 48 share f64 : z    56 center f64 : z̄    64 sigma f64 : σ     │
// │ 72 hii f64   80 hij f64   88 hjj f64 : scaled Hessian (tail,  │
// │                                        head)                  │
// │ 96 cost f64 : q, fixed cost while relaxed                     │
// │ 104 x f64   112 y f64 : the recovered trade                   │
// │ 120 next i32 : next edge out of the same node                 │
// │ 124 entry i32 : mode in the root relaxation                   │
// │ 128 base f64 : dollars moved before a line search             │
// │ 136 secant f64 : curvature its last rejected try showed       │
// │ 144 slot i32 : place in the list of active edges, or −1       │
// │ 148 pair i32 : a pool's committed pair, i | j << 8, or −1     │
// │ 152 block i32 : f64s before this pool's Hessian in BLOCKS     │
// │ 156 tail i32   160 head i32 : while it is active              │
// │ 164 arcs i32 : a pool's first arc                             │
// │ 168 room f64 : the most it can take in                        │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Flow {
  direction: i32;
  mode: i32;
  mask: i32;
  kind: i32;
  input: f64;
  output: f64;
  surplus: f64;
  curvature: f64;
  share: f64;
  center: f64;
  sigma: f64;
  hii: f64;
  hij: f64;
  hjj: f64;
  cost: f64;
  x: f64;
  y: f64;
  next: i32;
  entry: i32;
  base: f64;
  secant: f64;
  slot: i32;
  pair: i32;
  block: i32;
  tail: i32;
  head: i32;
  arcs: i32;
  room: f64;
}

// ╒═════════════ Curve, 64 bytes (own): a pool of two nodes ══════╕
// │  0 from i32 │ 4 to i32 │ 8 edge i32 │ 12 mask i32 (0: not free)│
// │ 16 a f64 │ 24 b f64 │ 32 keep f64 : as in the Venue           │
// │ 40 capFrom f64 │ 48 capTo f64 │ 56 spread f64 : 1/keep        │
// └───────────────────────────────────────────────────────────────┘
/**
 * What the pass over all edges reads: most edges of a large market are idle and cost one line. A
 * concentrated pool stands here with a = 1 and b = its price: idle by the same two comparisons.
 */
@unmanaged
export class Curve {
  from: i32;
  to: i32;
  edge: i32;
  mask: i32;
  a: f64;
  b: f64;
  keep: f64;
  capFrom: f64;
  capTo: f64;
  spread: f64;
}

// ╒═════════════ Active, 24 bytes (own): an edge that trades ═════╕
// │  0 edge i32 │ 4 tail i32 │ 8 head i32 │ 12 reserved           │
// │ 16 hij f64 : Hessian off the diagonal                         │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Active {
  edge: i32;
  tail: i32;
  head: i32;
  reserved: i32;
  hij: f64;
}

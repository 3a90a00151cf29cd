// The records the core answers with. Amounts are proposals in f64: a host re-executes every leg in
// exact integers before anything is published.

// ╒══════════ Leg, 40 bytes, in execution order ══════════════════╕
// │  0 venue i32 │ 4 direction i32 ► 1 forward, 2 reverse         │
// │  8 in    f64 ► units of the node it leaves                    │
// │ 16 out   f64 ► units of the node it enters                    │
// │ 24 stiff f64 ► curvature, dollars per log price: who takes the│
// │                last rounding of a node takes it most cheaply  │
// │ 32 from i32 ► │ 36 to i32 ► the nodes it leaves and enters    │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Leg {
  venue: i32;
  direction: i32;
  input: f64;
  output: f64;
  stiffness: f64;
  from: i32;
  to: i32;
}

/** What a branch of the case tree decides. */
export const LEAF: i32 = 0;
export const BY_VENUE: i32 = 1;
export const BY_GROUP: i32 = 2;

// ╒══════════ Branch, 16 bytes: one node of the case tree ════════╕
// │  0 kind  i32 ► LEAF, BY_VENUE or BY_GROUP                     │
// │  4 index i32 ► the venue or group; a leaf's row of prices     │
// │  8 used  i32 ► branch where it is used, −1 in a leaf          │
// │ 12 unused i32 ► branch where it is not, −1 in a leaf          │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Branch {
  kind: i32;
  index: i32;
  used: i32;
  unused: i32;
}

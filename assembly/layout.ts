// The memory map: where every block of a problem lies, how large it may be, and the status codes.
// One header at a fixed place says how many records there are; `arrange` turns those counts into
// offsets. Everything is little-endian; blocks start on 64-byte lines; memory never grows, so views
// of it never detach. Refuses counts that do not fit: nothing is written past the end.

import { Branch, Leg } from './plan';
import { Group, Node, PoolNode, Target, Tick, Venue } from './problem';

/** Raised whenever a record, a code, the meaning of a field or the list of exports changes. */
export const ABI_VERSION: i32 = 3;

export const NODES_MAX: i32 = 4096;
export const EDGES_MAX: i32 = 131072;
export const TICKS_MAX: i32 = 524288;
export const MEMBERS_MAX: i32 = 262144;
/** Cases a bound may be proved by. */
export const LEAVES_MAX: i32 = 256;
/** Nodes of one weighted or stable pool, and of all such pools together. */
export const POOL_NODES_MAX: i32 = 8;
export const POOL_NODES_TOTAL_MAX: i32 = 65536;
/** Targets of a rebalance judged by its risk: their Hessian is dense. */
export const RISK_TARGETS_MAX: i32 = 64;
/** Largest problem for which the dense triangle of the factor is laid out. */
export const FACTOR_MAX: i32 = 1024;

/** Status codes of `arrange` and `solve`; risk kernels use those that say so in their files. */
export const OK: i32 = 0;
/** No plan reaches the bought node, or nothing can be improved. */
export const NO_ROUTE: i32 = 1;
/** The sold amount exceeds what the venues can take, or the targets cannot be met at all. */
export const INFEASIBLE: i32 = 2;
/** The work limit ended the search first; the plan and the bound are valid, the gap is wider. */
export const LIMIT: i32 = 3;
/** A count exceeds its maximum or the memory. */
export const TOO_LARGE: i32 = 4;
/** A number is NaN, infinite or out of range, an index does not exist, a kind is unknown. */
export const BAD_INPUT: i32 = 5;

/** Objective kinds. */
export const SWAP: i32 = 0;
export const REBALANCE: i32 = 1;
export const RISK_REBALANCE: i32 = 2;
export const BATCH: i32 = 3;

// ╒══════════════════ Header, 256 bytes at header() ══════════════════╕
// │   0 abiVersion   i32 │   4 status      i32 │   8 nodeCount   i32  │
// │  12 venueCount   i32 │  16 tickCount   i32 │  20 groupCount  i32  │
// │  24 memberCount  i32 │  28 targetCount i32 │  32 objective   i32  │
// │  36 buyNode      i32 │  40 workMax     i32 │  44 edgeCount   i32 ◄│ venues + virtual edges
// ├───────────────────────────────────────────────────────────────────┤
// │  48 nodes        ptr │  52 venues      ptr │  56 ticks       ptr  │
// │  60 groups       ptr │  64 members     ptr │  68 targets     ptr  │
// │  72 covariance   ptr │  76 legs        ptr │  80 scratch     ptr  │
// │  84 end          ptr │  88 poolNodes   ptr │  92 poolNodeCount i32│
// ├───────────────────────────────────────────────────────────────────┤
// │  96 gapTarget    f64 │ 104 aversion    f64 │                      │
// │ 112 warm         i32 ◄ 1: start from the last solve of this load  │
// │ 116 reserved     i32 │                                            │
// ├──────────────────────────── results ──────────────────────────────┤
// │ 120 value        f64 │ 128 bound       f64 │ 136 legCount    i32  │
// │ 140 work         i32 │ 144 reserved    i32 │ 148 solves      i32  │
// │ 152 residual     f64 │ 160 complementarity f64                    │
// │ 168 loops        f64 ► dollars of the bound that are loops of     │
// │                        pure arbitrage, which no plan takes        │
// ├───────────────────────── proof by cases ──────────────────────────┤
// │ 176 branches     ptr │ 180 leafPrices  ptr │ 184 leavesMax   i32 ◄│
// │ 188 branchCount  i32 ► 0: one price vector proves as much         │
// └───────────────────────────────────────────────────────────────────┘
@unmanaged
export class Header {
  abiVersion: i32;
  status: i32;
  nodeCount: i32;
  venueCount: i32;
  tickCount: i32;
  groupCount: i32;
  memberCount: i32;
  targetCount: i32;
  objective: i32;
  buyNode: i32;
  workMax: i32;
  edgeCount: i32;
  nodes: usize;
  venues: usize;
  ticks: usize;
  groups: usize;
  members: usize;
  targets: usize;
  covariance: usize;
  legs: usize;
  scratch: usize;
  end: usize;
  poolNodes: usize;
  poolNodeCount: i32;
  gapTarget: f64;
  aversion: f64;
  warm: i32;
  reserved: i32;
  value: f64;
  bound: f64;
  legCount: i32;
  work: i32;
  reserved1: i32;
  solves: i32;
  residual: f64;
  complementarity: f64;
  loops: f64;
  branches: usize;
  leafPrices: usize;
  leavesMax: i32;
  branchCount: i32;
}

// covariance: targetCount² f64, row by row, annual, symmetric and semidefinite; laid out and read, with
// aversion (κτ, > 0), for RISK_REBALANCE alone. W₀ is the sum of the targets' supplies.

export const HEADER_BYTES: usize = 256;
const LINE: usize = 64;

/** The header sits on the first line after the static data, the problem right after it. */
export const HEADER: usize = (__heap_base + LINE - 1) & ~(LINE - 1);

export function header(): Header {
  return changetype<Header>(HEADER);
}

export function alignLine(at: usize): usize {
  return (at + LINE - 1) & ~(LINE - 1);
}

/** What `arrange` laid out last: `solve` refuses a header whose counts or offsets differ. */
let seal: u32 = 0;
/** Whether the blocks still belong to the optimizer: risk kernels take the same memory. */
let arranged: bool = false;

/** FNV-1a over the header's counts and offsets. */
function fingerprint(): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let at: usize = 8; at < 96; at += 4) {
    // Not the objective's details, nor the edge count and the end, which the core writes itself.
    if ((at >= 36 && at < 48) || at == 84) continue;
    hash = (hash ^ load<u32>(HEADER + at)) * 0x01000193;
  }
  return (hash ^ <u32>header().leavesMax) * 0x01000193;
}

export function isArranged(): bool {
  return arranged && seal == fingerprint();
}

/** The blocks are another's now: until the next `arrange` there is no problem to solve. */
export function forget(): void {
  arranged = false;
}

/** Writes the offsets of the problem's blocks for the counts in the header and clears the blocks. */
export function arrange(): i32 {
  const h = header();
  if (
    <u32>h.nodeCount > <u32>NODES_MAX ||
    <u32>h.venueCount > <u32>EDGES_MAX ||
    <u32>h.tickCount > <u32>TICKS_MAX ||
    <u32>h.groupCount > <u32>MEMBERS_MAX ||
    <u32>h.memberCount > <u32>MEMBERS_MAX ||
    <u32>h.targetCount > <u32>NODES_MAX ||
    <u32>h.leavesMax > <u32>LEAVES_MAX ||
    <u32>h.poolNodeCount > <u32>POOL_NODES_TOTAL_MAX ||
    h.nodeCount + h.targetCount + 1 > NODES_MAX ||
    (h.objective == RISK_REBALANCE && h.targetCount > RISK_TARGETS_MAX)
  ) {
    return TOO_LARGE;
  }
  let at = HEADER + HEADER_BYTES;
  h.nodes = at;
  // The targets' own nodes, or a batch's numeraire, come after the host's.
  at = alignLine(at + <usize>(h.nodeCount + h.targetCount + 1) * offsetof<Node>());
  h.venues = at;
  // So do the edges from members to targets and from targets to the purse.
  at = alignLine(at + <usize>(h.venueCount + 2 * h.nodeCount) * offsetof<Venue>());
  h.ticks = at;
  at = alignLine(at + <usize>h.tickCount * offsetof<Tick>());
  h.poolNodes = at;
  at = alignLine(at + <usize>h.poolNodeCount * offsetof<PoolNode>());
  h.groups = at;
  at = alignLine(at + <usize>h.groupCount * offsetof<Group>());
  h.members = at;
  at = alignLine(at + <usize>h.memberCount * sizeof<i32>());
  h.targets = at;
  at = alignLine(at + <usize>h.targetCount * offsetof<Target>());
  h.covariance = at;
  const squares: usize =
    h.objective == RISK_REBALANCE ? <usize>h.targetCount * <usize>h.targetCount : 0;
  at = alignLine(at + squares * sizeof<f64>());
  h.legs = at;
  at = alignLine(at + <usize>(h.venueCount + h.nodeCount) * offsetof<Leg>());
  h.branches = at;
  at = alignLine(at + <usize>(2 * h.leavesMax) * offsetof<Branch>());
  // Prices are written before they are read: only as many rows as there are leaves.
  const cleared = at;
  h.leafPrices = at;
  at = alignLine(at + ((<usize>h.leavesMax * <usize>h.nodeCount) << 3));
  h.scratch = at;
  if (at > (<usize>memory.size()) << 16) return TOO_LARGE;
  memory.fill(h.nodes, 0, cleared - h.nodes);
  seal = fingerprint();
  arranged = true;
  return OK;
}

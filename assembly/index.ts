// trimtab's core: the exported ABI, documented here once. Pure numbers: no imports, no I/O, no
// clock, no randomness, no allocation; the same bytes in give the same bytes out.
//
//   memory      2,048 pages of 64 KiB, never grown
//   abi()       ABI_VERSION of layout.ts; a host refuses any other
//   header()    address of the Header
//   sizes(k)    bytes of record k: 0 Header, 1 Node, 2 Venue, 3 Tick, 4 Group, 5 Target, 6 Leg,
//               7 PoolNode, 8 Branch
//   arrange()   after the host wrote the header's counts and objective: writes the blocks' offsets,
//               clears them; OK or TOO_LARGE
//   load()      after the host filled the blocks: checks them and prepares the snapshot: OK, BAD_INPUT
//               or TOO_LARGE. From here on the host may change the header's objective, buyNode,
//               aversion, workMax, gapTarget and warm, and the nodes' supply and start; all else
//               needs another arrange or load
//   solve()     OK, NO_ROUTE, INFEASIBLE, LIMIT, BAD_INPUT or TOO_LARGE; plan, prices, value and bound
//               are then in the records. Loads by itself what has not been loaded since arrange
//
//   riskArea()  address of the f64 cells that the risk kernels read and write (risk/area.ts). They lie
//               over the optimizer's blocks: give the kernels an instance of their own
//   risk…()     one export per kernel of risk/; each file says which cells, which arguments and which
//               status codes are its own
//
// NaN, infinities (but for caps) and indices out of range are BAD_INPUT: nothing traps on them.

import { solveConvex } from './flow/convex';
import { cyclesMet, forgetCycles } from './flow/cycles';
import { resetFactor } from './flow/factor';
import { relaxAll, search } from './flow/fixedCosts';
import { separateLoops } from './flow/loops';
import { resetMinimiser } from './flow/minimise';
import { hasPools, releasePairs } from './flow/pools';
import { prepareRisk, riskWorth } from './flow/risk';
import { growTree } from './flow/start';
import {
  int,
  isPool,
  listEdges,
  nodeAt,
  num,
  poolNodeAt,
  prepare,
  setObjective,
  targetAt,
  venueAt,
} from './flow/state';
import { tradedWorth } from './flow/worth';
import {
  ABI_VERSION,
  arrange as arrangeBlocks,
  BAD_INPUT,
  BATCH,
  HEADER,
  Header,
  header as head,
  isArranged,
  LIMIT,
  OK,
  POOL_NODES_MAX,
  RISK_REBALANCE,
  SWAP,
} from './layout';
import { Branch, Leg } from './plan';
import {
  BATCH_ORDER,
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  Group,
  Node,
  ORDER,
  PoolNode,
  Target,
  Tick,
  Venue,
} from './problem';
import { AREA } from './risk/area';

export { riskBandLand, riskBandPrepare } from './risk/bands';
export { riskCovariance, riskPivot } from './risk/covariance';
export { riskGreeks } from './risk/greeks';
export {
  riskReplayBlocks,
  riskReplayInputs,
  riskReplayLoad,
  riskReplayRun,
} from './risk/replay';
export { riskParity } from './risk/riskParity';
export { riskTwoBand } from './risk/twoBand';

export function abi(): i32 {
  return ABI_VERSION;
}

export function header(): usize {
  return HEADER;
}

export function riskArea(): usize {
  return AREA;
}

export function sizes(record: i32): usize {
  switch (record) {
    case 0:
      return offsetof<Header>();
    case 1:
      return offsetof<Node>();
    case 2:
      return offsetof<Venue>();
    case 3:
      return offsetof<Tick>();
    case 4:
      return offsetof<Group>();
    case 5:
      return offsetof<Target>();
    case 6:
      return offsetof<Leg>();
    case 7:
      return offsetof<PoolNode>();
    case 8:
      return offsetof<Branch>();
    default:
      return 0;
  }
}

/** Whether the records in memory have been checked and prepared. */
let loaded: bool = false;
/** Whether anything in them is paid once if used, or is a pool of n nodes. */
let combinatorial: bool = false;

export function arrange(): i32 {
  const h = head();
  h.abiVersion = ABI_VERSION;
  loaded = false;
  h.status = arrangeBlocks();
  return h.status;
}

export function load(): i32 {
  const h = head();
  loaded = false;
  h.status = check(h);
  if (h.status == OK) h.status = prepare();
  if (h.status != OK) return h.status;
  resetFactor();
  releasePairs();
  combinatorial = relaxAll() || hasPools();
  listEdges();
  growTree();
  h.warm = 0;
  loaded = true;
  return OK;
}

export function solve(): i32 {
  const h = head();
  h.legCount = 0;
  h.work = 0;
  h.solves = 0;
  h.loops = 0;
  h.branchCount = 0;
  if (!loaded) {
    if (load() != OK) return h.status;
  } else if (!isArranged() || !goodQuote(h)) {
    h.status = BAD_INPUT;
    return BAD_INPUT;
  }
  setObjective();
  prepareRisk();
  if (h.objective == RISK_REBALANCE && !(riskWorth > 0)) {
    h.status = BAD_INPUT;
    return BAD_INPUT;
  }
  forgetCycles();
  // A cold answer must not depend on what was solved before; a warm one does in any case.
  if (h.warm == 0) resetFactor();
  resetMinimiser();
  for (let k = 0; k < h.nodeCount; k++) {
    nodeAt(k).left = nodeAt(k).supply;
    nodeAt(k).loop = 0;
  }
  h.status = combinatorial ? search() : solveConvex();
  if (cyclesMet > 0 && (h.status == OK || h.status == LIMIT) && isUnexplained(h)) separateLoops();
  // Numbers so far apart that they overflow on the way are out of range, whatever else came out.
  for (let k = 0; h.status <= LIMIT && k < h.nodeCount; k++) {
    if (bad(nodeAt(k).dual) || bad(nodeAt(k).left)) h.status = BAD_INPUT;
  }
  if (!(abs(h.bound) < Infinity)) h.status = BAD_INPUT;
  if (!(h.value > -Infinity)) h.value = 0;
  return h.status;
}

/**
 * A search that closed the gap has no loops to answer for, and telling them apart costs a
 * minimisation.
 */
function isUnexplained(h: Header): bool {
  return !combinatorial || h.bound - h.value > h.gapTarget * tradedWorth();
}

function bad(value: f64): bool {
  return !(value >= 0 && value < Infinity);
}

function check(h: Header): i32 {
  if (!isArranged() || !goodQuote(h)) return BAD_INPUT;
  for (let k = 0; k < h.nodeCount; k++) {
    const node = nodeAt(k);
    if (bad(node.price)) return BAD_INPUT;
    if (node.target < -1 || node.target >= h.targetCount) return BAD_INPUT;
    if (node.target >= 0 && h.objective != SWAP && node.price != 1) return BAD_INPUT;
  }
  for (let g = 0; g < h.targetCount; g++) if (bad(targetAt(g).weight)) return BAD_INPUT;
  if (h.objective == RISK_REBALANCE && !goodCovariance(h)) return BAD_INPUT;
  for (let e = 0; e < h.venueCount; e++) if (!goodVenue(h, e)) return BAD_INPUT;
  for (let k = 0; k < h.tickCount; k++) {
    const tick = changetype<Tick>(h.ticks + <usize>k * offsetof<Tick>());
    if (bad(tick.near) || tick.near == 0 || bad(tick.liquidity)) return BAD_INPUT;
  }
  for (let g = 0; g < h.groupCount; g++) {
    const group = changetype<Group>(h.groups + <usize>g * offsetof<Group>());
    if (bad(group.fixedCost) || !within(group.members, group.memberCount, h.memberCount)) {
      return BAD_INPUT;
    }
  }
  for (let k = 0; k < h.memberCount; k++) {
    if (<u32>int(h.members, k) >= <u32>h.venueCount) return BAD_INPUT;
  }
  return OK;
}

/** What a host may change between solves of one load. */
function goodQuote(h: Header): bool {
  if (<u32>h.objective > <u32>BATCH) return false;
  if (h.workMax < 1 || bad(h.gapTarget)) return false;
  if (h.objective == SWAP) {
    if (<u32>h.buyNode >= <u32>h.nodeCount || !(nodeAt(h.buyNode).price > 0)) return false;
  } else if (h.objective != BATCH && h.targetCount < 1) {
    return false;
  }
  if (h.objective == RISK_REBALANCE && !(h.aversion > 0 && h.aversion < Infinity)) return false;
  for (let k = 0; k < h.nodeCount; k++) {
    const node = nodeAt(k);
    if (bad(node.supply) || bad(node.start)) return false;
  }
  return true;
}

/** Finite and symmetric, variances not negative; that it is semidefinite the host has proved. */
function goodCovariance(h: Header): bool {
  const count = h.targetCount;
  for (let g = 0; g < count; g++) {
    for (let j = 0; j <= g; j++) {
      const cell = num(h.covariance, g * count + j);
      if (bad(abs(cell)) || cell != num(h.covariance, j * count + g)) return false;
      if (j == g && cell < 0) return false;
    }
  }
  return true;
}

function within(first: i32, count: i32, total: i32): bool {
  return first >= 0 && count >= 0 && first <= total && count <= total - first;
}

function goodVenue(h: Header, e: i32): bool {
  const v = venueAt(e);
  if (<u32>v.from >= <u32>h.nodeCount || <u32>v.to >= <u32>h.nodeCount || v.from == v.to) {
    return false;
  }
  if (bad(v.fixedCost) || bad(v.fixedFee) || !(v.keep > 0) || bad(v.keep)) return false;
  if (!(v.capFrom >= 0) || !(v.capTo >= 0)) return false;
  if (!(v.a > 0) || bad(v.a)) return false;
  if (v.kind == CONSTANT_PRODUCT) return v.b > 0 && !bad(v.b) && v.keep <= 1;
  if (isPool(v.kind)) return v.keep <= 1 && goodPool(h, v);
  if (v.kind == CONCENTRATED) {
    if (!within(v.down, v.downCount, h.tickCount) || !within(v.up, v.upCount, h.tickCount)) {
      return false;
    }
    return v.keep <= 1 && goodList(h, v.down, v.downCount, -1) && goodList(h, v.up, v.upCount, 1);
  }
  if (v.kind == BATCH_ORDER) {
    const priced = nodeAt(v.from).price > 0 && nodeAt(v.to).price > 0;
    return h.objective == BATCH && priced && v.directions == FORWARD;
  }
  return (v.kind == ORDER || v.kind == BRIDGE) && (v.directions & ~FORWARD) == 0;
}

function goodPool(h: Header, v: Venue): bool {
  if (v.nodeCount < 2 || v.nodeCount > POOL_NODES_MAX) return false;
  if (!within(v.nodes, v.nodeCount, h.poolNodeCount)) return false;
  for (let k = 0; k < v.nodeCount; k++) {
    const one = poolNodeAt(v, k);
    if (<u32>one.node >= <u32>h.nodeCount) return false;
    if (!(one.balance > 0) || bad(one.balance) || !(one.cap >= 0)) return false;
    if (!(one.weight > 0) || bad(one.weight) || !(one.rate > 0) || bad(one.rate)) return false;
    for (let j = 0; j < k; j++) if (poolNodeAt(v, j).node == one.node) return false;
  }
  return true;
}

/** A list of ranges runs strictly one way and ends with a tick of no liquidity. */
function goodList(h: Header, first: i32, count: i32, sign: f64): bool {
  for (let k = 0; k < count; k++) {
    const at = h.ticks + <usize>(first + k) * offsetof<Tick>();
    const tick = changetype<Tick>(at);
    if (k + 1 == count) return tick.liquidity == 0;
    const next = changetype<Tick>(at + offsetof<Tick>());
    if (!((next.near - tick.near) * sign > 0)) return false;
  }
  return true;
}

// Pools of n nodes in the network. The relaxation lets a pool trade all its nodes at once (a smooth
// response with a dense Hessian); a plan may use one ordered pair of them, so before a plan is made
// each pool is committed to a pair and is an ordinary edge from then on. Refuses nothing.

import { header } from '../layout';
import { FORWARD, PoolNode, Venue, WEIGHTED } from '../problem';
import { forwardStable, respondStable, respondStablePair } from '../venues/stable';
import { forwardWeighted, respondWeighted, respondWeightedPair } from '../venues/weighted';
import {
  addToPools,
  BLOCKS,
  DIAGONAL,
  Flow,
  flowAt,
  GRADIENT,
  int,
  isPool,
  NU,
  num,
  POOLS,
  poolCount,
  poolNodeAt,
  setNum,
  venueAt,
} from './state';

const ALL: u32 = 0xffffffff;

function firstOf(v: Venue): usize {
  return header().poolNodes + <usize>v.nodes * offsetof<PoolNode>();
}

function blockOf(flow: Flow): usize {
  return BLOCKS + ((<usize>flow.block) << 3);
}

/** The whole pool's best response: surplus here, trades and Hessian in their own places. */
export function respondPool(v: Venue, flow: Flow): void {
  const first = firstOf(v);
  flow.surplus =
    v.kind == WEIGHTED
      ? respondWeighted(v, first, NU, ALL, blockOf(flow))
      : respondStable(v, first, NU, ALL, blockOf(flow));
  flow.input = 0;
  flow.output = 0;
  flow.curvature = 0;
}

/** Counts the share z of a pool's response in the gradient and in the Hessian. */
export function addPool(e: i32, v: Venue, flow: Flow, z: f64, stiff: f64): void {
  const count = v.nodeCount;
  const block = blockOf(flow);
  for (let i = 0; i < count; i++) {
    const one = poolNodeAt(v, i);
    const worth = num(NU, one.node) * one.trade;
    setNum(GRADIENT, one.node, num(GRADIENT, one.node) + z * worth);
    for (let j = 0; j < count; j++) {
      const other = poolNodeAt(v, j);
      const at = i * count + j;
      const rank = stiff * worth * num(NU, other.node) * other.trade;
      setNum(block, at, z * num(block, at) + rank);
    }
    const own = num(block, i * count + i);
    setNum(DIAGONAL, one.node, num(DIAGONAL, one.node) + own);
  }
  addToPools(e);
}

/** Commits a pool to the pair it trades most: the largest payment in, the largest out. */
export function commitPair(v: Venue, flow: Flow): bool {
  let payer = -1;
  let payee = -1;
  let paid: f64 = 0;
  let got: f64 = 0;
  for (let k = 0; k < v.nodeCount; k++) {
    const node = poolNodeAt(v, k);
    const worth = num(NU, node.node) * node.trade;
    if (worth < paid) {
      paid = worth;
      payer = k;
    } else if (worth > got) {
      got = worth;
      payee = k;
    }
  }
  if (payer < 0 || payee < 0) return false;
  choosePair(v, flow, payer, payee);
  return true;
}

/** Commits every pool that trades at the prices evaluated last; call before plans are made. */
export function commitPairs(): void {
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    const flow = flowAt(e);
    if (flow.pair < 0) commitPair(venueAt(e), flow);
  }
}

/** Lets every pool trade all its nodes again; one of two nodes is an edge from the start. */
export function releasePairs(): void {
  for (let e = 0; e < header().venueCount; e++) {
    const v = venueAt(e);
    if (!isPool(v.kind)) continue;
    if (v.nodeCount == 2) choosePair(v, flowAt(e), 0, 1);
    else flowAt(e).pair = -1;
  }
}

/** Whether any pool of more than two nodes is listed. */
export function hasPools(): bool {
  for (let e = 0; e < header().venueCount; e++) {
    if (isPool(venueAt(e).kind) && venueAt(e).nodeCount > 2) return true;
  }
  return false;
}

/** Makes a pool the edge between two of its nodes, by local index. */
export function choosePair(v: Venue, flow: Flow, i: i32, j: i32): void {
  const one = poolNodeAt(v, i);
  const other = poolNodeAt(v, j);
  flow.pair = i | (j << 8);
  v.from = one.node;
  v.to = other.node;
  v.capFrom = one.cap;
  v.capTo = other.cap;
}

export function respondPair(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64): void {
  const i = flow.pair & 0xff;
  const j = flow.pair >> 8;
  if (v.kind == WEIGHTED) respondWeightedPair(v, firstOf(v), i, j, flow, nuFrom, nuTo);
  else respondStablePair(v, firstOf(v), i, j, flow, nuFrom, nuTo);
}

/** Spot rate of j per i, fees left out; a stable pool's near its peg. */
export function poolRate(v: Venue, i: i32, j: i32): f64 {
  const one = poolNodeAt(v, i);
  const other = poolNodeAt(v, j);
  if (v.kind == WEIGHTED) {
    return ((other.balance / other.weight) * one.weight) / one.balance;
  }
  return one.rate / other.rate;
}

export function poolDepth(v: Venue, k: i32): f64 {
  return poolNodeAt(v, k).balance;
}

/** Output of the committed pair for input x in the given direction. */
export function forwardPair(v: Venue, pair: i32, direction: i32, x: f64): f64 {
  const i = direction == FORWARD ? pair & 0xff : pair >> 8;
  const j = direction == FORWARD ? pair >> 8 : pair & 0xff;
  return v.kind == WEIGHTED
    ? forwardWeighted(v, firstOf(v), i, j, x)
    : forwardStable(v, firstOf(v), i, j, x);
}

/** y ← y + Hx for one pool's block. */
export function multiplyPool(v: Venue, flow: Flow, x: usize, y: usize): void {
  const count = v.nodeCount;
  const block = blockOf(flow);
  for (let i = 0; i < count; i++) {
    const row = poolNodeAt(v, i).node;
    let sum = num(y, row);
    for (let j = 0; j < count; j++) {
      if (j != i) sum += num(block, i * count + j) * num(x, poolNodeAt(v, j).node);
    }
    setNum(y, row, sum);
  }
}

/** Σ over i ≠ j of xᵢHᵢⱼxⱼ for one pool's block. */
export function crossPool(v: Venue, flow: Flow, x: usize): f64 {
  const count = v.nodeCount;
  const block = blockOf(flow);
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const one = num(x, poolNodeAt(v, i).node);
    for (let j = 0; j < count; j++) {
      if (j != i) sum += one * num(block, i * count + j) * num(x, poolNodeAt(v, j).node);
    }
  }
  return sum;
}

/** An entry off the diagonal of a pool's block. */
export function blockEntry(v: Venue, flow: Flow, i: i32, j: i32): f64 {
  return num(blockOf(flow), i * v.nodeCount + j);
}

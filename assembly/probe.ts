// An AssemblyScript entry for tests alone: the pools' responses on records in scratch memory, written
// by test/assembly/pools.ts. Lengths and offsets are those of the core's own records.

import { Flow } from './flow/records';
import { respondWeighted } from './probeWeighted';
import { PoolNode, Venue } from './problem';
import { forwardStable, respondStable, respondStablePair } from './venues/stable';
import { forwardWeighted, respondWeightedPair } from './venues/weighted';

const VENUE: usize = memory.data(128, 64);
const NODES: usize = memory.data(48 * 8, 64);
const PRICES: usize = memory.data(8 * 8, 64);
const HESSIAN: usize = memory.data(8 * 64, 64);
const FLOW: usize = memory.data(256, 64);

const STABLE: i32 = 2;

export function at(block: i32): usize {
  if (block == 0) return VENUE;
  if (block == 1) return NODES;
  if (block == 2) return PRICES;
  if (block == 3) return HESSIAN;
  return FLOW;
}

/** Bytes of the records above, to check what the writer assumes. */
export function size(block: i32): usize {
  return block == 0 ? offsetof<Venue>() : offsetof<PoolNode>();
}

export function respond(allowed: u32, curved: bool): f64 {
  const v = changetype<Venue>(VENUE);
  const hessian = curved ? HESSIAN : 0;
  return v.kind == STABLE
    ? respondStable(v, NODES, PRICES, allowed, hessian)
    : respondWeighted(v, NODES, PRICES, allowed, hessian);
}

export function forward(i: i32, j: i32, x: f64): f64 {
  const v = changetype<Venue>(VENUE);
  return v.kind == STABLE ? forwardStable(v, NODES, i, j, x) : forwardWeighted(v, NODES, i, j, x);
}

export function respondPair(i: i32, j: i32): void {
  const v = changetype<Venue>(VENUE);
  const flow = changetype<Flow>(FLOW);
  const nuI = load<f64>(PRICES + ((<usize>i) << 3));
  const nuJ = load<f64>(PRICES + ((<usize>j) << 3));
  if (v.kind == STABLE) respondStablePair(v, NODES, i, j, flow, nuI, nuJ);
  else respondWeightedPair(v, NODES, i, j, flow, nuI, nuJ);
}

/** `times` responses, for timing without the calls' own cost; the prices move a little each time. */
export function repeat(times: i32, allowed: u32, curved: bool): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < times; k++) {
    const first = load<f64>(PRICES);
    store<f64>(PRICES, first * (1.0 + (k & 1 ? -1e-6 : 1e-6)));
    sum += respond(allowed, curved);
  }
  return sum;
}

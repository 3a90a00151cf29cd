// Which pairs of a pool are worth a look: most cannot gain anything near their cost, and a bound of a few
// multiplications says so where the best trade takes logarithms or roots. Never rejects one that gains more.

import { header } from '../layout';
import { PoolNode, Venue, WEIGHTED } from '../problem';
import { respondStable } from '../venues/stable';
import { NU, num, poolNodeAt, setNum } from './state';

const ALL: u32 = 0xffffffff;
/** A weighted pool's dollars over weight, by its node. */
const DEPTHS: usize = memory.data(64);

/** Address of a pool's nodes. */
export function firstOf(v: Venue): usize {
  return header().poolNodes + <usize>v.nodes * offsetof<PoolNode>();
}

/**
 * Whether any pair of a pool might gain more than `least`; lays out what isPromising reads. All nodes of
 * a stable pool at once gain at least what any pair of them does.
 */
export function screen(v: Venue, least: f64): bool {
  if (v.kind != WEIGHTED) return respondStable(v, firstOf(v), NU, ALL, 0) > least;
  let lowest = Infinity;
  let highest: f64 = 0;
  for (let k = 0; k < v.nodeCount; k++) {
    const one = poolNodeAt(v, k);
    const depth = (num(NU, one.node) * one.balance) / one.weight;
    setNum(DEPTHS, k, depth);
    lowest = min(lowest, depth);
    highest = max(highest, depth);
  }
  return v.keep * highest > lowest;
}

/**
 * Whether a pair may gain more than `least`. A weighted pair starts at the rate γs_j/s_i with
 * s = ν·balance/weight, and only gets worse: it gains at most (γs_j/s_i − 1) of the most it takes in, and
 * never more than all that is there to be had.
 */
export function isPromising(v: Venue, i: i32, j: i32, least: f64): bool {
  if (v.kind != WEIGHTED) return true;
  const forward = num(DEPTHS, j) > num(DEPTHS, i);
  const low = forward ? i : j;
  const high = forward ? j : i;
  const rate = (v.keep * num(DEPTHS, high)) / num(DEPTHS, low);
  if (!(rate > 1)) return false;
  const sold = poolNodeAt(v, low);
  const bought = poolNodeAt(v, high);
  const most = num(NU, sold.node) * sold.cap * (rate - 1.0);
  return min(most, num(NU, bought.node) * bought.balance) > least;
}

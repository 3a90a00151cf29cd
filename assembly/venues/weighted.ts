// Balancer's weighted pools: Π zᵢ^wᵢ may not fall (Martinelli & Mushegian, "A non-custodial portfolio
// manager, liquidity provider, and price sensor", 2019). A plan trades two nodes of a pool
// (flow/pools.ts), and two nodes have closed forms; tests hold them to the response of all nodes at
// once (probeWeighted.ts).

import { Flow } from '../flow/records';
import { FORWARD, REVERSE, Venue } from '../problem';
import { bend, KINK, poolNodeAt } from './pool';

/**
 * Output for input x from the pool's i-th node to its j-th: Rⱼ(1 − (Rᵢ/(Rᵢ + γx))^(wᵢ/wⱼ)), in logs, so
 * that however small x is nothing cancels.
 */
export function forwardWeighted(v: Venue, first: usize, i: i32, j: i32, x: f64): f64 {
  const from = poolNodeAt(first, i);
  const to = poolNodeAt(first, j);
  const growth = Math.log1p((v.keep * x) / from.balance);
  return -to.balance * Math.expm1((-from.weight / to.weight) * growth);
}

/** Writes the best trade between the i-th node (`from`) and the j-th (`to`) into `flow`. */
export function respondWeightedPair(
  v: Venue,
  first: usize,
  i: i32,
  j: i32,
  flow: Flow,
  nuI: f64,
  nuJ: f64,
): void {
  const from = poolNodeAt(first, i);
  const to = poolNodeAt(first, j);
  const depthFrom = (nuI * from.balance) / from.weight;
  const depthTo = (nuJ * to.balance) / to.weight;
  if (flow.mask & FORWARD && v.keep * depthTo > depthFrom * (1.0 - KINK)) {
    flow.direction = FORWARD;
    sell(v, first, i, j, flow, depthFrom, depthTo, nuI, nuJ, v.capFrom);
  } else if (flow.mask & REVERSE && v.keep * depthFrom > depthTo * (1.0 - KINK)) {
    flow.direction = REVERSE;
    sell(v, first, j, i, flow, depthTo, depthFrom, nuJ, nuI, v.capTo);
  } else {
    flow.input = 0;
    flow.output = 0;
    flow.surplus = 0;
    flow.curvature = 0;
  }
}

/** Two nodes: sᵢ = log(γqⱼ/qᵢ)·wⱼ/(wᵢ + wⱼ), sⱼ = −sᵢwᵢ/wⱼ; curvature λwᵢwⱼ/(wᵢ + wⱼ). */
function sell(
  v: Venue,
  first: usize,
  i: i32,
  j: i32,
  flow: Flow,
  depthIn: f64,
  depthOut: f64,
  nuIn: f64,
  nuOut: f64,
  cap: f64,
): void {
  const into = poolNodeAt(first, i);
  const out = poolNodeAt(first, j);
  const both = into.weight + out.weight;
  // Near 1 the ratio's excess keeps more digits than its log.
  const excess = max((v.keep * depthOut - depthIn) / depthIn, 0.0);
  const growth = (Math.log1p(excess) * out.weight) / both;
  const x = (into.balance * Math.expm1(growth)) / v.keep;
  if (x > cap) {
    const y = forwardWeighted(v, first, i, j, cap);
    flow.input = cap;
    flow.output = y;
    flow.surplus = max(nuOut * y - nuIn * cap, 0.0);
    flow.curvature = 0;
    return;
  }
  const fall = (-growth * into.weight) / out.weight;
  const lambda = depthOut * Math.exp(fall);
  flow.input = x;
  flow.output = -out.balance * Math.expm1(fall);
  flow.surplus = lambda * (into.weight * bend(growth) + out.weight * bend(fall));
  flow.curvature = (lambda * into.weight * out.weight) / both;
}

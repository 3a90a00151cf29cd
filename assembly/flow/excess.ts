// A portfolio whose balance one scarce target decides: everything else is in excess and worth next to
// nothing in the dual, so that its flows there are arbitrary, yet the other targets need their units
// too. Then a second problem, well scaled: with the balance fixed at what the dual proved, make what is
// left beyond it worth the most at node prices. Its flows are a plan for the first.

import { header } from '../layout';
import { cycleEdge } from './cycles';
import { resetFactor } from './factor';
import { dualValue, minimise, setScale } from './minimise';
import { recover } from './recover';
import {
  closePurse,
  DEMAND,
  FREE,
  flowAt,
  HELD,
  int,
  LEFT,
  m,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  openPurse,
  PLAN,
  planCount,
  SUPPLY,
  setInt,
  setNum,
  TOPO,
} from './state';

/** Room left for rounding in the balance, as a share of it. */
const SLACK: f64 = 1e-9;
const CYCLES_MAX: i32 = 8;

/**
 * Recovers a plan that reaches the balance just proved, if it can: flows, LEFT and TOPO as after
 * `recover`, prices as before. False, with no plan at hand, if there is none to be had.
 */
export function spendExcess(): bool {
  const balance = dualValue * (1.0 - SLACK);
  if (!(balance > 0) || header().work >= header().workMax) return false;
  if (!openPurse()) return false;
  hold(balance);
  resetFactor();
  setScale(balance);
  const found = spend(balance);
  setScale(0);
  resetFactor();
  closePurse();
  release();
  if (found) settle();
  return found;
}

/** Edges barred for the sake of cycles, allowed again afterwards. */
const BARRED: usize = memory.data(32);

function spend(balance: f64): bool {
  const budget = max(header().workMax >> 3, 50);
  let found = false;
  let barred = 0;
  while (!found && barred < CYCLES_MAX) {
    minimise(barred > 0, false, budget);
    found = recover(balance, true);
    if (found) break;
    const flow = flowAt(cycleEdge);
    setInt(BARRED, barred++, (cycleEdge << 2) | flow.mask);
    flow.mask &= ~flow.direction;
    if (flow.mask == 0) flow.mode = OFF;
  }
  while (barred > 0) {
    const one = int(BARRED, --barred);
    const flow = flowAt(one >> 2);
    flow.mask = one & 3;
    flow.mode = FREE;
  }
  return found;
}

/** Sets prices and supplies aside and takes the balance out of these. */
function hold(balance: f64): void {
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    setNum(HELD, 3 * k, num(NU, k));
    setNum(HELD, 3 * k + 1, num(SUPPLY, k));
    setNum(HELD, 3 * k + 2, node.supply);
    const taken = balance * num(DEMAND, k);
    setNum(SUPPLY, k, num(SUPPLY, k) - taken);
    node.supply -= taken;
    setNum(NU, k, node.price > 0 ? 1.0 : node.tree);
  }
}

function release(): void {
  for (let k = 0; k < n; k++) {
    setNum(NU, k, num(HELD, 3 * k));
    setNum(SUPPLY, k, num(HELD, 3 * k + 1));
    nodeAt(k).supply = num(HELD, 3 * k + 2);
  }
}

/** What the plan leaves at the portfolio's own nodes: what went to the purse stays there. */
function settle(): void {
  for (let k = 0; k < n; k++) setNum(LEFT, k, nodeAt(k).supply);
  for (let k = 0; k < planCount; k++) {
    const e = int(PLAN, k);
    if (e >= m) continue;
    const flow = flowAt(e);
    setNum(LEFT, flow.tail, num(LEFT, flow.tail) - flow.x);
    setNum(LEFT, flow.head, num(LEFT, flow.head) + flow.y);
  }
  for (let k = 0; k < n; k++) setNum(LEFT, k, max(num(LEFT, k), 0.0));
  let place = 0;
  for (let p = 0; p <= n; p++) {
    const node = int(TOPO, p);
    if (node < n) setInt(TOPO, place++, node);
  }
}

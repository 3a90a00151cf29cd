// Writes a recovered plan into the problem's records: legs in execution order, nodes topologically,
// each node's flows together; after them a batch's executed orders.

import { BATCH, header } from '../layout';
import { Leg } from '../plan';
import { BATCH_ORDER, FORWARD } from '../problem';
import { flowAt, HEAD, int, LEFT, n, nodeAt, num, PLAN, planCount, TOPO, venueAt } from './state';

export function writeLegs(): void {
  const h = header();
  h.legCount = 0;
  for (let k = 0; k < n; k++) nodeAt(k).left = num(LEFT, k);
  for (let p = 0; p < n; p++) {
    for (let e = int(HEAD, int(TOPO, p)); e >= 0; e = flowAt(e).next) {
      if (e < h.venueCount && flowAt(e).x > 0) writeLeg(e);
    }
  }
  if (h.objective != BATCH) return;
  for (let k = 0; k < planCount; k++) {
    const e = int(PLAN, k);
    if (flowAt(e).kind == BATCH_ORDER && flowAt(e).x > 0) writeLeg(e);
  }
}

function writeLeg(e: i32): void {
  const h = header();
  const flow = flowAt(e);
  const v = venueAt(e);
  const leg = changetype<Leg>(h.legs + <usize>h.legCount * offsetof<Leg>());
  leg.venue = e;
  leg.direction = flow.direction;
  leg.input = flow.x;
  leg.output = flow.y;
  leg.stiffness = flow.hii;
  const forward = flow.direction == FORWARD;
  leg.from = forward ? v.from : v.to;
  leg.to = forward ? v.to : v.from;
  h.legCount++;
}

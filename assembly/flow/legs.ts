// Writes a recovered plan into the problem's records: legs in execution order, nodes topologically,
// each node's flows together.

import { header } from '../layout';
import { Leg } from '../plan';
import { FORWARD } from '../problem';
import { flowAt, HEAD, int, n, TOPO, venueAt } from './state';

export function writeLegs(): void {
  const h = header();
  let count = 0;
  for (let p = 0; p < n; p++) {
    for (let e = int(HEAD, int(TOPO, p)); e >= 0; e = flowAt(e).next) {
      const flow = flowAt(e);
      if (e >= h.venueCount || !(flow.x > 0)) continue;
      const v = venueAt(e);
      const leg = changetype<Leg>(h.legs + <usize>count * offsetof<Leg>());
      leg.venue = e;
      leg.direction = flow.direction;
      leg.input = flow.x;
      leg.output = flow.y;
      leg.stiffness = flow.hii;
      const forward = flow.direction == FORWARD;
      leg.from = forward ? v.from : v.to;
      leg.to = forward ? v.to : v.from;
      count++;
    }
  }
  h.legCount = count;
}

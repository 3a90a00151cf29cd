// A portfolio whose balance one scarce target decides: everything else is in excess and worth next to
// nothing in the dual, so that its flows there say little, yet the other targets need their units too.
// Then a second problem, well scaled: with the balance fixed at what the dual proved, make what is left
// beyond it worth the most at the file's own prices.

import { minimise } from './minimise.ts';
import type { Network } from './network.ts';
import type { Newton } from './newton.ts';
import { type Plan, recover } from './recover.ts';

/** A plan this close to the dual, relative, needs nothing. */
const CLOSE = 1e-8;
/** Room left for rounding in the fixed balance. */
const SLACK = 1e-9;

/** A plan for the balance just proved, or null where `value` is close to it or none was found. */
export function spendExcess(net: Network, newton: Newton, value: number): Plan | null {
  const balance = net.value * (1 - SLACK);
  const { excess } = net;
  if (excess === null || !(value < net.value * (1 - CLOSE))) return null;
  excess.work = net.work;
  for (const place of excess.places) {
    place.nu = 1;
    place.supply -= balance * place.demand;
  }
  minimise(excess, newton, { warm: false, relaxed: false, budget: net.workMax >> 3 });
  net.work = excess.work;
  const plan = recover(net, newton, Math.abs(net.value), excess);
  return 'venue' in plan ? null : plan;
}

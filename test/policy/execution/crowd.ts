// A simulated crowd: policies with the same targets, all owing the same trade into one constant-product
// pool whose price drifts back to the outside price as others trade. How far the price is pushed past the
// outside one is the overshoot.

import { type Flow, flowLeft, jitterSeconds } from '../../../solver/policy/execution/flow.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';

export interface Crowd {
  readonly policies: number;
  /** Dollars each owes, against dollars on each side of the pool. */
  readonly tradeUsd: number;
  readonly depthUsd: number;
  /** Seconds in which half of a displacement is traded away by others. */
  readonly halfLifeSeconds: number;
  /** 0: all at once. */
  readonly jitterWindowSeconds: number;
  /** null: no cap. */
  readonly cap: { readonly windowSeconds: number; readonly capUsd: number } | null;
  readonly seed: number;
}

export interface Outcome {
  /** Largest rise of the pool's price over the outside price, fraction. */
  readonly overshoot: number;
  /** What all policies paid over the outside price, fraction of what they bought. */
  readonly paidOver: number;
  readonly lastSeconds: number;
}

const STEP = 12;
const STEPS_MAX = 100_000;

export function crowd(setting: Crowd): Outcome {
  const start = 1_700_000_000;
  const waiting = Array.from({ length: setting.policies }, (_, index) => ({
    at:
      start +
      jitterSeconds(`${setting.seed}:policy${index}`, `${start}`, setting.jitterWindowSeconds),
    left: setting.tradeUsd,
  })).sort((a, b) => a.at - b.at);
  const decay = 0.5 ** (STEP / setting.halfLifeSeconds);
  const past: Flow[] = [];
  let shift = 1;
  let overshoot = 0;
  let bought = 0;
  let step = 0;
  for (; step < STEPS_MAX && waiting.some(({ left }) => left > 0); step += 1) {
    const now = unixSeconds(start + step * STEP);
    shift = 1 + (shift - 1) * decay;
    for (const one of waiting) {
      if (one.left <= 0 || one.at > now) continue;
      const room = setting.cap === null ? one.left : flowLeft(setting.cap, past, now);
      const usd = Math.min(one.left, room);
      if (usd < 1) break;
      // Reserves at displacement `shift` of the root price: dollars D·shift, tokens D/shift at price 1.
      const after = shift + usd / setting.depthUsd;
      bought += setting.depthUsd * (1 / shift - 1 / after);
      shift = after;
      one.left -= usd;
      past.push({ at: now, usd });
      overshoot = Math.max(overshoot, shift ** 2 - 1);
    }
  }
  const spent = setting.policies * setting.tradeUsd;
  return { overshoot, paidOver: spent / bought - 1, lastSeconds: step * STEP };
}

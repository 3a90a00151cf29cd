// How much of the rule's J = cost + ½κTE² perfect foresight would have paid: the bound of foresight.ts
// over the J of the rule in the very same linearised problem, the same drift, the same Σ (the prior's),
// the same accounts. Like is compared with like; the fixed cost is left out of both, for which the
// bound only falls. Refuses nothing: its inputs are a parsed policy and history.

import type { Policy } from '../policy/types.ts';
import type { ReplayCosts } from '../types/replay.ts';
import type { RiskKernel } from '../types/risk.ts';
import { driftOf, foresight, freeAssets } from './foresight.ts';
import { YEAR_SECONDS } from './prices.ts';

/** Work of one bound, about 0.1 s: knots × the work of one. */
const WORK_MAX = 4e6;
const KNOTS_MAX = 12_500;

/** bound/J at κ; null where nothing is paid or nothing is at risk. */
export function foresightShare(
  kernel: Pick<RiskKernel, 'bandRule'>,
  policy: Policy,
  prices: Float64Array,
  stepSeconds: number,
  costs: ReplayCosts,
): (aversion: number) => number | null {
  const n = policy.assets.length;
  const targets = Float64Array.from(policy.targets);
  const covariance = policy.prior.covariance;
  const drift = driftOf(prices, targets);
  const steps = drift.length / n;
  const m = freeAssets(covariance, n).free.length;
  const knots = Math.min(
    KNOTS_MAX,
    Math.max(32, Math.floor(WORK_MAX / (4 * m ** 3 + 30 * m ** 2))),
  );
  const perYear = YEAR_SECONDS / stepSeconds;
  const answers = new Map<number, number | null>();
  return (aversion) => {
    const known = answers.get(aversion);
    if (known !== undefined) return known;
    const { proportional } = costs;
    const problem = { assets: n, drift, covariance, perYear, aversion, proportional };
    const { bound } = foresight({ ...problem, knotSteps: Math.max(1, Math.ceil(steps / knots)) });
    const paid = linearCost(kernel, targets, problem);
    const answer = paid > 0 && bound > 0 ? bound / paid : null;
    answers.set(aversion, answer);
    return answer;
  };
}

/** J of the rule over the history in the linearised problem: what it traded, and ½κΣe′Σe. */
export function linearCost(
  kernel: Pick<RiskKernel, 'bandRule'>,
  targets: Float64Array,
  problem: {
    readonly assets: number;
    readonly drift: Float64Array;
    readonly covariance: Float64Array;
    readonly perYear: number;
    readonly aversion: number;
    readonly proportional: number;
  },
): number {
  const { assets: n, drift, covariance, perYear, aversion, proportional } = problem;
  const rule = kernel.bandRule({ targets, covariance, aversion, proportional, fixed: 0 });
  const weights = targets.slice();
  const marginal = 0.5 * (aversion / perYear);
  let cost = 0;
  for (let t = 0; t < drift.length / n; t++) {
    for (let i = 0; i < n && t > 0; i++) {
      const moved = (drift[t * n + i] as number) - (drift[(t - 1) * n + i] as number);
      weights[i] = (weights[i] as number) + moved;
    }
    const trade = rule.land(weights);
    if (trade !== null) {
      for (let i = 0; i < n; i++) {
        const next = trade.landing[i] as number;
        cost += 0.5 * proportional * Math.abs(next - (weights[i] as number));
        weights[i] = next;
      }
    }
    for (let i = 0; i < n; i++) {
      const own = (weights[i] as number) - (targets[i] as number);
      let pull = 0;
      for (let j = 0; j < n; j++) {
        pull +=
          (covariance[i * n + j] as number) * ((weights[j] as number) - (targets[j] as number));
      }
      cost += marginal * own * pull;
    }
  }
  return cost;
}

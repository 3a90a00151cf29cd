// How much of the rule's J = cost + ½κTE² perfect foresight would have paid: the bound of foresight.ts
// over the J of the rule in the very same linearised problem, the same drift, the same Σ (the prior's),
// the same accounts. Like is compared with like; the fixed cost is left out of both, for which the
// bound only falls. Refuses nothing: its inputs are a parsed policy and history.

import type { Policy } from '../policy/types.ts';
import type { Replay, ReplayCosts } from '../types/replay.ts';
import { driftOf, foresight, freeAssets } from './foresight.ts';
import { YEAR_SECONDS } from './prices.ts';

/** Work of one bound, about 0.1 s: knots × the work of one. */
const WORK_MAX = 4e6;
const KNOTS_MAX = 12_500;

/** bound/J at κ; null where nothing is paid or nothing is at risk. */
export function foresightShare(
  replay: Replay,
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
    const { cost, te } = replay.run({ kind: 'linear' }, aversion, { proportional, fixed: 0 });
    const paid = (cost + 0.5 * aversion * te * te) * replay.years;
    const answer = paid > 0 && bound > 0 ? bound / paid : null;
    answers.set(aversion, answer);
    return answer;
  };
}

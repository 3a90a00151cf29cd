// `npm run bench -- backtest covariances`: the rule at F = 0 under three covariances made daily from what
// has been seen, over one history: its cost at equal tracking error; what budgets of 1, 2 and 4 % realise, and
// what they cost over the rule at that very error. Only the live one is the product's.
//   prior's scale  the same mixture at the prior's trace, which never moves
//   live           solver/policy/forecast/mixed.ts; κ of a budget at the usual level of variance
//   today's level  the same, κ at the level of the day
//   plain EWMA     volatilities λ = 0.94 a day, correlations 0.97, these shrunk by n/(n + observations)

import { readEnvelope } from '../../solver/backtest/frontier.ts';
import { createForecasts, forecastPlan } from '../../solver/policy/forecast/mixed.ts';
import { aversionForBudget } from '../../solver/policy/triggers/aversion.ts';
import type { Policy } from '../../solver/policy/types.ts';
import type { RiskKernel } from '../../solver/types/risk.ts';

const PROPORTIONAL = 0.003;
const DAY = 24;
const PER_YEAR = 8_760;
const CORRELATION_DECAY = 0.97 ** (1 / DAY);
const BUDGETS = [0.01, 0.02, 0.04];
const KAPPAS = Array.from({ length: 16 }, (_, k) => 0.25 * 1.9 ** k);

type Name = "prior's scale" | 'live' | "today's level" | 'plain EWMA';
/** One day's covariance, and the level of variance a budget's κ is solved at, over its own. */
interface Day {
  readonly covariance: Float64Array;
  readonly usual: number;
}

/** `prices`: rows × assets, hourly. */
export function covariances(
  kernel: RiskKernel,
  policy: Policy,
  prices: Float64Array,
  errors: readonly number[],
) {
  const n = policy.assets.length;
  const returns = prices.slice(n).map((price, k) => price / (prices[k] ?? 1) - 1);
  const targets = Float64Array.from(policy.targets);
  const daily = dailyCovariances(policy.prior.covariance, returns, n);
  return (Object.keys(daily) as Name[]).map((name) => {
    const run = (kappaOf: (day: Day) => number) =>
      replay(kernel, targets, returns, daily[name], kappaOf);
    const points = KAPPAS.map((kappa) => run(() => kappa));
    const tes = Float64Array.from(points, ({ te }) => te);
    const paid = Float64Array.from(points, ({ cost }) => cost);
    const costs = errors.map((te) => readEnvelope(te, tes, paid)?.cost ?? null);
    const realised = BUDGETS.map((budget) => {
      const { te, cost } = run((day) => {
        const covariance = day.covariance.map((x) => day.usual * x);
        const inputs = { targets, covariance, proportional: PROPORTIONAL, fixed: 0 };
        return aversionForBudget(kernel, inputs, budget) ?? 1;
      });
      return { te, over: cost / (readEnvelope(te, tes, paid)?.cost ?? Number.NaN) };
    });
    return { name, costs, realised };
  });
}

/** One covariance for each day, from the returns of the hours up to its first. */
function dailyCovariances(
  prior: Float64Array,
  returns: Float64Array,
  n: number,
): Readonly<Record<Name, readonly Day[]>> {
  const plan = forecastPlan(3_600);
  const live = createForecasts(prior, n, PER_YEAR, plan);
  const [fast, slow] = [prior.slice(), prior.slice()];
  const made: Record<Name, Day[]> = {
    "prior's scale": [],
    live: [],
    "today's level": [],
    'plain EWMA': [],
  };
  const trace = (m: Float64Array) =>
    m.reduce((sum, x, k) => (k % (n + 1) === 0 ? sum + x : sum), 0);
  for (let k = 0; k * n < returns.length; k++) {
    const row = returns.slice(k * n, k * n + n);
    const held = live.next(row);
    for (let c = 0; c < n * n; c++) {
      const square = PER_YEAR * (row[Math.floor(c / n)] ?? 0) * (row[c % n] ?? 0);
      fast[c] = plan.decay * (fast[c] ?? 0) + (1 - plan.decay) * square;
      slow[c] = CORRELATION_DECAY * (slow[c] ?? 0) + (1 - CORRELATION_DECAY) * square;
    }
    if (k % DAY !== 0) continue;
    const [down, usual] = [trace(prior) / trace(held), live.usual()];
    made.live.push({ covariance: held, usual });
    made["today's level"].push({ covariance: held, usual: 1 });
    made["prior's scale"].push({ covariance: held.map((x) => down * x), usual: 1 });
    const ewma = k < plan.from ? prior : plain(fast, slow, prior, n);
    made['plain EWMA'].push({ covariance: ewma, usual: 1 });
  }
  return made;
}

function plain(fast: Float64Array, slow: Float64Array, prior: Float64Array, n: number) {
  const observations = (1 + CORRELATION_DECAY) / (1 - CORRELATION_DECAY);
  const share = n / (n + observations);
  const correlation = (m: Float64Array, i: number, j: number) => {
    const scale = Math.sqrt((m[i * n + i] ?? 0) * (m[j * n + j] ?? 0));
    return scale > 0 ? (m[i * n + j] ?? 0) / scale : 0;
  };
  return fast.map((x, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    if (i === j) return x;
    const mixed = (1 - share) * correlation(slow, i, j) + share * correlation(prior, i, j);
    return mixed * Math.sqrt((fast[i * n + i] ?? 0) * (fast[j * n + j] ?? 0));
  });
}

function replay(
  kernel: RiskKernel,
  targets: Float64Array,
  returns: Float64Array,
  daily: readonly Day[],
  kappaOf: (day: Day) => number,
) {
  const n = targets.length;
  const steps = returns.length / n;
  let weights: Float64Array = targets.slice();
  let [active2, turnover] = [0, 0];
  let rule: ReturnType<RiskKernel['bandRule']> | null = null;
  for (let k = 0; k < steps; k++) {
    const r = (i: number) => returns[k * n + i] ?? 0;
    let [active, growth] = [0, 0];
    for (let i = 0; i < n; i++) {
      active += ((weights[i] ?? 0) - (targets[i] ?? 0)) * r(i);
      growth += (weights[i] ?? 0) * r(i);
    }
    active2 += active * active;
    for (let i = 0; i < n; i++) weights[i] = ((weights[i] ?? 0) * (1 + r(i))) / (1 + growth);
    const day = daily[k / DAY];
    if (day !== undefined) {
      const { covariance } = day;
      const inputs = { targets, covariance, proportional: PROPORTIONAL, fixed: 0 };
      rule = kernel.bandRule({ ...inputs, aversion: kappaOf(day) });
    }
    const landing = rule?.land(weights)?.landing;
    if (landing === undefined) continue;
    for (let i = 0; i < n; i++) turnover += Math.abs((landing[i] ?? 0) - (weights[i] ?? 0)) / 2;
    weights = landing;
  }
  const years = steps / PER_YEAR;
  return { te: Math.sqrt(active2 / years), cost: (PROPORTIONAL * turnover) / years };
}

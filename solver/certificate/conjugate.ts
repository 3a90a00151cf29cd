// The objective's part of the dual bound: Ū(ν) = sup over net flows y of U(y) − ν·y. It is finite
// only on a set of prices, which published prices may miss by a rounding; `admissible` therefore
// raises ν to the nearest prices it can prove to lie inside. The bound is then g at the raised
// prices, a true bound whatever was published, and equal to g(ν) when ν was inside already.
//
//   swap            finite iff ν_buy ≥ its price            → raise ν_buy to it;   Ū = ν_sell · amount
//   batch           finite iff ν ≥ price at bought nodes    → raise those; see batchConjugate below
//   rebalance       finite iff S = Σ_g w_g min_{i∈g} ν_i/p_i ≥ 1 → scale all by 1/S; Ū = ν·holdings
//   …with risk      quadratic; see riskPrices below
//
// Nodes in no target are left alone: their holdings neither count nor move, so they are no part of
// Ū, and a plan's net flow there must not be negative.

import { ceilDiv, type Fixed36, floorDiv, largerOf, ONE36, smallerOf } from '../market/decimal.ts';
import type {
  ParsedBatch,
  ParsedObjective,
  ParsedProblem,
  ParsedRebalance,
} from '../market/parsedProblem.ts';
import { type Dollars72, dollars72, orderWorth, unitPrices } from '../market/worth.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';

export interface Conjugate {
  /** Admissible dual prices, dollars × 10^72 per base unit, each at least the published one. */
  readonly nu: readonly bigint[];
  /** Ū at those prices, rounded up. */
  readonly value: Dollars72;
}

/**
 * @param nu published dual prices, dollars × 10^72 per base unit, all > 0
 * @param orders fill-or-kill orders of a batch that are fixed, by index: true is filled
 */
export function conjugate(
  problem: ParsedProblem,
  nu: readonly bigint[],
  orders: ReadonlyMap<number, boolean>,
): Conjugate {
  const { objective } = problem;
  if (objective.kind === 'swap') {
    const raised = admissible(problem, nu);
    const value = present(raised[objective.sell], 'dual price') * objective.amount;
    return { nu: raised, value: dollars72(value) };
  }
  if (objective.kind === 'batch') return batchConjugate(objective, admissible(problem, nu), orders);
  if (objective.risk === null) {
    const raised = admissible(problem, nu);
    return { nu: raised, value: holdingsAt(objective, raised) };
  }
  return riskConjugate(problem, objective, objective.risk, nu);
}

/**
 * ν raised to where what is left at the end of a plan is worth no more at ν than the objective
 * pays for it. For a rebalance with risk, whose penalty only takes, that is the file's own prices.
 */
export function admissible(problem: ParsedProblem, nu: readonly bigint[]): readonly bigint[] {
  const { objective } = problem;
  if (objective.kind === 'rebalance' && objective.risk === null) {
    return balancedPrices(problem, objective, nu);
  }
  const wanted = wantedNodes(objective);
  const prices = unitPrices(problem);
  return nu.map((value, i) =>
    wanted.has(i) ? largerOf(value, present(prices[i], 'price of a wanted node')) : value,
  );
}

/** The nodes whose balances an objective counts. */
function wantedNodes(objective: ParsedObjective): ReadonlySet<number> {
  switch (objective.kind) {
    case 'swap':
      return new Set([objective.buy]);
    case 'batch':
      return new Set(objective.orders.map(({ buy }) => buy));
    case 'rebalance':
      return new Set(objective.targets.flatMap(({ nodes }) => nodes));
  }
}

/**
 * Value Σ p_j·(out − ℓ), ℓ = minOut·in/amount ≤ out, of orders that bring `in` and take `out`. With
 * ν_j ≥ p_j and nothing taken that is not there (Σ ν·in + Σ f ≥ Σ ν·out), it is at most
 *
 *   Σ_k in_k·(ν_i − ν_j·minOut/amount) + Σ f ≤ Σ_k max(0, amount·ν_i − minOut·ν_j) + Σ f,
 *
 * partial or not: each order is an edge. One fixed as filled counts whole even if that is a loss.
 */
function batchConjugate(
  { orders }: ParsedBatch,
  nu: readonly bigint[],
  fixed: ReadonlyMap<number, boolean>,
): Conjugate {
  let sum = 0n;
  orders.forEach(({ sell, amount, buy, minOut }, k) => {
    const gain = amount * present(nu[sell], 'dual price') - minOut * present(nu[buy], 'dual price');
    const filled = fixed.get(k) ?? gain > 0n;
    if (filled) sum += gain;
  });
  return { nu, value: dollars72(sum) };
}

function balancedPrices(
  problem: ParsedProblem,
  objective: ParsedRebalance,
  nu: readonly bigint[],
): readonly bigint[] {
  const prices = unitPrices(problem);
  // S × 10^36, rounded down: each ratio down, hence each product down.
  let share = 0n;
  for (const { nodes, weight } of objective.targets) {
    const ratios = nodes.map(
      (i) => (present(nu[i], 'dual price') * weight) / present(prices[i], 'price'),
    );
    share += ratios.reduce(smallerOf);
  }
  // ⌈ν/S⌉ with S from below keeps every ratio at least ν/(p·S): the raised prices have S ≥ 1.
  const positive = share > 0n ? share : 1n;
  return positive >= ONE36 ? nu : nu.map((value) => mulDivUp(value, ONE36, positive));
}

function holdingsAt(objective: ParsedRebalance, nu: readonly bigint[]): Dollars72 {
  let sum = 0n;
  objective.holdings.forEach((amount, i) => {
    if (objective.targetOfNode[i] !== -1) sum += amount * present(nu[i], 'dual price');
  });
  return dollars72(sum);
}

type Risk = NonNullable<ParsedRebalance['risk']>;

/**
 * U = worth − ½A·W₀·(m − w)′Σ(m − w), m_g = worth_g/W₀ ≥ 0. For every vector s, because Σ is
 * positive semidefinite, −½x′Σx ≤ ½s′Σs − s′Σx; with x = m − w and a_g = max_{i∈g}(1 − ν_i/p_i):
 *
 *   Ū(ν) ≤ ν·h + W₀·A·(½ s′Σs + s′Σw)       whenever a_g ≤ A(Σs)_g for every g.
 *
 * So any s gives a true bound once each ν_i is raised to p_i(1 − A(Σs)_g). `displacement` looks for
 * a good s (the optimum's m − w makes it tight); nothing rests on how well it searches.
 */
function riskConjugate(
  problem: ParsedProblem,
  objective: ParsedRebalance,
  risk: Risk,
  nu: readonly bigint[],
): Conjugate {
  const prices = unitPrices(problem);
  const s = displacement(objective, risk, margins(objective, prices, nu));
  const weights = objective.targets.map(({ weight }) => weight);
  const pull = times(risk.covariance, s); // Σs × 10^72
  const raised = [...nu];
  objective.targets.forEach(({ nodes }, g) => {
    // p(1 − A(Σs)_g), rounded up; A(Σs)_g is scaled by 10^108.
    const kept = ONE36 ** 3n - risk.aversion * present(pull[g], 'row');
    for (const i of nodes) {
      const least = ceilDiv(present(prices[i], 'price') * kept, ONE36 ** 3n);
      if (present(raised[i], 'dual price') < least) raised[i] = least;
    }
  });
  // A(½ s′Σs + s′Σw) × 2·10^144, exact.
  const quadratic = risk.aversion * (dot(s, pull) + 2n * dot(weights, pull));
  const tail = ceilDiv(orderWorth(problem) * quadratic, 2n * ONE36 ** 4n);
  return { nu: raised, value: dollars72(holdingsAt(objective, raised) + tail) };
}

/** a_g = max_{i∈g} (1 − ν_i/p_i) × 10^36, rounded up. */
function margins(
  objective: ParsedRebalance,
  prices: readonly (bigint | null)[],
  nu: readonly bigint[],
): readonly bigint[] {
  return objective.targets.map(({ nodes }) =>
    nodes
      .map((i) => ONE36 - (present(nu[i], 'dual price') * ONE36) / present(prices[i], 'price'))
      .reduce(largerOf),
  );
}

const SWEEPS_MAX = 400;
/** 10^−24 of the portfolio: below it a sweep has converged for every purpose. */
const STILL = 10n ** 12n;

/**
 * s = m − w for m ≈ argmax over m ≥ 0 of a·m − ½A(m − w)′Σ(m − w), × 10^36: cyclic coordinate
 * ascent in integers with a fixed maximum of sweeps, so the answer is the same everywhere.
 */
function displacement(
  objective: ParsedRebalance,
  risk: Risk,
  margin: readonly bigint[],
): readonly bigint[] {
  const { aversion, covariance } = risk;
  const weights = objective.targets.map(({ weight }) => weight);
  const s = weights.map(() => 0n);
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let moved = 0n;
    covariance.forEach((row, g) => {
      const own = present(row[g], 'variance');
      if (own === 0n) return; // a row of zeros: this target carries no risk
      const wanted = (present(margin[g], 'margin') * ONE36) / aversion;
      const slack = wanted * ONE36 - dot(row, s); // × 10^72
      const before = present(s[g], 'displacement');
      const free = before + floorDiv(slack, own);
      const least = -present(weights[g], 'weight');
      const after = largerOf(free, least);
      s[g] = after;
      const step = after > before ? after - before : before - after;
      if (step > moved) moved = step;
    });
    if (moved <= STILL) break;
  }
  return s;
}

/** Matrix × vector, Fixed36 × 10^36 → 10^72. */
function times(
  matrix: readonly (readonly Fixed36[])[],
  vector: readonly bigint[],
): readonly bigint[] {
  return matrix.map((row) => dot(row, vector));
}

function dot(a: readonly bigint[], b: readonly bigint[]): bigint {
  return a.reduce((sum, value, i) => sum + value * present(b[i], 'component'), 0n);
}

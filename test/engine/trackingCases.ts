// Tracking rebalances whose best value is known some other way, and the objective in plain floats.

import { readFileSync } from 'node:fs';
import type { Problem, ProblemVenue } from '../../solver/types/problem.ts';
import { decimal, random, units } from './generate.ts';

type Amounts = Readonly<Record<string, string>>;

export function holdingsOf({ objective }: Problem): Amounts {
  return objective.kind === 'rebalance' ? objective.holdings : {};
}

/** Dollars by target. */
export function worths({ nodes, objective }: Problem, amounts: Amounts): number[] {
  if (objective.kind !== 'rebalance') return [];
  return objective.targets.map(({ nodes: members }) =>
    nodes
      .filter(({ id }) => members.includes(id))
      .reduce(
        (sum, n) => sum + (Number(amounts[n.id] ?? 0) / 10 ** n.decimals) * Number(n.price),
        0,
      ),
  );
}

export const worthOf = (file: Problem, amounts: Amounts) =>
  worths(file, amounts).reduce((a, b) => a + b, 0);

/** U of worths by target, in floats. */
export function utility({ objective }: Problem, before: number, held: readonly number[]): number {
  if (objective.kind !== 'rebalance' || objective.risk === undefined) return Number.NaN;
  const { aversion, covariance } = objective.risk;
  const off = held.map((worth, g) => worth / before - Number(objective.targets[g]?.weight));
  const risk = covariance.reduce(
    (sum, row, g) =>
      sum + row.reduce((part, cell, h) => part + Number(cell) * (off[g] ?? 0) * (off[h] ?? 0), 0),
    0,
  );
  return held.reduce((a, b) => a + b, 0) - 0.5 * Number(aversion) * before * risk;
}

const asset = (id: string) => ({ id, asset: id, chain: 1, decimals: 18, price: '1' });
const IDS = ['CASH', 'B', 'C'] as const;
const PAIRS = [
  [0, 1],
  [1, 2],
  [0, 2],
] as const;

interface Pool {
  readonly from: number;
  readonly to: number;
  readonly a: number;
  readonly b: number;
  readonly keep: number;
}

/** Three assets with a pool between every two, and the best value a direct search finds. */
export function triangle(seed: number, averse?: number): { file: Problem; value: number } {
  const rng = random(seed);
  const pools = PAIRS.map(([from, to]): Pool => {
    const keep = 1 - rng.pick([500, 3000]) / 1e6;
    const a = 10 ** rng.between(4, 6);
    return { from, to, a, b: a * Math.exp(rng.between(-0.4, 0.4) * (1 - keep)), keep };
  });
  const holdings = [rng.between(100, 3000), rng.between(0, 5000), rng.between(0, 5000)];
  const aversion = averse ?? 10 ** rng.between(-1, 1.5);
  const [b, c, rho] = [rng.between(0.05, 0.6), rng.between(0.05, 0.6), rng.between(-0.5, 1)];
  const covariance = [
    ['0', '0', '0'],
    ['0', decimal(b * b), signed(rho * b * c * 0.999)],
    ['0', signed(rho * b * c * 0.999), decimal(c * c)],
  ];
  const file: Problem = {
    version: 1,
    nodes: IDS.map(asset),
    venues: pools.map(
      ({ from, to, a, b: other, keep }, e): ProblemVenue => ({
        id: `p${e}`,
        kind: 'constantProduct',
        nodes: [IDS[from] ?? '', IDS[to] ?? ''],
        reserves: [units(a * 1e18).toString(), units(other * 1e18).toString()],
        feePips: Math.round((1 - keep) * 1e6),
        fixedCost: '0',
      }),
    ),
    objective: {
      kind: 'rebalance',
      holdings: Object.fromEntries(
        IDS.map((id, i) => [id, units((holdings[i] ?? 0) * 1e18).toString()]),
      ),
      targets: IDS.map((id, i) => ({ nodes: [id], weight: ['0.2', '0.5', '0.3'][i] ?? '0' })),
      risk: { aversion: decimal(aversion), covariance },
    },
  };
  const before = holdings.reduce((x, y) => x + y, 0);
  const judge = (flows: readonly number[]) => {
    const held = [...holdings];
    for (const [e, pool] of pools.entries()) trade(held, pool, flows[e] ?? 0);
    return held.some((one) => one < 0) ? Number.NEGATIVE_INFINITY : utility(file, before, held);
  };
  return { file, value: averse === undefined ? directSearch(rng, judge, before) : Number.NaN };
}

const signed = (value: number) => (value < 0 ? `-${decimal(-value)}` : decimal(value));

/** Moves `flow` in at one end: of `from` if positive, of `to` if negative. */
function trade(held: number[], { from, to, a, b, keep }: Pool, flow: number): void {
  const [tail, head, paid] = flow > 0 ? [from, to, flow] : [to, from, -flow];
  const [own, other] = flow > 0 ? [a, b] : [b, a];
  held[tail] = (held[tail] ?? 0) - paid;
  held[head] = (held[head] ?? 0) + (other * keep * paid) / (own + keep * paid);
}

/** Random directions with shrinking steps: slow and sure on three concave variables. */
function directSearch(
  rng: ReturnType<typeof random>,
  judge: (flows: readonly number[]) => number,
  scale: number,
): number {
  let best = [0, 0, 0];
  let value = judge(best);
  for (let step = scale / 4; step > scale * 1e-7; step *= 0.8) {
    for (let k = 0; k < 250; k++) {
      const only = rng.integer(0, 4);
      const next = best.map((x, i) => (only < 3 && only !== i ? x : x + step * rng.between(-1, 1)));
      if (rng.next() < 0.1) next[rng.integer(0, 2)] = 0;
      const worth = judge(next);
      if (worth > value) [best, value] = [next, worth];
    }
  }
  return value;
}

interface Vector {
  readonly name: string;
  readonly vol: readonly number[];
  readonly rho?: number;
  readonly nodes?: readonly string[];
  readonly target?: readonly number[];
  readonly e: readonly number[];
  readonly kappa_tau: number;
  readonly eps: number | readonly (readonly (number | null)[])[];
  readonly impact: number | readonly (readonly number[])[];
  readonly post_e?: readonly number[];
  readonly agg_post_e?: readonly number[];
  readonly objective: number;
}
export interface VectorCase {
  readonly name: string;
  readonly file: Problem;
  /** Weights missed by at the optimum, per target. */
  readonly post: readonly number[];
  /** ½κτ·e′Σe + costs at the optimum, shares of the worth. */
  readonly objective: number;
  /** What the ladder of a curved cost leaves of it, in weight. */
  readonly step: number;
}

/** Steps of the ladder of orders that stands for a cost εf + a·f^1.5, and how far it reaches. */
const RUNGS = 300;
const REACH = 0.03;
const DEEP = 10n ** 26n;

/**
 * The published cases. A cost in proportion is one deep order at a constant rate; 3/2-power impact a
 * ladder of orders, each at its stretch's average cost. Where one chain's targets are not said, half of
 * each asset's weight stands on each.
 */
export function trackingVectors(): readonly VectorCase[] {
  const { cases } = JSON.parse(readFileSync('test/vectors/qp_tracking_flow.json', 'utf8')) as {
    cases: readonly Vector[];
  };
  return cases.map((one) => {
    const ids = one.e.map((_, i) => one.nodes?.[i] ?? `N${i}`);
    const assets = [...new Set(ids.map(assetOf))];
    const share = ids.length / assets.length;
    const weights = one.target ?? [0.5, 0.3, 0.2];
    const weightOf = (i: number) => weights[assets.indexOf(assetOf(ids[i] ?? ''))] ?? 0;
    const sigma = (i: number, j: number) =>
      (one.vol[i] ?? 0) * (one.vol[j] ?? 0) * (i === j ? 1 : (one.rho ?? 0.8));
    const cell = (cost: Vector['impact'] | Vector['eps'], i: number, j: number) =>
      typeof cost === 'number' ? cost : (cost[i]?.[j] ?? null);
    const venues = ids.flatMap((from, i) =>
      ids.flatMap((to, j): ProblemVenue[] => {
        const [eps, impact] = [cell(one.eps, i, j), cell(one.impact, i, j) ?? 0];
        if (i === j || eps === null) return [];
        return ladder(`${i}${j}`, [from, to], eps, impact);
      }),
    );
    const file: Problem = {
      version: 1,
      nodes: ids.map(asset),
      venues,
      objective: {
        kind: 'rebalance',
        holdings: Object.fromEntries(
          ids.map((id, i) => [
            id,
            units((weightOf(i) / share + (one.e[i] ?? 0)) * 1e24).toString(),
          ]),
        ),
        targets: assets.map((name, g) => ({
          nodes: ids.filter((id) => assetOf(id) === name),
          weight: String(weights[g]),
        })),
        risk: {
          aversion: String(one.kappa_tau),
          covariance: assets.map((_, i) => assets.map((__, j) => sigma(i, j).toFixed(6))),
        },
      },
    };
    const post = one.post_e ?? one.agg_post_e ?? [];
    const curved = venues.length > ids.length ** 2;
    const { name, objective } = one;
    return { name, file, post, objective, step: curved ? REACH / RUNGS : 0 };
  });
}

const assetOf = (id: string) => id.split('.')[0] ?? id;

function ladder(
  id: string,
  nodes: readonly [string, string],
  eps: number,
  impact: number,
): ProblemVenue[] {
  const order = (part: string, size: bigint, cost: number): ProblemVenue => ({
    id: `${id}${part}`,
    kind: 'order',
    nodes,
    amountIn: size.toString(),
    amountOut: ((size * BigInt(Math.round((1 - cost) * 1e12))) / 10n ** 12n).toString(),
    fixedCost: '0',
  });
  if (impact === 0) return [order('', DEEP, eps)];
  const step = REACH / RUNGS;
  return Array.from({ length: RUNGS }, (_, k) => {
    const stretch = ((k + 1) * step) ** 1.5 - (k * step) ** 1.5;
    return order(`.${k}`, units(step * 1e24), eps + (impact * stretch) / step);
  });
}

/** B cannot be sold and its tracking error costs more than it is worth; C moves with it. */
export function stuck(): Problem {
  return {
    version: 1,
    nodes: IDS.map(asset),
    venues: [
      {
        id: 'p',
        kind: 'constantProduct',
        nodes: ['CASH', 'C'],
        reserves: [(10n ** 24n).toString(), (10n ** 24n).toString()],
        feePips: 500,
        fixedCost: '0',
      },
    ],
    objective: {
      kind: 'rebalance',
      holdings: {
        CASH: (10n ** 21n).toString(),
        B: (10n ** 21n).toString(),
        C: (10n ** 21n).toString(),
      },
      targets: IDS.map((id, i) => ({ nodes: [id], weight: ['0.2', '0', '0.8'][i] ?? '0' })),
      risk: {
        aversion: '40',
        covariance: [
          ['0', '0', '0'],
          ['0', '0.25', '0.1'],
          ['0', '0.1', '0.25'],
        ],
      },
    },
  };
}

/** The best of selling or buying any amount of C. */
export function hedge(file: Problem, before: number): number {
  let best = Number.NEGATIVE_INFINITY;
  const pool: Pool = { from: 0, to: 2, a: 1e6, b: 1e6, keep: 0.9995 };
  for (let flow = -1000; flow <= 1000; flow += 0.25) {
    const held = [1000, 1000, 1000];
    trade(held, pool, flow);
    best = Math.max(best, utility(file, before, held));
  }
  return best;
}

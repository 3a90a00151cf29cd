// qp_tracking_flow.json to the last digits, by exact minimisation over one pair flow at a time:
// what the band rule's marginal form (POLICY.md) means where costs are curved. The optimizer's own
// run over the same cases, with its costs as orders, is test/engine/risk.test.ts.

import { describe, expect, test } from 'vitest';
import { form, times } from '../../../solver/policy/risk/linear.ts';
import { vectors } from '../../risk/support.ts';
import { allNear, near } from '../near.ts';

type PerPair = number | readonly (readonly (number | null)[])[];
interface Case {
  readonly name: string;
  readonly vol: readonly number[];
  readonly rho?: number;
  readonly nodes?: readonly string[];
  readonly e: readonly number[];
  readonly kappa_tau: number;
  readonly eps: PerPair;
  readonly impact: PerPair;
  readonly flows: Readonly<Record<string, number>>;
  readonly post_e?: readonly number[];
  readonly agg_post_e?: readonly number[];
  readonly objective: number;
  readonly do_nothing_objective?: number;
}
interface Edge {
  readonly from: number;
  readonly to: number;
  readonly eps: number;
  readonly impact: number;
}

const ROUNDS_MAX = 200_000;
const of = (cost: PerPair, i: number, j: number) =>
  typeof cost === 'number' ? cost : (cost[i]?.[j] ?? null);

function edgesOf({ e, eps, impact }: Case): Edge[] {
  return e.flatMap((_, from) =>
    e.flatMap((__, to): Edge[] => {
      const proportional = of(eps, from, to);
      if (from === to || proportional === null) return [];
      return [{ from, to, eps: proportional, impact: of(impact, from, to) ?? 0 }];
    }),
  );
}

/** Tokens of one asset share their row: correlation 1 between chains. */
function covarianceOf({ e, vol, nodes, rho = 0.8 }: Case): Float64Array {
  const asset = (i: number) => nodes?.[i]?.split('.')[0] ?? String(i);
  return Float64Array.from(
    e.flatMap((_, i) =>
      e.map((__, j) => (vol[i] ?? 0) * (vol[j] ?? 0) * (asset(i) === asset(j) ? 1 : rho)),
    ),
  );
}

/** Minimises ½κτe′Σe + Σ εf + a·f^1.5 over f ≥ 0, one edge exactly at a time. */
function solve(one: Case, edges: readonly Edge[], sigma: Float64Array) {
  const e = Float64Array.from(one.e);
  const flows = new Float64Array(edges.length);
  const size = e.length;
  const cell = (i: number, j: number) => sigma[i * size + j] ?? 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let moved = 0;
    for (const [k, { from, to, eps, impact }] of edges.entries()) {
      const slopes = times(sigma, e);
      const bend = one.kappa_tau * (cell(from, from) + cell(to, to) - 2 * cell(from, to));
      const flow = flows[k] ?? 0;
      const gain = one.kappa_tau * ((slopes[from] ?? 0) - (slopes[to] ?? 0)) + bend * flow - eps;
      // gain − bend·s² − 1.5·a·s = 0 for s = √f.
      const curve = 1.5 * impact;
      const root =
        gain > 0 && bend > 1e-15
          ? (2 * gain) / (curve + Math.sqrt(curve * curve + 4 * bend * gain))
          : 0;
      const step = root * root - flow;
      flows[k] = flow + step;
      e[from] = (e[from] ?? 0) - step;
      e[to] = (e[to] ?? 0) + step;
      moved = Math.max(moved, Math.abs(step));
    }
    if (moved < 1e-17) break;
  }
  const costs = edges.reduce((sum, { eps, impact }, k) => {
    const flow = flows[k] ?? 0;
    return sum + eps * flow + impact * flow ** 1.5;
  }, 0);
  return { e, flows, objective: 0.5 * one.kappa_tau * form(sigma, e) + costs };
}

const { cases } = vectors<{ cases: Case[] }>('qp_tracking_flow');

describe('qp_tracking_flow.json', () => {
  test.each(cases)('default: $name', (one) => {
    const [edges, sigma] = [edgesOf(one), covarianceOf(one)];
    const found = solve(one, edges, sigma);
    near(found.objective, one.objective);
    for (const [k, { from, to }] of edges.entries()) {
      near(found.flows[k], one.flows[`${from}->${to}`] ?? 0, 1e-9, 1);
    }
    if (one.post_e !== undefined) allNear(found.e, one.post_e);
    if (one.agg_post_e !== undefined) {
      const half = one.e.length / 2;
      const totals = Array.from(
        { length: half },
        (_, i) => (found.e[i] ?? 0) + (found.e[i + half] ?? 0),
      );
      allNear(totals, one.agg_post_e);
    }
    if (one.do_nothing_objective !== undefined) {
      near(0.5 * one.kappa_tau * form(sigma, one.e), one.do_nothing_objective);
    }
    // The reduced cost is 0 on every edge used and ≥ 0 on the others: nothing cheaper is left.
    const slopes = times(sigma, found.e);
    for (const [k, { from, to, eps, impact }] of edges.entries()) {
      const flow = found.flows[k] ?? 0;
      const gain = one.kappa_tau * ((slopes[from] ?? 0) - (slopes[to] ?? 0));
      const reduced = eps + 1.5 * impact * Math.sqrt(flow) - gain;
      expect(reduced).toBeGreaterThan(-1e-12);
      if (flow > 0) expect(Math.abs(reduced)).toBeLessThan(1e-12);
    }
  });
});

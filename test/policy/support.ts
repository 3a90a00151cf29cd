// Policies, states and the kernel for tests of the policy core.

import { readFileSync } from 'node:fs';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { CALM } from '../../solver/policy/guards/breakers.ts';
import { parsePolicy } from '../../solver/policy/parse.ts';
import type { Policy, PolicyState } from '../../solver/policy/types.ts';
import { type UnixSeconds, unixSeconds } from '../../solver/types/amounts.ts';
import type { RiskKernel } from '../../solver/types/risk.ts';

export const kernel: RiskKernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));

export const NOW = unixSeconds(1_750_000_000);
export const seconds = (value: number): UnixSeconds => unixSeconds(value);

export const THREE = { BTC: '0.5', ETH: '0.3', CASH: '0.2' };
/** A policy over BTC, ETH and cash unless `rest` says otherwise. */
export const policyOf = (rest: object = {}): Policy => parsePolicy({ targets: THREE, ...rest });

/** Two fresh sources that agree. */
export const priced = (price: number, at: number = NOW) => [
  { source: 'a', price, at: seconds(at - 10) },
  { source: 'b', price: price * 1.0001, at: seconds(at - 20) },
];

/** A healthy state: believed prices, no history, 100,000 dollars, the prior as forecast. */
export function stateOf(
  policy: Policy,
  weights: readonly number[],
  rest: Partial<PolicyState> = {},
): PolicyState {
  const now = rest.now ?? NOW;
  return {
    now,
    weights: Float64Array.from(weights),
    chainWeights: new Map(),
    worthUsd: 100_000,
    prices: policy.assets.map((_, i) => priced(i === policy.assets.length - 1 ? 1 : 1_000, now)),
    forecast: { covariance: policy.prior.covariance, source: 'prior' },
    history: {
      armedAt: seconds(now - 100 * 86_400),
      lastSettledAt: null,
      lastScheduledAt: null,
      settlements: [],
    },
    breakers: CALM,
    accounts: [],
    hedge: null,
    gasUsd: null,
    ...rest,
  };
}

export const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** A standard normal from two uniforms (Box & Muller). */
export const normal = (next: () => number): number =>
  Math.sqrt(-2 * Math.log(next() + 2 ** -54)) * Math.cos(2 * Math.PI * next());

// A policy's aim → the members of a rebalance request that follow from it. Pure; weights become whole
// bps here, nowhere else. Owner, scope and chain limits are the caller's.

import type { Aim } from '../policy/types.ts';
import { assert, present } from '../types/assert.ts';
import type { RebalanceRequest } from '../types/service.ts';
import { AVERSION_MAX, AVERSION_MIN } from './tracking.ts';

type FromAim = Pick<
  RebalanceRequest,
  | 'targets'
  | 'tracking'
  | 'buyOnly'
  | 'sellOnly'
  | 'maxCostBps'
  | 'maxSlippageBps'
  | 'maxGasUsd'
  | 'maxTurnover'
>;

/**
 * `universe[i]` is the network's asset of the aim's i-th; `aim.buyOnly` and `sellOnly` name assets by
 * either name, `names[i]` (the policy's) or the network's. With an aversion the targets are those that
 * displacement is measured from; without one they are the landing, which keeps to the limits already.
 */
export function requestOfAim(
  aim: Aim,
  universe: readonly string[],
  names: readonly string[] = universe,
): FromAim {
  const { aversion, covariance, maxGasUsd, maxTurnover } = aim;
  const size = universe.length;
  assert(aim.targets.length === size && names.length === size, 'an asset per weight');
  const bps = wholeBps(aversion === null ? aim.landing : aim.targets);
  const targets = universe.map((asset, i) => ({ asset, weightBps: present(bps[i], 'weight') }));
  const common = {
    targets,
    maxCostBps: aim.maxCostBps,
    maxSlippageBps: aim.maxSlippageBps,
    ...(Number.isFinite(maxGasUsd) ? { maxGasUsd } : {}),
  };
  if (aversion === null) return common;
  const inNetwork = (asset: string) => universe[names.indexOf(asset)] ?? asset;
  return {
    ...common,
    tracking: {
      // A policy that wants all in one asset has a band of no width, and κτ without end.
      aversion: Math.min(AVERSION_MAX, Math.max(AVERSION_MIN, aversion)),
      assets: universe,
      covariance: universe.map((_, i) => [...covariance.subarray(i * size, (i + 1) * size)]),
    },
    buyOnly: aim.buyOnly.map(inNetwork),
    sellOnly: aim.sellOnly.map(inNetwork),
    // A landing keeps to the month's turnover already; how far tracking goes is the optimizer's.
    ...(maxTurnover === undefined ? {} : { maxTurnover }),
  };
}

/** Largest remainder: whole bps that sum to 10,000, each within one of the weight; ties to the first. */
export function wholeBps(weights: ArrayLike<number>): readonly number[] {
  const exact = Array.from(weights, (weight) => weight * 10_000);
  const sum = exact.reduce((a, b) => a + b, 0);
  assert(Math.abs(sum - 10_000) < 1e-3 && exact.every((w) => w >= 0), `weights sum to 1: ${sum}`);
  const floors = exact.map((weight) => Math.floor(weight + 1e-9));
  const left = 10_000 - floors.reduce((a, b) => a + b, 0);
  const order = exact
    .map((weight, i) => ({ i, rest: weight - (floors[i] ?? 0) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  const raised = new Set(order.slice(0, Math.max(0, left)).map(({ i }) => i));
  return floors.map((floor, i) => floor + (raised.has(i) ? 1 : 0));
}

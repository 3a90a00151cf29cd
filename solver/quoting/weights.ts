// What a portfolio is worth and how it is spread, at a scene's prices. Worths round down.

import { present } from '../types/assert.ts';
import { addUsd, type Usd, worthDown } from './money.ts';
import type { Scene } from './scene.ts';

/** Worth per target, dollars × 10^18. */
export function targetWorthsOf(
  scene: Scene,
  amounts: ReadonlyMap<string, bigint>,
): readonly bigint[] {
  return scene.targets.map(({ tokens }) =>
    tokens.reduce<bigint>((sum, { node }) => {
      const token = present(scene.tokens.get(node), `a price for ${node}`);
      return sum + worthDown(amounts.get(node) ?? 0n, token);
    }, 0n),
  );
}

/** The same by asset: targets of one asset on several chains come together. */
export function worthsByAsset(
  scene: Scene,
  amounts: ReadonlyMap<string, bigint>,
): ReadonlyMap<string, bigint> {
  const worths = new Map<string, bigint>();
  targetWorthsOf(scene, amounts).forEach((worth, i) => {
    const { asset } = present(scene.targets[i], 'a target per worth');
    worths.set(asset, (worths.get(asset) ?? 0n) + worth);
  });
  return worths;
}

/** Share of the targeted worth per target, bps with two decimals, rounded down. */
export function weightsOf(scene: Scene, amounts: ReadonlyMap<string, bigint>): readonly number[] {
  const worths = targetWorthsOf(scene, amounts);
  const total = worths.reduce((sum, worth) => sum + worth, 0n);
  return worths.map((worth) => (total === 0n ? 0 : Number((worth * 1_000_000n) / total) / 100));
}

/** Asked for by several steps of a quote; it goes when the scene goes. */
const knownWeights = new WeakMap<Scene, readonly number[]>();

/** weightsOf what is held before any trade. */
export function heldWeights(scene: Scene): readonly number[] {
  const known = knownWeights.get(scene);
  if (known !== undefined) return known;
  const weights = weightsOf(scene, scene.holdings);
  knownWeights.set(scene, weights);
  return weights;
}

/** The largest distance of a weight from its target, bps. */
export function driftOf(scene: Scene, weights: readonly number[]): number {
  const apart = scene.targets.map(({ weightBps }, i) => Math.abs((weights[i] ?? 0) - weightBps));
  return Math.round(Math.max(0, ...apart) * 100) / 100;
}

export function worthOf(scene: Scene, amounts: ReadonlyMap<string, bigint>): Usd {
  return addUsd(
    ...[...amounts].map(([node, amount]) =>
      worthDown(amount, present(scene.tokens.get(node), `a price for ${node}`)),
    ),
  );
}

// The lab's price source: a seeded walk around each asset's reference price, independent of any
// pool, the same for all chains. A test may set a price and hold it.

import { ASSETS, type AssetName, FEED_DECIMALS } from '../setup.ts';

export interface PriceSource {
  /** One step for every price that is not held. */
  step(): void;
  /** Dollars per whole token, 8 decimals. */
  current(asset: AssetName): bigint;
  hold(asset: AssetName, dollars: number): void;
  releaseAll(): void;
}

/** How strongly a price is pulled back to its reference, per step. */
const REVERSION = 0.05;
/** Dollar coins move that much less. */
const STABLE_SHARE = 0.1;

/** `volatilityBps` is the standard deviation of one step, 1e-4. Equal seeds give equal paths. */
export function createPriceSource(seed: number, volatilityBps: number): PriceSource {
  const random = mulberry32(seed);
  const deviation = new Map<AssetName, number>(ASSETS.map(({ asset }) => [asset, 0]));
  const held = new Map<AssetName, number>();
  const dollarsOf = (asset: AssetName) => {
    const reference = ASSETS.find((candidate) => candidate.asset === asset)?.dollars ?? 0;
    return held.get(asset) ?? reference * (1 + (deviation.get(asset) ?? 0));
  };
  return {
    step() {
      for (const { asset } of ASSETS) {
        const size = (volatilityBps / 10_000) * (asset === 'USDC' ? STABLE_SHARE : 1);
        const before = deviation.get(asset) ?? 0;
        // Twelve uniforms make a normal number good enough for a walk.
        let normal = -6;
        for (let i = 0; i < 12; i++) normal += random();
        deviation.set(asset, before * (1 - REVERSION) + size * normal);
      }
    },
    current: (asset) => BigInt(Math.round(dollarsOf(asset) * 10 ** FEED_DECIMALS)),
    hold: (asset, dollars) => void held.set(asset, dollars),
    releaseAll: () => held.clear(),
  };
}

/** Tommy Ettinger's 32-bit generator: uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

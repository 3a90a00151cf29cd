// Floors and caps per chain. A decision speaks of the portfolio over all chains, so here they are two
// things: bounds on each asset's landing (the sum of its floors; the sum of its caps where every
// chain in use has one), and a cause of their own where what stands on a chain breaks one.

import type { ChainId } from '../../types/ids.ts';
import type { ChainLimit, Policy, Reason, Skipped } from '../types.ts';
import { percent } from './direction.ts';

export interface Bounds {
  readonly floors: Float64Array;
  readonly caps: Float64Array;
}

/** null: no limit bounds any asset. */
export function boundsOf(policy: Policy): Bounds | null {
  const { assets, chainLimits, chains } = policy;
  const own = chainLimits.filter(({ asset }) => asset !== null);
  if (own.length === 0) return null;
  const floors = new Float64Array(assets.length);
  const caps = new Float64Array(assets.length).fill(1);
  for (const [i, asset] of assets.entries()) {
    const limits = own.filter((limit) => limit.asset === asset);
    floors[i] = Math.min(
      1,
      limits.reduce((sum, { floor }) => sum + floor, 0),
    );
    const everywhere = chains?.every((chain) => limits.some((limit) => limit.chain === chain));
    if (everywhere === true)
      caps[i] = Math.min(
        1,
        limits.reduce((sum, { cap }) => sum + cap, 0),
      );
  }
  return { floors, caps };
}

const TOLERANCE = 1e-12;

/**
 * Moves a landing into the bounds: what a floor adds, or a cap takes off, is shared among the assets
 * with room in proportion to it. Stops short where there is not enough room, and says so.
 */
export function withinBounds(
  landing: Float64Array,
  { floors, caps }: Bounds,
  assets: readonly string[],
  skipped: Skipped[],
): Float64Array {
  const bounded = landing.slice();
  let owed = 0;
  for (const [i, w] of landing.entries()) {
    const [floor, cap] = [floors[i] ?? 0, caps[i] ?? 1];
    if (w >= floor - TOLERANCE && w <= cap + TOLERANCE) continue;
    const to = w < floor ? floor : cap;
    bounded[i] = to;
    owed += to - w;
    const which = w < floor ? 'chainFloor' : 'chainCap';
    const message = `${assets[i]}: landing ${percent(w)} moved to ${percent(to)} (${which}s of its chains)`;
    skipped.push({ code: which, message, asset: assets[i] ?? '', data: { from: w, to } });
  }
  if (Math.abs(owed) <= TOLERANCE) return bounded;
  const room = bounded.map((w, i) =>
    owed > 0 ? Math.max(0, w - (floors[i] ?? 0)) : Math.max(0, (caps[i] ?? 1) - w),
  );
  const all = room.reduce((sum, x) => sum + x, 0);
  const share = all > 0 ? Math.min(1, Math.abs(owed) / all) : 0;
  for (const [i, space] of room.entries()) {
    bounded[i] = (bounded[i] ?? 0) - Math.sign(owed) * share * space;
  }
  return bounded;
}

/** The limits that what stands on the chains breaks by more than `smallest`, fraction of worth. */
export function brokenLimits(
  policy: Policy,
  chainWeights: ReadonlyMap<ChainId, Float64Array>,
  smallest: number,
): readonly Reason[] {
  const broken: Reason[] = [];
  for (const limit of policy.chainLimits) {
    const share = shareOn(policy, chainWeights.get(limit.chain), limit);
    const under = limit.floor - share;
    const over = share - limit.cap;
    const off = Math.max(under, over);
    if (!(off > Math.max(smallest, TOLERANCE))) continue;
    const what = limit.asset ?? 'all assets';
    const bound = under > 0 ? limit.floor : limit.cap;
    const side = under > 0 ? 'below its floor' : 'above its cap';
    broken.push({
      code: 'chainLimit',
      message: `chain ${limit.chain}, ${what}: ${percent(share)} is ${side} ${percent(bound)}`,
      data: { chain: limit.chain, share, bound },
    });
  }
  return broken;
}

function shareOn(policy: Policy, vector: Float64Array | undefined, { asset }: ChainLimit): number {
  if (vector === undefined) return 0;
  if (asset !== null) return vector[policy.assets.indexOf(asset)] ?? 0;
  return vector.reduce((sum, share) => sum + share, 0);
}

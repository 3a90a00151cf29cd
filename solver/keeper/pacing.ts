// So that many policies do not act at once: each waits its own part of a jitter, fixed by its id
// and the moment it began to want a trade, and all together propose at most so much of one asset.
// Pure.

import { type Flow, type FlowCap, flowLeft } from '../policy/execution/flow.ts';
import type { UnixSeconds } from '../types/amounts.ts';
import { unixSeconds } from '../types/amounts.ts';
import type { JsonObject } from '../types/json.ts';
import type { ProposedFlow } from '../types/policyStore.ts';

/** Dollars by `buy:<asset>` and `sell:<asset>` of network assets, ≥ 0. */
export type DollarFlow = Readonly<Record<string, number>>;

export function flowOf(
  universe: readonly string[],
  weights: Float64Array,
  landing: Float64Array,
  worthUsd: number,
): DollarFlow {
  const flow: Record<string, number> = {};
  for (const [i, asset] of universe.entries()) {
    const moved = ((landing[i] ?? 0) - (weights[i] ?? 0)) * worthUsd;
    if (moved === 0) continue;
    const key = moved > 0 ? `buy:${asset}` : `sell:${asset}`;
    flow[key] = (flow[key] ?? 0) + Math.abs(moved);
  }
  return flow;
}

/**
 * What of this trade the others have used up, or null when all of it may go. A trade larger than
 * the cap alone may go when nothing else of it went within the window: it is one policy's own
 * affair then.
 */
export function crowded(
  past: readonly ProposedFlow[],
  flow: DollarFlow,
  cap: FlowCap,
  now: UnixSeconds,
): string | null {
  for (const [key, wanted] of Object.entries(flow)) {
    const others: Flow[] = past.flatMap(({ createdAtMs, expected }) => {
      const usd = usdOf(expected.flowUsd, key);
      // The store's clock may be ahead of ours: what was proposed counts.
      const at = unixSeconds(Math.min(now, Math.floor(createdAtMs / 1_000)));
      return usd > 0 ? [{ at, usd }] : [];
    });
    const left = flowLeft(cap, others, now);
    if (left < cap.capUsd && left < wanted) return key;
  }
  return null;
}

function usdOf(flow: unknown, key: string): number {
  const value = typeof flow === 'object' && flow !== null ? (flow as JsonObject)[key] : undefined;
  return typeof value === 'number' ? value : 0;
}

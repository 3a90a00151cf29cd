// A rival's plan → what it is really worth: its legs executed in our exact integers, in its own
// order and proportions, and charged the same fixed costs. Not held to settings.venueInputCap, which
// is a rule of our certificate; a pool used twice cannot be compared and is said.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import { execute } from '../../solver/certificate/execution.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import type { Leg } from '../../solver/types/problem.ts';
import type { Outcome } from './rivals.ts';

/** A trade of a share of what its node holds when its turn comes. */
export interface SharedLeg {
  readonly venue: number;
  readonly from: number;
  readonly to: number;
  /** 0 … 1; exactly 1 takes all that is left. */
  readonly share: number;
}

const SHARE_ONE = 2n ** 53n;

/** Dollars of a swap's plan after fixed costs. */
export function worthOf(problem: ParsedProblem, plan: readonly SharedLeg[]): Outcome {
  const { objective } = problem;
  if (objective.kind !== 'swap') throw new Error('rivals solve swaps only');
  const held = problem.nodes.map((_, i) => (i === objective.sell ? objective.amount : 0n));
  const legs: Leg[] = [];
  for (const { venue, from, to, share } of plan) {
    const holding = held[from] ?? 0n;
    const amountIn =
      share >= 1 ? holding : (holding * BigInt(Math.round(share * 2 ** 53))) / SHARE_ONE;
    const pool = problem.venues[venue];
    if (pool === undefined) throw new Error(`no venue ${venue}`);
    const amountOut = exactOut(pool, from, to, amountIn);
    if (typeof amountOut !== 'bigint') return nothing(`${pool.id}: ${amountOut.refused}`);
    held[from] = holding - amountIn;
    held[to] = (held[to] ?? 0n) + amountOut;
    legs.push({
      venue: pool.id,
      in: { node: problem.nodes[from]?.id ?? '', amount: amountIn.toString() },
      out: { node: problem.nodes[to]?.id ?? '', amount: amountOut.toString() },
    });
  }
  if (new Set(legs.map(({ venue }) => venue)).size < legs.length) return nothing('a venue twice');
  const uncapped = { ...problem, settings: { ...problem.settings, venueInputCap: null } };
  // Any positive prices will do: only the value is read.
  const prices = Object.fromEntries(problem.nodes.map(({ id }) => [id, '1']));
  const { value } = evaluate(uncapped, { status: 'solved', legs, prices }, '0x');
  const beyondCap = execute(problem, legs).failures.length > 0;
  return { value: Number(value), gapBps: null, bound: null, beyondCap };
}

const nothing = (invalid: string): Outcome => ({ value: 0, gapBps: null, bound: null, invalid });

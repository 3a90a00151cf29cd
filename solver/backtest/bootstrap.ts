// How far the figures could have come out otherwise: weeks are drawn anew, with replacement, in runs of
// neighbours around a circle (Politis, Romano 1992), and every figure is read again, the rivals' tuning
// included. What a week cost and missed under each parameter is known from the replay, so no draw
// replays anything. The same draws serve all figures. Random numbers come from the seed alone.

import { readEnvelope, type Sweep } from './frontier.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How often each week was drawn, one vector per draw. */
export interface Draws {
  readonly counts: readonly Float64Array[];
  /** The weeks in the order drawn, for what depends on it. */
  readonly orders: readonly Int32Array[];
}

export const DRAWS = 400;
/** Two-sided. */
export const LEVEL = 0.95;

/** Runs of ⌈N^⅓⌉ weeks: their length must grow with the sample, and slowly (Künsch 1989). */
export function runLength(weeks: number): number {
  return Math.max(1, Math.ceil(Math.cbrt(weeks)));
}

export function drawWeeks(weeks: number, seed: number, draws: number = DRAWS): Draws {
  const random = mulberry32(seed);
  const length = Math.min(weeks, runLength(weeks));
  const counts: Float64Array[] = [];
  const orders: Int32Array[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const count = new Float64Array(weeks);
    const order = new Int32Array(weeks);
    let start = 0;
    for (let k = 0; k < weeks; k++) {
      if (k % length === 0) start = Math.floor(random() * weeks);
      const week = (start + (k % length)) % weeks;
      order[k] = week;
      count[week] = (count[week] as number) + 1;
    }
    counts.push(count);
    orders.push(order);
  }
  return { counts, orders };
}

/** A small generator of known quality (mulberry32, T. Ettinger 2017, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The middle LEVEL of the values; null where too few of the draws gave one. */
export function intervalOf(values: readonly number[], draws: number): Interval | null {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  if (sorted.length < LEVEL * draws) return null;
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const [low = Number.NaN, high = low] = [
      sorted[below],
      sorted[Math.min(below + 1, sorted.length - 1)],
    ];
    return low + (place - below) * (high - low);
  };
  return { low: at((1 - LEVEL) / 2), high: at((1 + LEVEL) / 2) };
}

/** √(Σ active²/years) and cost per year of pairs of block sums, week by week as often as drawn. */
export function redraw(
  blocks: Float64Array,
  count: Float64Array,
  years: number,
): { readonly te: number; readonly cost: number } {
  let active2 = 0;
  let cost = 0;
  for (let week = 0; week < count.length; week++) {
    const times = count[week] as number;
    active2 += times * (blocks[2 * week] as number);
    cost += times * (blocks[2 * week + 1] as number);
  }
  return { te: Math.sqrt(active2 / years), cost: cost / years };
}

/** Cost at each wanted error, per draw; NaN where the redrawn envelope does not reach it. */
export function redrawSweep(
  { runs }: Sweep,
  errors: readonly number[],
  { counts }: Draws,
  years: number,
): readonly Float64Array[] {
  const answers = errors.map(() => new Float64Array(counts.length));
  const tes = new Float64Array(runs.length);
  const costs = new Float64Array(runs.length);
  for (const [draw, count] of counts.entries()) {
    for (const [k, run] of runs.entries()) {
      const one = redraw(run.blocks, count, years);
      tes[k] = one.te;
      costs[k] = one.cost;
    }
    for (const [k, te] of errors.entries()) {
      const answer = answers[k] as Float64Array;
      answer[draw] = readEnvelope(te, tes, costs)?.cost ?? Number.NaN;
    }
  }
  return answers;
}

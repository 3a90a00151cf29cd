// What each family of rules costs at equal tracking error: its parameter is swept over a fixed grid,
// points that another beats in both cost and error are dropped, and the rest is read log-log between
// neighbours (backtest_frontier.json). The grids are the reference's own, carried on beyond their ends
// where a wanted error lies outside; points far from every wanted error are not run. Answers null
// where no parameter reaches it.

import type { Replay, ReplayCosts, ReplayFamily, ReplayRun } from '../types/replay.ts';

export const FAMILIES = ['calendar', 'toTarget', 'toHalf', 'toEdge', 'reference', 'rule'] as const;
export type FamilyName = (typeof FAMILIES)[number];

const KIND: Readonly<Record<FamilyName, ReplayFamily>> = {
  calendar: { kind: 'calendar' },
  toTarget: { kind: 'threshold', landing: 0 },
  toHalf: { kind: 'threshold', landing: 0.5 },
  toEdge: { kind: 'threshold', landing: 1 },
  reference: { kind: 'reference' },
  rule: { kind: 'rule' },
};

/** Steps between calendar trades; the reference's list lies within. */
const CALENDAR: readonly number[] = [
  1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504, 600, 720, 1080, 1440, 2160,
  2880, 4320, 8640,
];

interface Grid {
  readonly from: number;
  readonly to: number;
  readonly points: number;
  /** Where it may be carried on to. */
  readonly least: number;
  readonly most: number;
  /** Whether the tracking error rises with the parameter. */
  readonly rises: boolean;
}
const WIDTHS: Grid = { from: 0.003, to: 0.3, points: 60, least: 1e-5, most: 0.95, rises: true };
const KAPPA: Grid = { from: 0.3, to: 3000, points: 40, least: 1e-4, most: 1e8, rises: false };
/**
 * With fixed costs trades are few and every point is noise: the best rival is the luckiest of three
 * times 60, and our one family is given about as many.
 */
const KAPPA_FINE: Grid = { ...KAPPA, points: 157 };
/** With many assets a run takes long and the frontier is smooth: half as many points are enough. */
const KAPPA_COARSE: Grid = { ...KAPPA, points: 20 };
const COARSE_FROM_ASSETS = 9;
const GRID: Readonly<Record<Exclude<FamilyName, 'calendar'>, Grid>> = {
  toTarget: WIDTHS,
  toHalf: WIDTHS,
  toEdge: WIDTHS,
  reference: KAPPA,
  rule: KAPPA,
};
/** Points passed over at a time on the way to the least error that is wanted. */
const STRIDE = 6;

/** How much further than the wanted errors a sweep goes, down and up. */
const CALMER = 1.4;
const WILDER = 1.8;

export interface Sweep {
  readonly family: FamilyName;
  readonly runs: readonly ReplayRun[];
}

/** Runs the family over its grid from below the least wanted error to above the largest. */
export function sweep(
  replay: Replay,
  family: FamilyName,
  costs: ReplayCosts,
  errors: readonly number[],
): Sweep {
  const run = (parameter: number) => replay.run(KIND[family], parameter, costs);
  if (family === 'calendar') {
    const runs: ReplayRun[] = [];
    for (const steps of CALENDAR) {
      const one = run(steps);
      if (one.trades > 0) runs.push(one);
    }
    return { family, runs };
  }
  const grid = gridOf(family, costs, replay.assets);
  const ratio = (grid.to / grid.from) ** (1 / (grid.points - 1));
  // In order of rising error, whichever way the parameter runs.
  const parameterOf = (k: number) =>
    grid.rises ? grid.from * ratio ** k : grid.from * ratio ** (grid.points - 1 - k);
  const isWithin = (k: number) => parameterOf(k) >= grid.least && parameterOf(k) <= grid.most;
  // Redrawn histories are calmer or wilder than this one: their envelopes must reach as well.
  const [least, most] = [Math.min(...errors) / CALMER, Math.max(...errors) * WILDER];
  const known = new Map<number, ReplayRun>();
  const runAt = (k: number): ReplayRun => {
    const found = known.get(k) ?? run(parameterOf(k));
    known.set(k, found);
    return found;
  };
  let first = Math.floor(grid.points / 2);
  while (isWithin(first - STRIDE) && runAt(first).te > least) first -= STRIDE;
  while (isWithin(first - 1) && runAt(first).te > least) first--;
  while (isWithin(first + 1) && runAt(first + 1).te <= least) first++;
  const runs: ReplayRun[] = [];
  for (let k = first; isWithin(k); k++) {
    const one = runAt(k);
    runs.push(one);
    if (one.te > most || one.cost === 0) break;
  }
  return { family, runs };
}

function gridOf(
  family: Exclude<FamilyName, 'calendar'>,
  { fixed }: ReplayCosts,
  assets: number,
): Grid {
  if (family === 'rule' && fixed > 0) return KAPPA_FINE;
  const isPairs = family === 'rule' || family === 'reference';
  return isPairs && assets >= COARSE_FROM_ASSETS ? KAPPA_COARSE : GRID[family];
}

/** Points by tracking error and cost, of which `order` is sorted by error: read at `te`. */
export interface Reading {
  readonly cost: number;
  /** The neighbours read between, by index, and how far from the first to the second. */
  readonly left: number;
  readonly right: number;
  readonly share: number;
}

/** The lower envelope at `te`; null where it does not reach. */
export function readEnvelope(
  te: number,
  errors: Float64Array,
  costs: Float64Array,
): Reading | null {
  // The neighbours on the envelope: left, the cheapest point with error ≤ te (ties: largest error);
  // right, the point of least error among those beyond te that are cheaper than it.
  let left = -1;
  for (let k = 0; k < errors.length; k++) {
    const [error, cost] = [errors[k] as number, costs[k] as number];
    if (!(error > 0) || !(cost > 0) || error > te) continue;
    if (left < 0 || cost < (costs[left] as number)) left = k;
  }
  if (left < 0) return null;
  const floor = costs[left] as number;
  if (errors[left] === te) return { cost: floor, left, right: left, share: 0 };
  let right = -1;
  for (let k = 0; k < errors.length; k++) {
    const [error, cost] = [errors[k] as number, costs[k] as number];
    if (!(error > te) || !(cost > 0) || cost >= floor) continue;
    const best = right < 0 ? Infinity : (errors[right] as number);
    if (error < best || (error === best && cost < (costs[right] as number))) right = k;
  }
  if (right < 0) return null;
  const [a, b] = [errors[left] as number, errors[right] as number];
  const share = Math.log(te / a) / Math.log(b / a);
  return { cost: floor * ((costs[right] as number) / floor) ** share, left, right, share };
}

/** The parameter between the two neighbours' own, on the same scale. */
export function parameterAt({ runs }: Sweep, { left, right, share }: Reading): number {
  const one = runs[left]?.parameter ?? Number.NaN;
  return one * ((runs[right]?.parameter ?? Number.NaN) / one) ** share;
}

export function readSweep({ runs }: Sweep, te: number): Reading | null {
  const errors = Float64Array.from(runs, (run) => run.te);
  const costs = Float64Array.from(runs, (run) => run.cost);
  return readEnvelope(te, errors, costs);
}
